"""Every prompt that a questionnaire can say, and where it is written. Pure."""

from collections.abc import Iterable, Iterator

from ivr.questionnaire.model import Kind, Question, Questionnaire
from ivr.questionnaire.next_call import DAY, TIME, every_next_call, spoken_for
from ivr.questionnaire.values import blanks_of, filled, typed_bounds

#: A place in the file: keys and list indexes from the root.
Place = tuple[str | int, ...]

#: Each value of a range needs a recording of its own. More than this is a mistake in the file.
MOST_SPOKEN_VALUES = 2000


def prompt_ids(questionnaire: Questionnaire, next_times: Iterable[str] = ()) -> frozenset[str]:
    """Ids of all prompts that any walk can say, every value of every range among them."""
    return frozenset(prompt for _, prompt in said(questionnaire, next_times))


def said(questionnaire: Questionnaire, next_times: Iterable[str] = ()) -> Iterator[tuple[Place, str]]:
    """Each prompt id with its place in the file, as often as it is written.

    `next_times`: the times of day at which the next call may come, as parts of prompt ids (`0900`).
    """
    yield from _listed(("opening",), questionnaire.opening)
    for index, question in enumerate(questionnaire.questions):
        of_kind = _of_statement(questionnaire, question) if question.kind is Kind.SAY else _of_question(question)
        yield from ((("questions", index, *at), prompt) for at, prompt in of_kind)
    yield from _next_call(questionnaire.next_call, next_times)
    yield from _listed(("next_call_unknown",), questionnaire.next_call_unknown)
    yield from _listed(("closing",), questionnaire.closing)
    frame = questionnaire.frame
    for name in ("wrong_key", "silence", "way_out", "call_wished", "call_wished_end", "resume"):
        yield from _listed(("frame", name), getattr(frame, name))


def too_many_values(question: Question) -> bool:
    """Whether reading back this number would need more recordings than anybody makes."""
    return any("{keys}" in each for each in question.read_back) and not can_be_spoken(question)


def can_be_spoken(question: Question) -> bool:
    """Whether every value of the question can have a recording of its own."""
    if question.number is None:
        return True
    valid = typed_bounds(question.number)
    return valid.stop - valid.start <= MOST_SPOKEN_VALUES


def spoken_values(question: Question) -> list[str]:
    """Every part of a prompt id that an answer to this question can become; none if there are too many."""
    if question.number is not None:
        return [str(each) for each in typed_bounds(question.number)] if can_be_spoken(question) else []
    return list(dict.fromkeys(question.options.values()))


def _of_question(question: Question) -> Iterator[tuple[Place, str]]:
    yield from _listed(("ask",), question.ask)
    yield from _listed(("legend",), question.legend)
    yield from _listed(("hint",), question.hint)
    for at, prompt in _listed(("read_back",), question.read_back):
        blank = "{keys}" if question.number else "{value}"
        values = spoken_values(question) if blank in prompt else [""]
        yield from ((at, prompt.replace(blank, value)) for value in values)
    for value, prompts in question.read_back_options.items():
        yield from _listed(("read_back_keys", value), prompts)


def _of_statement(questionnaire: Questionnaire, statement: Question) -> Iterator[tuple[Place, str]]:
    values = {each.id: spoken_values(each) for each in questionnaire.questions}
    for at, prompt in _listed(("say",), statement.ask):
        # Every pair of two answers would be a recording of its own: checks refuse it.
        if len(set(blanks_of(prompt))) <= 1:
            yield from ((at, each) for each in filled([prompt], values))


def _next_call(prompts: tuple[str, ...], times: Iterable[str]) -> Iterator[tuple[Place, str]]:
    calls = every_next_call(times)
    for index, prompt in enumerate(prompts):
        end = index == len(prompts) - 1
        spoken = (each for call in calls for each in spoken_for(prompt, call, end=end))
        yield from (
            (("next_call", index), each) for each in dict.fromkeys(spoken if prompt in (DAY, TIME) else [prompt])
        )


def _listed(place: Place, prompts: tuple[str, ...]) -> Iterator[tuple[Place, str]]:
    for index, prompt in enumerate(prompts):
        yield (*place, index), prompt
