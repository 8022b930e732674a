"""Every prompt that a questionnaire can say, and where it is written. Pure."""

from collections.abc import Iterator

from ivr.questionnaire.model import Kind, Question, Questionnaire
from ivr.questionnaire.values import typed_bounds

#: A place in the file: keys and list indexes from the root.
Place = tuple[str | int, ...]

#: Each value of a range needs a recording of its own. More than this is a mistake in the file.
MOST_SPOKEN_VALUES = 2000


def prompt_ids(questionnaire: Questionnaire) -> frozenset[str]:
    """Ids of all prompts that any walk can say, every value of every range among them."""
    return frozenset(prompt for _, prompt in said(questionnaire))


def said(questionnaire: Questionnaire) -> Iterator[tuple[Place, str]]:
    """Each prompt id with its place in the file, as often as it is written."""
    yield from _listed(("opening",), questionnaire.opening)
    for index, question in enumerate(questionnaire.questions):
        yield from _of_question(("questions", index), question)
    yield from _listed(("closing",), questionnaire.closing)
    frame = questionnaire.frame
    for name in ("wrong_key", "silence", "way_out", "call_wished", "call_wished_end", "resume"):
        yield from _listed(("frame", name), getattr(frame, name))


def too_many_values(question: Question) -> bool:
    """Whether reading back this number would need more recordings than anybody makes."""
    if question.number is None or not any("{keys}" in each for each in question.read_back):
        return False
    valid = typed_bounds(question.number)
    return valid.stop - valid.start > MOST_SPOKEN_VALUES


def _of_question(place: Place, question: Question) -> Iterator[tuple[Place, str]]:
    yield from _listed((*place, "say" if question.kind is Kind.SAY else "ask"), question.ask)
    yield from _listed((*place, "hint"), question.hint)
    values = range(0)
    if question.number and not too_many_values(question):
        values = typed_bounds(question.number)
    for at, prompt in _listed((*place, "read_back"), question.read_back):
        if "{keys}" in prompt:
            yield from ((at, prompt.replace("{keys}", str(value))) for value in values)
        else:
            yield at, prompt
    for value, prompts in question.read_back_options.items():
        yield from _listed((*place, "read_back_keys", value), prompts)


def _listed(place: Place, prompts: tuple[str, ...]) -> Iterator[tuple[Place, str]]:
    for index, prompt in enumerate(prompts):
        yield (*place, index), prompt
