"""Which questions a walk can come to, from where, and where it would never end. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ivr.questionnaire.complaints import Complaint
from ivr.questionnaire.model import END, OTHERWISE, Kind, Question, Questionnaire


@dataclass(frozen=True)
class Reach:
    """Positions that follow each other; the number of questions stands for the end."""

    #: Of each question: value -> where it leads; "" is every other answer, and the only one of a statement.
    leads: tuple[Mapping[str, int], ...]
    after: tuple[frozenset[int], ...]  #: of each question: all that can come after it, itself only in a loop
    come_to: frozenset[int]  #: all that a walk can come to

    def precedes(self, before: int, after: int, value: str | None = None) -> bool:
        """Whether `after` can come when `before` was answered, with `value` if it is given."""
        if value is None:
            return after in self.after[before]
        first = self.leads[before].get(value, self.leads[before][""])
        return first == after or (first < len(self.after) and after in self.after[first])


def reach_of(questionnaire: Questionnaire) -> Reach:
    """How the questions follow each other, whatever is answered. A jump to nowhere counts as none."""
    positions: dict[str, int] = {END: len(questionnaire.questions)}
    for position, question in enumerate(questionnaire.questions):
        positions.setdefault(question.id, position)
    leads = tuple(_leads(question, at, positions) for at, question in enumerate(questionnaire.questions))
    edges = [
        _answers(question, ways) | ({at + 1} if _is_conditional(question) else set())
        for at, (question, ways) in enumerate(zip(questionnaire.questions, leads, strict=True))
    ]
    after = tuple(_closure(edges, at) for at in range(len(edges)))
    return Reach(leads, after, frozenset({0}) | after[0])


def _leads(question: Question, at: int, positions: Mapping[str, int]) -> dict[str, int]:
    other = positions.get(question.then.get(OTHERWISE, ""), at + 1)
    values = dict.fromkeys(question.options.values(), other)
    named = {value: positions.get(question.then[value], at + 1) for value in values if value in question.then}
    return {**values, **named, "": other}


def _answers(question: Question, ways: Mapping[str, int]) -> set[int]:
    """Where answers can lead. If there are only the values named, no other answer leads anywhere."""
    named = question.options.values() if question.number is None else ()
    return {ways[value] for value in named} or set(ways.values())


def _is_conditional(question: Question) -> bool:
    return bool(question.when.any_of or question.when.all_of)


def _closure(edges: list[set[int]], start: int) -> frozenset[int]:
    found: set[int] = set()
    open_ends = list(edges[start])
    while open_ends:
        at = open_ends.pop()
        if at not in found:
            found.add(at)
            open_ends += edges[at] if at < len(edges) else ()
    return frozenset(found)


def check_paths(questionnaire: Questionnaire, reach: Reach) -> Iterator[Complaint]:
    """Questions that no walk comes to, and paths that never come to the end."""
    questions = questionnaire.questions
    for at, question in enumerate(questions):
        if at not in reach.come_to:
            yield "questionnaire.unreachable", ("questions", at, "id"), {"id": question.id}
    stuck = {at for at in reach.come_to if at < len(questions) and len(questions) not in reach.after[at]}
    for loop in _loops(stuck, reach.after):
        yield _complain("questionnaire.endless", questionnaire, loop)
    passed = [
        (set(reach.leads[at].values()) if question.kind is Kind.SAY else set())
        | ({at + 1} if _is_conditional(question) else set())
        for at, question in enumerate(questions)
    ]
    silent = tuple(_closure(passed, at) for at in range(len(questions)))
    for loop in _loops((at for at in reach.come_to - stuck if at < len(questions)), silent):
        yield _complain("questionnaire.loop_without_question", questionnaire, loop)


def _loops(among: Iterable[int], after: tuple[frozenset[int], ...]) -> list[list[int]]:
    """The loops: positions that come after each other and after themselves, each loop in the order of the file."""
    left = sorted(at for at in among if at in after[at])
    loops: list[list[int]] = []
    while left:
        loop = [at for at in left if at in after[left[0]] and left[0] in after[at]]
        loops.append(loop)
        left = [at for at in left if at not in loop]
    return loops


def _complain(message: str, questionnaire: Questionnaire, loop: list[int]) -> Complaint:
    """At the jump that closes the loop: the last one of it."""
    at = next((each for each in reversed(loop) if questionnaire.questions[each].then), loop[-1])
    ids = " → ".join(questionnaire.questions[each].id for each in loop)
    return message, ("questions", at, "then"), {"ids": ids}
