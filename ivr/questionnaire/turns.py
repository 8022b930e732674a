"""One step of a walk through a questionnaire: a session and an input in, the next session and what to say out. Pure.

`*` repeats and 0 asks for a call at any point; a failed try is a wrong key, silence or an empty recording. Every walk
ends.
"""

from dataclasses import replace

from ivr.digits import KeyRules
from ivr.questionnaire.alerts import newly_fired
from ivr.questionnaire.conditions import conditions_of, known
from ivr.questionnaire.model import (
    Answer,
    FollowUpReason,
    Input,
    Kind,
    PersonFacts,
    Phase,
    Pressed,
    Question,
    Questionnaire,
    Recorded,
    Session,
    SessionStatus,
    Silence,
    Turn,
)
from ivr.questionnaire.next_call import say_next_call
from ivr.questionnaire.path import position_after, position_of, way_from
from ivr.questionnaire.values import begins_a_number, read_back_of, value_of

#: `*`, corrections and jumps back cost no try, so a walk could go on for ever: after so many turns it is the kind way
#: out.
MAX_TURNS = 500

#: `*`, or keys that come too early, so many times in a row: a key that is stuck must come to an end too.
MOST_REPEATS = 20

#: Silences and wrong keys together at the offer after 0, before it counts as "end here".
OFFER_TRIES = 2

#: Seconds. A recording that is shorter is a cough or a click, and counts as silence.
SHORTEST_MESSAGE = 1.0

#: Keys of one entry of a multi: more than it has values, for whoever presses one twice.
_MULTI_KEYS = 20

_REPEAT = "*"
_CALL_ME = "0"

_NOBODY = PersonFacts()
#: What cannot be answered with one key: there even silence may mean that nobody knows how.
_NOT_ONE_KEY = (Kind.NUMBER, Kind.MULTI, Kind.VOICE_MESSAGE)


def start(questionnaire: Questionnaire, person: PersonFacts = _NOBODY) -> Turn:
    """Begin a walk: the opening and the first question. What it needs to know of `person` is kept in the session."""
    session = Session(
        questionnaire.hash,
        questionnaire.questions[0].id,
        language=person.language if person.language in questionnaire.languages else questionnaire.language,
        person=_kept(questionnaire, person),
    )
    return _go_on(questionnaire, session, 0, questionnaire.opening)


def _kept(questionnaire: Questionnaire, person: PersonFacts) -> PersonFacts:
    """No more than the questionnaire can use; of a fact that is not known, or has another value, its first value."""
    facts = {
        fact: given if (given := person.facts.get(fact, "")) in values else values[0]
        for fact, values in questionnaire.facts.items()
    }
    compared = {each.question for each in conditions_of(questionnaire) if each.falls_by or each.rises_by}
    last_report = {question: value for question, value in person.last_report.items() if question in compared}
    next_call = person.next_call if questionnaire.next_call else None
    return PersonFacts(facts, last_report=last_report, next_call=next_call, knows=person.knows)


def reopen(questionnaire: Questionnaire, session: Session) -> Turn:
    """Go on with a waiting session on another call, at its open question and with all its tries.

    A value that was not confirmed is asked again: whoever hung up during the read-back may have heard a mistake. A
    message that was spoken is kept: many people simply hang up after it.
    Raises ValueError for a session that is over or belongs to another version.
    """
    counted = _counted(questionnaire, session)
    if counted is None:
        return _give_up(questionnaire, session)
    resumed = questionnaire.frame.resume
    if counted.pending and _counts_at_once(_open_question(questionnaire, counted)):
        return _stands(questionnaire, counted, resumed)
    afresh = replace(counted, phase=Phase.ASKING, pending="", tries=0, corrections=0, offer_tries=0)
    return _wait(questionnaire, afresh, (*resumed, *_waited_for(questionnaire, afresh)))


def resume(questionnaire: Questionnaire, session: Session, given: Input) -> Turn:
    """Take one input: keys, silence or a recording.

    Raises ValueError for a session that is over or belongs to another version.
    """
    counted = _counted(questionnaire, session)
    if counted is None:
        return _give_up(questionnaire, session)
    early = isinstance(given, Pressed) and given.early
    if counted.phase is Phase.ASKING and not early and given != Silence(too_early=True):
        counted = replace(counted, heard=tuple(dict.fromkeys((*counted.heard, counted.question))))
    return _in_step(questionnaire, counted, given, _resumed(questionnaire, counted, given))


