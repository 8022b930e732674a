"""Which question comes next: jumps, conditions and the statements on the way. Pure."""

from dataclasses import dataclass

from ivr.questionnaire.conditions import Known, meets
from ivr.questionnaire.model import END, OTHERWISE, Kind, Question, Questionnaire
from ivr.questionnaire.values import filled, spoken_parts, values_in


@dataclass(frozen=True)
class Way:
    """From one place of a questionnaire to where it stops next."""

    question: Question | None  #: None: the end
    said: tuple[str, ...]  #: prompt ids of the statements on the way
    endless: bool = False  #: it would go round and round without a question: checks refuse such a questionnaire


def way_from(questionnaire: Questionnaire, position: int, given: Known) -> Way:
    """Pass over what is not asked now and say the statements, from `position` on, up to a question or the end."""
    said: tuple[str, ...] = ()
    # Nothing is answered on the way, so whoever comes to a place twice would come there for ever.
    for _ in questionnaire.questions:
        if position >= len(questionnaire.questions):
            break
        question = questionnaire.questions[position]
        if not meets(question.when, given):
            position += 1
        elif question.kind is not Kind.SAY:
            return Way(question, said)
        else:
            said += _statement(questionnaire, question, given)
            position = position_after(questionnaire, question, "")
    return Way(None, said, endless=position < len(questionnaire.questions))


def position_after(questionnaire: Questionnaire, question: Question, value: str) -> int:
    """Where the answer `value` leads; the number of questions if that is the end.

    Of the values of a multi the first that leads anywhere counts.
    """
    leads = (question.then[each] for each in (*values_in(value), OTHERWISE) if each in question.then)
    target = next(leads, None)
    if target is None:
        return position_of(questionnaire, question.id) + 1
    return len(questionnaire.questions) if target == END else position_of(questionnaire, target)


def position_of(questionnaire: Questionnaire, question: str) -> int:
    """Index of the question with this id. Raises ValueError if there is none."""
    for position, each in enumerate(questionnaire.questions):
        if each.id == question:
            return position
    raise ValueError(f"the questionnaire has no question {question}")


def _statement(questionnaire: Questionnaire, statement: Question, given: Known) -> tuple[str, ...]:
    spoken = {
        each.id: spoken_parts(each, given.values[each.id])
        for each in questionnaire.questions
        if each.id in given.values
    }
    return filled(statement.ask, spoken)
