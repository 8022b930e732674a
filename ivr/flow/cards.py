"""What stands on the cards of a drawing: prompts, keys, times, conditions and alerts of each question. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ivr.flow.style import (
    CONDITION,
    FRAME,
    JUMP,
    LEVELS,
    PAPER,
    QUESTION,
    QUIET,
    SMALL,
    STATEMENT,
    TEXT,
    card,
    cells,
    fits,
    key,
    lines,
    row,
    word,
)
from ivr.messages import text
from ivr.questionnaire.model import END, OTHERWISE, AlertRule, Kind, Question, Questionnaire
from ivr.questionnaire.values import blanks_of, keys_of
from ivr.questionnaire.words import called, catalogued, conditions_in_words, example_of, holds_in_words

OPENING, CLOSING = "opening", "closing"
_QUESTION = "q_"


@dataclass(frozen=True)
class Exit:
    """An answer that leads elsewhere than to the card below."""

    target: str  #: id of a card
    answer: str  #: its word; empty: whatever is answered


@dataclass(frozen=True)
class Card:
    """One box of the drawing."""

    id: str
    label: str  #: in Graphviz's HTML
    exits: tuple[Exit, ...] = ()
    goes_on: bool = True  #: some answer leads to the card below
    is_step: bool = True  #: part of the walk, not of the explanations beside it


@dataclass(frozen=True)
class _Sheet:
    """What every card needs to know."""

    questionnaire: Questionnaire
    texts: Mapping[str, str]
    language: str
    numbers: Mapping[str, int] = field(default_factory=dict)  #: of the questions, from 1

    def say(self, message: str, **values: object) -> str:
        return text(message, catalogued(self.language), **values)

    def prompt(self, prompt: str) -> str:
        """What it says; what depends on an answer or the next call stands in brackets."""
        language, _, plain = prompt.rpartition(":")
        said = self.texts.get(plain if language == self.questionnaire.language else prompt)
        if said is not None:
            return said
        names = {each: self.say(f"flow.{each}") for each in ("next_day", "next_time")}
        blanks = [names.get(each) or self.name(each) for each in blanks_of(prompt)]
        return "".join(f"［{each}］" for each in blanks) or prompt

    def name(self, name: str) -> str:
        return called(self.questionnaire, name, self.language)


def cards_of(questionnaire: Questionnaire, texts: Mapping[str, str], language: str) -> list[Card]:
    """All cards, in the order in which they stand on the page. `texts`: prompt id -> what it says."""
    asked = [each.id for each in questionnaire.questions if each.kind is not Kind.SAY]
    sheet = _Sheet(questionnaire, texts, language, {each: at for at, each in enumerate(asked, 1)})
    opening = (
        [Card(OPENING, _frame_card(sheet, "flow.opening", questionnaire.opening))] if questionnaire.opening else []
    )
    next_call = (*questionnaire.next_call, *questionnaire.closing)
    closing = Card(CLOSING, _frame_card(sheet, "flow.closing", next_call), goes_on=False)
    beside = [Card("keys", _keys_card(sheet), is_step=False)]
    if questionnaire.alerts:
        beside.append(Card("alerts", _alerts_card(sheet), is_step=False))
    return [*opening, *(_question_card(sheet, each) for each in questionnaire.questions), closing, *beside]


def card_id(question: str) -> str:
    """The card of a question: a name that is not one of ours, nor a word of Graphviz's language."""
    return CLOSING if question == END else _QUESTION + question


def _frame_card(sheet: _Sheet, title: str, prompts: tuple[str, ...]) -> str:
    head = row(lines(sheet.say(title), TEXT, PAPER, bold=True), FRAME)
    return card([head, *(row(lines(said)) for said in _said(sheet, prompts))])


def _said(sheet: _Sheet, prompts: tuple[str, ...]) -> list[str]:
    return [sheet.prompt(each) for each in prompts]


def _question_card(sheet: _Sheet, question: Question) -> Card:
    statement = question.kind is Kind.SAY
    rows = [row(_head(sheet, question), STATEMENT if statement else QUESTION)]
    if question.when.any_of or question.when.all_of:
        only = sheet.say(
            "flow.only_if", conditions=conditions_in_words(sheet.questionnaire, question.when, sheet.language)
        )
        rows.append(row(lines(f"◇ {only}", SMALL + 1), CONDITION))
    for prompt in (*question.ask, *question.legend):
        # Words that many questions share step back behind the question itself.
        shared = prompt.startswith("frame/")
        rows.append(row(lines(sheet.prompt(prompt), SMALL if shared else TEXT, QUIET if shared else "")))
    if not statement:
        rows += [row(each) for each in _entries(sheet, question)]
        rows += _alert_rows(sheet, question)
    exits = tuple(_exits(sheet, question))
    rows += [row(lines(_leads(sheet, each), SMALL + 1, JUMP, bold=True)) for each in exits]
    return Card(card_id(question.id), card(rows), exits, goes_on=_goes_on(question))


def _head(sheet: _Sheet, question: Question) -> str:
    if question.kind is Kind.SAY:
        return lines(sheet.say("flow.statement"), TEXT, PAPER, bold=True)
    number = sheet.numbers[question.id]
    times = sheet.say("flow.times", first_key=f"{question.times.first_key:g}", tries=question.tries)
    return lines(f"{number}　{sheet.name(question.id)}", TEXT + 1, PAPER, bold=True) + lines(times, SMALL, "#d7e3f1")