def _resumed(questionnaire: Questionnaire, session: Session, given: Input) -> Turn:
    keys = _keys(given)
    if keys == _REPEAT or given == Silence(too_early=True):
        return _repeat(questionnaire, session)
    session = replace(session, repeats=0)
    if session.phase is Phase.OFFERING:
        return _offered(questionnaire, session, keys)
    if keys == _CALL_ME:
        return _offer(questionnaire, session)
    if session.phase is Phase.CONFIRMING:
        return _confirmed(questionnaire, session, keys)
    return _asked(questionnaire, session, given, keys)


def _keys(given: Input) -> str:
    # An entry of `#` alone holds no key: the same as silence.
    return given.keys if isinstance(given, Pressed) else ""


def _in_step(questionnaire: Questionnaire, before: Session, given: Input, turn: Turn) -> Turn:
    """The turn with what its first keys may be, after what was given to the one before."""
    if turn.rules is None:
        return turn
    now = turn.session
    asked_again = (now.question, now.phase) == (before.question, before.phase)
    if asked_again and isinstance(given, Silence | Pressed) and not _keys(given):
        # Who was just too late has answered. Who pressed too early, or nothing, has heard it all since then, and may
        # answer as soon as it is said again.
        closed = 0 if isinstance(given, Silence) else turn.closed
        return replace(turn, closed=closed, rules=replace(turn.rules, guard=0.0))
    knows = now.person.knows or now.question in now.heard
    if isinstance(given, Pressed) and given.early and knows and now.phase is Phase.ASKING:
        # Who does not even listen keys ahead: the same key again is the next answer.
        return replace(turn, rules=replace(turn.rules, guard=0.0, bounce=0.0))
    if isinstance(given, Pressed) and not (given.early and knows):
        pause = _open_question(questionnaire, now).times.pause
        return replace(turn, rules=replace(turn.rules, pause=pause))
    return turn


def _asked(questionnaire: Questionnaire, session: Session, given: Input, keys: str) -> Turn:
    question = _open_question(questionnaire, session)
    value = _value(question, given)
    if value is None:
        return _fail(questionnaire, session, keys)
    read_back = read_back_of(question, value)
    if not read_back:
        return _take(questionnaire, session, value)
    taken = _stored(questionnaire, session, value) if _counts_at_once(question) else Turn(session, (), None)
    fired = {*session.unsure, *(each.id for each in taken.alerts)}
    unsure = tuple(each for each in taken.session.alerts if each in fired)
    confirming = replace(taken.session, phase=Phase.CONFIRMING, pending=value, tries=0, unsure=unsure)
    turn = _wait(questionnaire, confirming, read_back)
    return replace(turn, answered=taken.answered, alerts=taken.alerts, withdrawn=taken.withdrawn)


def _counts_at_once(question: Question) -> bool:
    """Whether an answer counts before it is confirmed: what was spoken, and a sign that cannot wait.

    A number that was typed counts when it is confirmed. Who hangs up at the read-back of a severe yes meant it.
    """
    return question.kind in (Kind.VOICE_MESSAGE, Kind.CHOICE, Kind.YES_NO_UNKNOWN)


def _value(question: Question, given: Input) -> str | None:
    match given:
        case Recorded():
            return _recording(question, given)
        case Pressed(keys, doubled=doubled) if keys:
            return value_of(question, keys) or (value_of(question, doubled) if doubled else None)
        case _:
            return None


def _recording(question: Question, given: Recorded) -> str | None:
    taken = question.record and given.id and given.seconds >= SHORTEST_MESSAGE
    return given.id if taken else None


def _confirmed(questionnaire: Questionnaire, session: Session, keys: str) -> Turn:
    if keys == "1" and _counts_at_once(_open_question(questionnaire, session)):
        return _stands(questionnaire, session)
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
    return _wait(questionnaire, asking, (*question.ask, *question.legend))


def _stands(questionnaire: Questionnaire, session: Session, say: tuple[str, ...] = ()) -> Turn:
    """The answer that counted at once is not taken back: go on, and do what its alerts ask for."""
    heed = tuple(each for each in questionnaire.alerts if each.id in session.unsure)
    return replace(_go_on_after(questionnaire, session, session.pending, say), heed=heed)


