"""One step of a walk through a questionnaire: a session and an input in, the next session and what to say out. Pure.

`*` repeats and 0 asks for a call at any point; a failed try is a wrong key or silence. Every walk ends.
"""

from dataclasses import replace

from ivr.digits import KeyRules
from ivr.questionnaire.alerts import newly_fired
from ivr.questionnaire.model import (
    Answer,
    FollowUpReason,
    Input,
    Kind,
    Phase,
    Pressed,
    Question,
    Questionnaire,
    Session,
    SessionStatus,
    Turn,
)
from ivr.questionnaire.values import read_back_of, value_of

#: `*` and corrections cost no try, so a stuck key could go on for ever: after so many turns it is the kind way out.
MAX_TURNS = 500

#: Silences and wrong keys together at the offer after 0, before it counts as "end here".
OFFER_TRIES = 2

_REPEAT = "*"
_CALL_ME = "0"


def start(questionnaire: Questionnaire) -> Turn:
    """Begin a walk: the opening and the first question."""
    session = Session(questionnaire.hash, questionnaire.questions[0].id)
    return _go_on(questionnaire, session, 0, questionnaire.opening)


def reopen(questionnaire: Questionnaire, session: Session) -> Turn:
    """Go on with a waiting session on another call, at its open question and with all its tries.

    A value that was not confirmed is asked again: whoever hung up during the read-back may have heard a mistake.
    Raises ValueError for a session that is over or belongs to another version.
    """
    counted = _counted(questionnaire, session)
    if counted is None:
        return _give_up(questionnaire, session)
    afresh = replace(counted, phase=Phase.ASKING, pending="", tries=0, corrections=0, offer_tries=0)
    question = _open_question(questionnaire, afresh)
    say = (*questionnaire.frame.resume, *_waited_for(questionnaire, afresh))
    return Turn(afresh, say, _rules(question, afresh.phase))


def resume(questionnaire: Questionnaire, session: Session, given: Input) -> Turn:
    """Take one input: keys or silence.

    Raises ValueError for a session that is over or belongs to another version.
    """
    counted = _counted(questionnaire, session)
    if counted is None:
        return _give_up(questionnaire, session)
    # An entry of `#` alone holds no key: the same as silence.
    keys = given.keys if isinstance(given, Pressed) else ""
    if _REPEAT in keys:
        return _repeat(questionnaire, counted)
    if counted.phase is Phase.OFFERING:
        return _offered(questionnaire, counted, keys)
    if keys == _CALL_ME:
        return _offer(questionnaire, counted)
    if counted.phase is Phase.CONFIRMING:
        return _confirmed(questionnaire, counted, keys)
    return _asked(questionnaire, counted, keys)


def _asked(questionnaire: Questionnaire, session: Session, keys: str) -> Turn:
    question = _open_question(questionnaire, session)
    value = value_of(question, keys) if keys else None
    if value is None:
        return _fail(questionnaire, session, keys)
    read_back = read_back_of(question, value)
    if read_back:
        confirming = replace(session, phase=Phase.CONFIRMING, pending=value, tries=0)
        return Turn(confirming, read_back, _rules(question, confirming.phase))
    return _take(questionnaire, session, value)


def _confirmed(questionnaire: Questionnaire, session: Session, keys: str) -> Turn:
    if keys == "1":
        return _take(questionnaire, session, session.pending)
    if keys == "2":
        return _correct(questionnaire, session)
    return _fail(questionnaire, session, keys)


def _correct(questionnaire: Questionnaire, session: Session) -> Turn:
    question = _open_question(questionnaire, session)
    if session.corrections >= question.tries:
        return _give_up(questionnaire, session)
    asking = replace(session, phase=Phase.ASKING, pending="", tries=0, corrections=session.corrections + 1)
    return Turn(asking, question.ask, _rules(question, asking.phase))


def _offered(questionnaire: Questionnaire, session: Session, keys: str) -> Turn:
    frame = questionnaire.frame
    if keys == "1":
        back = replace(session, phase=Phase.CONFIRMING if session.pending else Phase.ASKING)
        return Turn(back, _waited_for(questionnaire, back), _rules(_open_question(questionnaire, back), back.phase))
    failed = session.offer_tries + 1
    if keys == "2" or failed >= OFFER_TRIES:
        ended = replace(session, pending="", status=SessionStatus.ENDED_EARLY)
        return Turn(ended, frame.call_wished_end, None)
    again = replace(session, offer_tries=failed)
    apology = frame.wrong_key if keys else frame.silence
    return Turn(again, (*apology, *frame.call_wished), _rules(_open_question(questionnaire, again), again.phase))


def _offer(questionnaire: Questionnaire, session: Session) -> Turn:
    """0 was pressed: the wish is known at once, whatever is pressed afterwards."""
    offering = replace(session, phase=Phase.OFFERING, offer_tries=0, call_wished=True)
    question = _open_question(questionnaire, session)
    follow_ups = () if session.call_wished else (FollowUpReason.CALL_WISHED,)
    return Turn(offering, questionnaire.frame.call_wished, _rules(question, offering.phase), follow_ups=follow_ups)