def _entries(sheet: _Sheet, question: Question) -> Iterator[str]:
    """How an answer is entered: the keys and what they mean."""
    if question.number is not None:
        rule = question.number
        digits = f"{rule.min_digits}～{rule.max_digits}" if rule.min_digits < rule.max_digits else f"{rule.max_digits}"
        yield lines(sheet.say("flow.number", digits=digits, low=rule.low, high=rule.high))
        example = example_of(rule)
        typed = [*keys_of(example), *("#" if len(keys_of(example)) < rule.max_digits else "")]
        yield cells(word(sheet.say("flow.example", value=example)), *(key(each) for each in typed))
    elif question.record is not None:
        yield lines(sheet.say("flow.record", seconds=f"{question.record.max_seconds:g}"))
    yield from _options(sheet, question)
    if question.kind is Kind.MULTI:
        yield cells(key("#"), word(sheet.say("flow.multi")))
    if question.read_back:
        yield lines(sheet.say("flow.read_back"), SMALL, QUIET)


def _options(sheet: _Sheet, question: Question) -> Iterator[str]:
    end = ("#",) if question.number is not None else ()
    options = [((*keys, *end), sheet.name(value)) for keys, value in question.options.items()]
    each_of = [(*(key(each) for each in keys), word(meaning)) for keys, meaning in options]
    side_by_side = [part for parts in each_of for part in parts]
    if options and question.number is None and fits(side_by_side):
        yield cells(*side_by_side)
    else:
        yield from (cells(*parts) for parts in each_of)


def _alert_rows(sheet: _Sheet, question: Question) -> Iterator[str]:
    for rule in sheet.questionnaire.alerts:
        found = [
            each for each in (*rule.when.any_of, *rule.when.all_of) if each.question == question.id and not each.fact
        ]
        if found:
            shown = [holds_in_words(sheet.questionnaire, each, sheet.language) for each in found]
            others = len(rule.when.all_of) + len(rule.when.any_of) > len(found)
            alone = not others or (rule.when.how_many == 1 and not rule.when.all_of)
            # The conditions of one question that must all hold read as one: 94 以上 96 未満.
            joined = (" " if rule.when.all_of else " / ").join(shown)
            ink, background = LEVELS[rule.level]
            said = sheet.say("flow.alert", level=sheet.say(f"level.{rule.level}"), answer=joined)
            said += "" if alone else sheet.say("flow.with_others")
            yield row(lines(said, SMALL + 1, ink, bold=True), background)


def _exits(sheet: _Sheet, question: Question) -> Iterator[Exit]:
    for value, target in question.then.items():
        if value == OTHERWISE:
            named = len(question.then) > 1
            answer = sheet.say("flow.otherwise") if named else ""
        else:
            answer = sheet.name(value)
        yield Exit(card_id(target), answer)


def _leads(sheet: _Sheet, leaving: Exit) -> str:
    """Such as わるい ➜ 5 症状."""
    question = leaving.target.removeprefix(_QUESTION)
    if leaving.target == CLOSING:
        there = sheet.say("flow.closing")
    elif question in sheet.numbers:
        there = f"{sheet.numbers[question]}　{sheet.name(question)}"
    else:
        there = f"{sheet.say('flow.statement')} {sheet.name(question)}"
    return f"{leaving.answer} ➜ {there}".lstrip()


def _goes_on(question: Question) -> bool:
    """Whether some answer, or the question being passed over, leads to the next one below."""
    if question.when.any_of or question.when.all_of:
        return True
    values = set(question.options.values())
    closed = question.number is None and question.record is None and bool(values)
    return OTHERWISE not in question.then and not (closed and values <= question.then.keys())


def _keys_card(sheet: _Sheet) -> str:
    rows = [row(lines(sheet.say("flow.always"), TEXT, PAPER, bold=True), STATEMENT)]
    for name, message in (("*", "flow.repeat"), ("0", "flow.call_me"), ("#", "flow.end_key")):
        rows.append(row(cells(key(name), word(sheet.say(message)))))
    rows.append(row(lines(sheet.say("flow.give_up"), SMALL + 1)))
    if any(each.then for each in sheet.questionnaire.questions):
        rows.append(row(lines(sheet.say("flow.jump"), SMALL + 1, JUMP)))
    return card(rows)


def _alerts_card(sheet: _Sheet) -> str:
    rows = [row(lines(sheet.say("flow.alerts"), TEXT, PAPER, bold=True), STATEMENT)]
    return card([*rows, *(_alert_row(sheet, each) for each in sheet.questionnaire.alerts)])


def _alert_row(sheet: _Sheet, rule: AlertRule) -> str:
    ink, background = LEVELS[rule.level]
    shown = catalogued(sheet.language)
    reason = rule.reason.get(shown) or next(iter(rule.reason.values()))
    conditions = conditions_in_words(sheet.questionnaire, rule.when, sheet.language)
    head = lines(f"{sheet.say(f'level.{rule.level}')}　{reason}", TEXT, ink, bold=True)
    return row(head + lines(conditions, SMALL), background)