def _offered(questionnaire: Questionnaire, session: Session, keys: str) -> Turn:
    frame = questionnaire.frame
    if keys == "1":
        back = replace(session, phase=Phase.CONFIRMING if session.pending else Phase.ASKING)
        return _wait(questionnaire, back, _waited_for(questionnaire, back))
    failed = session.offer_tries + 1
    if keys == "2" or failed >= OFFER_TRIES:
        ended = replace(session, pending="", status=SessionStatus.ENDED_EARLY)
        return Turn(ended, frame.call_wished_end, None)
    apology = frame.wrong_key if keys else frame.silence
    turn = _wait(questionnaire, replace(session, offer_tries=failed), (*apology, *frame.call_wished))
    return replace(turn, closed=len(apology)) if keys else turn


def _offer(questionnaire: Questionnaire, session: Session) -> Turn:
    """0 was pressed: the wish is known at once, whatever is pressed afterwards."""
    offering = replace(session, phase=Phase.OFFERING, offer_tries=0, call_wished=True)
    follow_ups = () if session.call_wished else (FollowUpReason.CALL_WISHED,)
    return replace(_wait(questionnaire, offering, questionnaire.frame.call_wished), follow_ups=follow_ups)


def _repeat(questionnaire: Questionnaire, session: Session) -> Turn:
    if session.repeats >= MOST_REPEATS:
        return _give_up(questionnaire, session)
    session = replace(session, repeats=session.repeats + 1)
    say = _waited_for(questionnaire, session)
    if session.phase is Phase.ASKING and not session.answers:
        # The opening explains the keys, and its first words are lost while the handset moves back to the ear.
        say = (*questionnaire.opening, *say)
    return _wait(questionnaire, session, say)


def _waited_for(questionnaire: Questionnaire, session: Session) -> tuple[str, ...]:
    """What the session waits for an answer to, in full: the statements before a question belong to it."""
    question = _open_question(questionnaire, session)
    match session.phase:
        case Phase.OFFERING:
            return questionnaire.frame.call_wished
        case Phase.CONFIRMING:
            return read_back_of(question, session.pending)
        case Phase.ASKING:
            return (*session.lead_in, *question.ask, *question.legend)


def _fail(questionnaire: Questionnaire, session: Session, keys: str) -> Turn:
    """A wrong key, or silence (no keys), at a question or its confirmation."""
    question = _open_question(questionnaire, session)
    if session.tries + 1 >= question.tries:
        if _counts_at_once(question) and session.pending:
            return _stands(questionnaire, session)
        return _give_up(questionnaire, session)
    failed = replace(session, tries=session.tries + 1)
    apology = questionnaire.frame.wrong_key if keys else questionnaire.frame.silence
    if failed.phase is Phase.CONFIRMING:
        return _wait(questionnaire, failed, (*apology, *read_back_of(question, failed.pending)))
    hint = question.hint if keys or question.kind in _NOT_ONE_KEY else ()
    turn = _wait(questionnaire, failed, (*apology, *hint, *question.ask, *question.legend))
    # Whoever goes on pressing while they hear that it was wrong has not heard it yet.
    return replace(turn, closed=len(apology)) if keys else turn


def _give_up(questionnaire: Questionnaire, session: Session) -> Turn:
    ended = replace(session, pending="", status=SessionStatus.GAVE_UP)
    return Turn(ended, questionnaire.frame.way_out, None, follow_ups=(FollowUpReason.COULD_NOT_ENTER,))


def _take(questionnaire: Questionnaire, session: Session, value: str) -> Turn:
    """The open question is answered: store, judge, go on."""
    taken = _stored(questionnaire, session, value)
    turn = _go_on_after(questionnaire, taken.session, value)
    return replace(turn, answered=taken.answered, alerts=taken.alerts, withdrawn=taken.withdrawn, heed=taken.alerts)


def _stored(questionnaire: Questionnaire, session: Session, value: str) -> Turn:
    """The session with the answer, and what it brings; nothing is said yet."""
    question = _open_question(questionnaire, session)
    answer = Answer(question.id, value)
    answers = (*(each for each in session.answers if each.question != answer.question), answer)
    # What this answer had fired before, and does not fire now, was pressed by mistake.
    held = [rule.id for rule in newly_fired(questionnaire.alerts, known(answers, session.person), ())]
    withdrawn = tuple(each for each in session.unsure if each not in held)
    standing = tuple(each for each in session.alerts if each not in withdrawn)
    alerts = newly_fired(questionnaire.alerts, known(answers, session.person), standing)
    taken = replace(
        session,
        answers=answers,
        alerts=(*standing, *(rule.id for rule in alerts)),
        unsure=(),
        language=value if question.kind is Kind.LANGUAGE else session.language,
    )
    return Turn(taken, (), None, answered=(answer,), alerts=alerts, withdrawn=withdrawn)


