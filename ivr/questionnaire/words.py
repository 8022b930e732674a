"""What paper and lists call questions, answers and conditions, where the prompts are too long. Pure."""

from collections.abc import Iterator
from decimal import Decimal

from ivr.document import did_you_mean
from ivr.messages import LANGUAGES, text
from ivr.questionnaire.complaints import Complaint
from ivr.questionnaire.model import Condition, NumberRule, Questionnaire, When
from ivr.questionnaire.values import canonical, typed_bounds

#: Answers that every questionnaire may have without naming them.
COMMON = ("yes", "no", "unknown")


def called(questionnaire: Questionnaire, name: str, language: str) -> str:
    """The word of a question, value or fact in `language`; the id itself if it has none."""
    words = questionnaire.words.get(name, {})
    if language in words:
        return words[language]
    return text(f"words.{name}", catalogued(language)) if name in COMMON else name


def catalogued(language: str) -> str:
    """The language itself if the catalogue has it, else English."""
    return language if language in LANGUAGES else "en"


def conditions_in_words(questionnaire: Questionnaire, when: When, language: str) -> str:
    """All conditions of a rule as one phrase: `all` joined by ＋, `any` by ／."""
    shown = catalogued(language)
    each_of = [condition_in_words(questionnaire, each, language) for each in when.all_of]
    some_of = " / ".join(condition_in_words(questionnaire, each, language) for each in when.any_of)
    if when.how_many > 1:
        some_of = text("words.how_many", shown, count=when.how_many, conditions=some_of)
    elif some_of and each_of and len(when.any_of) > 1:
        some_of = f"({some_of})"
    return text("words.and", shown).join(each for each in (*each_of, some_of) if each)


def condition_in_words(questionnaire: Questionnaire, condition: Condition, language: str) -> str:
    """Such as 息苦しい: はい."""
    subject = called(questionnaire, condition.fact or condition.question, language)
    return f"{subject}: {holds_in_words(questionnaire, condition, language)}"


def holds_in_words(questionnaire: Questionnaire, condition: Condition, language: str) -> str:
    """What the answer must be, without naming the question: はい, 94 以上 96 未満, 前回より 2 以上低い."""
    shown = catalogued(language)
    bounds: dict[str, Decimal | None] = {
        "words.at_least": condition.at_least,
        "words.below": condition.below,
        "words.falls_by": condition.falls_by,
        "words.rises_by": condition.rises_by,
    }
    said = ["・".join(called(questionnaire, each, language) for each in condition.values)]
    said += [text(message, shown, bound=bound) for message, bound in bounds.items() if bound is not None]
    if condition.answered is not None:
        said.append(text("words.answered" if condition.answered else "words.not_answered", shown))
    return " ".join(each for each in said if each)


def example_of(rule: NumberRule) -> str:
    """A number as somebody would say it: the example of the questionnaire, else one from the middle of the range."""
    if rule.example is not None:
        return canonical(rule, rule.example)
    valid = typed_bounds(rule)
    return canonical(rule, Decimal(valid[len(valid) // 2]).scaleb(-rule.decimals))


def unknown_words(questionnaire: Questionnaire) -> Iterator[Complaint]:
    """Words of nothing: a slip of the pen."""
    known = [
        *(each.id for each in questionnaire.questions),
        *(value for each in questionnaire.questions for value in each.options.values()),
        *questionnaire.facts,
        *(value for values in questionnaire.facts.values() for value in values),
    ]
    for word in questionnaire.words:
        if word not in known:
            values: dict[str, object] = {"id": word, "nearest": did_you_mean(word, known)}
            yield "questionnaire.unknown_word", ("words", word), values


def unreal_examples(questionnaire: Questionnaire) -> Iterator[Complaint]:
    """Examples that nobody could type."""
    for index, question in enumerate(questionnaire.questions):
        rule = question.number
        if rule is None or rule.example is None:
            continue
        typed = rule.example.scaleb(rule.decimals)
        if not rule.low <= rule.example <= rule.high or typed != typed.to_integral_value():
            values: dict[str, object] = {"example": rule.example, "low": rule.low, "high": rule.high}
            yield (
                "questionnaire.example_not_typed",
                ("questions", index, "example"),
                values | {"decimals": rule.decimals},
            )