def _repeat(questionnaire: Questionnaire, session: Session) -> Turn:
    say = _waited_for(questionnaire, session)
    if session.phase is Phase.ASKING and not session.answers:
        # The opening explains the keys, and its first words are lost while the handset moves back to the ear.
        say = (*questionnaire.opening, *say)
    return Turn(session, say, _rules(_open_question(questionnaire, session), session.phase))


def _waited_for(questionnaire: Questionnaire, session: Session) -> tuple[str, ...]:
    """What the session waits for an answer to, in full: the statements before a question belong to it."""
    question = _open_question(questionnaire, session)
    match session.phase:
        case Phase.OFFERING:
            return questionnaire.frame.call_wished
        case Phase.CONFIRMING:
            return read_back_of(question, session.pending)
        case Phase.ASKING:
            return (*_statements_before(questionnaire, question), *question.ask)


def _fail(questionnaire: Questionnaire, session: Session, keys: str) -> Turn:
    """A wrong key, or silence (no keys), at a question or its confirmation."""
    question = _open_question(questionnaire, session)
    if session.tries + 1 >= question.tries:
        return _give_up(questionnaire, session)
    failed = replace(session, tries=session.tries + 1)
    apology = questionnaire.frame.wrong_key if keys else questionnaire.frame.silence
    if failed.phase is Phase.CONFIRMING:
        return Turn(failed, (*apology, *read_back_of(question, failed.pending)), _rules(question, failed.phase))
    hint = question.hint if keys or question.kind is Kind.NUMBER else ()
    return Turn(failed, (*apology, *hint, *question.ask), _rules(question, failed.phase))


def _give_up(questionnaire: Questionnaire, session: Session) -> Turn:
    ended = replace(session, pending="", status=SessionStatus.GAVE_UP)
    return Turn(ended, questionnaire.frame.way_out, None, follow_ups=(FollowUpReason.COULD_NOT_ENTER,))


def _take(questionnaire: Questionnaire, session: Session, value: str) -> Turn:
    """The open question is answered: store, judge, go on."""
    answer = Answer(session.question, value)
    answers = (*(each for each in session.answers if each.question != answer.question), answer)
    alerts = newly_fired(questionnaire.alerts, answers, session.alerts)
    taken = replace(session, answers=answers, alerts=(*session.alerts, *(rule.id for rule in alerts)))
    turn = _go_on(questionnaire, taken, _position(questionnaire, session.question) + 1)
    return replace(turn, answered=(answer,), alerts=alerts)


def _go_on(questionnaire: Questionnaire, session: Session, position: int, say: tuple[str, ...] = ()) -> Turn:
    """Say statements from `position` on, up to the next question, or to the end."""
    clear = replace(session, phase=Phase.ASKING, pending="", tries=0, corrections=0, offer_tries=0)
    for question in questionnaire.questions[position:]:
        say = (*say, *question.ask)
        if question.kind is not Kind.SAY:
            return Turn(replace(clear, question=question.id), say, _rules(question, clear.phase))
    ended = replace(clear, status=SessionStatus.COMPLETED)
    return Turn(ended, (*say, *questionnaire.closing), None)


def _rules(question: Question, phase: Phase) -> KeyRules:
    times = question.times
    entry = phase is Phase.ASKING and question.number is not None
    return KeyRules(
        length=question.number.max_digits if entry and question.number else 1,
        first_key=times.first_key,
        inter_key=times.inter_key,
        total=times.total,
        end=frozenset("#") if entry else frozenset(),
        # Many people add # to everything: as a first key it is the rest of the entry before.
        ignored=frozenset("#"),
    )


def _statements_before(questionnaire: Questionnaire, question: Question) -> tuple[str, ...]:
    """What is said between the question before and this one."""
    say: tuple[str, ...] = ()
    for each in questionnaire.questions[: _position(questionnaire, question.id)]:
        say = (*say, *each.ask) if each.kind is Kind.SAY else ()
    return say


def _counted(questionnaire: Questionnaire, session: Session) -> Session | None:
    """The session with one turn more; None if it had all it may have."""
    if session.questionnaire != questionnaire.hash:
        raise ValueError("the session belongs to another version of the questionnaire")
    if session.status is not SessionStatus.WAITING:
        raise ValueError(f"the session is over: {session.status}")
    return replace(session, turns=session.turns + 1) if session.turns < MAX_TURNS else None


def _open_question(questionnaire: Questionnaire, session: Session) -> Question:
    return questionnaire.questions[_position(questionnaire, session.question)]


def _position(questionnaire: Questionnaire, question: str) -> int:
    for position, each in enumerate(questionnaire.questions):
        if each.id == question:
            return position
    raise ValueError(f"the questionnaire has no question {question}")