def _go_on_after(questionnaire: Questionnaire, session: Session, value: str, say: tuple[str, ...] = ()) -> Turn:
    """Go on to where the answer `value` of the open question leads."""
    position = position_after(questionnaire, _open_question(questionnaire, session), value)
    return _go_on(questionnaire, session, position, say)


def _go_on(questionnaire: Questionnaire, session: Session, position: int, say: tuple[str, ...] = ()) -> Turn:
    """Say statements from `position` on, up to the next question, or to the end."""
    clear = replace(
        session,
        phase=Phase.ASKING,
        pending="",
        unsure=(),
        tries=0,
        corrections=0,
        offer_tries=0,
        lead_in=(),
        repeats=0,
    )
    way = way_from(questionnaire, position, known(session.answers, session.person))
    if way.endless:
        return _give_up(questionnaire, clear)
    if way.question is None:
        ended = replace(clear, status=SessionStatus.COMPLETED)
        return Turn(ended, (*say, *way.said, *_next_call(questionnaire, session), *questionnaire.closing), None)
    asking = replace(clear, question=way.question.id, lead_in=way.said)
    return _wait(questionnaire, asking, (*say, *way.said, *way.question.ask, *_legend(questionnaire, asking)))


def _legend(questionnaire: Questionnaire, session: Session) -> tuple[str, ...]:
    """Which keys there are, as long as it is new."""
    question = _open_question(questionnaire, session)
    answered = {each.question for each in session.answers}
    before = [each for each in questionnaire.questions if each.legend == question.legend and each.id in answered]
    return question.legend if len(before) < questionnaire.legends else ()


def _next_call(questionnaire: Questionnaire, session: Session) -> tuple[str, ...]:
    call = session.person.next_call
    if call is None:
        return questionnaire.next_call_unknown
    return say_next_call(questionnaire.next_call, call)


def _wait(questionnaire: Questionnaire, session: Session, say: tuple[str, ...]) -> Turn:
    """The turn that says this and waits for what the session waits for."""
    question = _open_question(questionnaire, session)
    record = question.record if session.phase is Phase.ASKING else None
    return Turn(session, say, _rules(question, session.phase), closed=_closed(question, session, say), record=record)


def _closed(question: Question, session: Session, say: tuple[str, ...]) -> int:
    """A value is confirmed by who has heard it: how many prompts that takes, of what is said."""
    if session.phase is not Phase.CONFIRMING:
        return 0
    read_back = read_back_of(question, session.pending)
    # The last one says which keys there are.
    return len(say) - len(read_back) + max(1, len(read_back) - 1)


def _rules(question: Question, phase: Phase) -> KeyRules:
    times = question.times
    lengths = {Kind.NUMBER: question.number.max_digits if question.number else 1, Kind.MULTI: _MULTI_KEYS}
    entry = phase is Phase.ASKING and question.kind in lengths
    return KeyRules(
        length=lengths[question.kind] if entry else 1,
        first_key=times.first_key,
        inter_key=times.inter_key,
        total=times.total,
        guard=times.guard,
        bounce=times.bounce,
        point=entry and question.number is not None and question.number.decimals > 0,
        leading=_leading(question) if entry else frozenset(),
        # No value has a 0 here, as a number may: it need not wait for the end of the entry.
        at_once=frozenset("*0") if entry and question.kind is Kind.MULTI else frozenset("*"),
        end=frozenset("#") if entry else frozenset(),
        # Many people add # to everything: as a first key it is the rest of the entry before.
        ignored=frozenset("#"),
    )


def _leading(question: Question) -> frozenset[str]:
    """A zero before a number that begins with none is written, not meant: 0365."""
    begins = question.number is None or begins_a_number(question.number, "0")
    return frozenset() if begins else frozenset("0")


def _counted(questionnaire: Questionnaire, session: Session) -> Session | None:
    """The session with one turn more; None if it had all it may have."""
    if session.questionnaire != questionnaire.hash:
        raise ValueError("the session belongs to another version of the questionnaire")
    if session.status is not SessionStatus.WAITING:
        raise ValueError(f"the session is over: {session.status}")
    return replace(session, turns=session.turns + 1) if session.turns < MAX_TURNS else None


def _open_question(questionnaire: Questionnaire, session: Session) -> Question:
    return questionnaire.questions[position_of(questionnaire, session.question)]
