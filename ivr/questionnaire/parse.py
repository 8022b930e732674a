"""From YAML to a questionnaire. Whether it makes sense is for checks. Pure: the caller reads the file."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel

from ivr.document import Document, did_you_mean, parse_document, validate
from ivr.errors import BadInput, Problem, problem
from ivr.questionnaire.forms import (
    QUESTION_FORMS,
    AlertForm,
    ChoiceForm,
    ConditionForm,
    LanguageForm,
    MultiForm,
    NumberForm,
    QuestionForm,
    QuestionnaireForm,
    SayForm,
    TimesForm,
    VoiceMessageForm,
    WhenForm,
    YesNoUnknownForm,
)
from ivr.questionnaire.model import (
    AlertRule,
    Condition,
    Frame,
    Kind,
    NumberRule,
    Question,
    Questionnaire,
    RecordRules,
    Times,
    When,
)

#: Seconds. Old hands are slow.
DEFAULT_TIMES = Times(first_key=30.0, inter_key=15.0, total=90.0)

YES_NO_UNKNOWN: Mapping[str, str] = {"1": "yes", "2": "no", "3": "unknown"}

_FormT = TypeVar("_FormT", bound=BaseModel)


def parse(source: bytes, file: str) -> Questionnaire:
    """Read a questionnaire; `file` is only for messages. Raises BadInput with every problem, each at its line."""
    try:
        document = parse_document(source.decode("utf-8"), file)
    except UnicodeDecodeError:
        raise BadInput(problem("file.not_utf8", file)) from None
    problems: list[Problem] = []
    form = _validated(document, QuestionnaireForm, problems)
    questions = _question_forms(document, problems)
    if form is None or problems:
        raise BadInput(*sorted(problems, key=lambda each: each.line or 0))
    times = _times(form.times, DEFAULT_TIMES)
    return Questionnaire(
        id=form.id,
        hash=hashlib.sha256(source).hexdigest(),
        title=dict(form.title),
        language=form.language,
        opening=tuple(form.opening),
        questions=tuple(_question(each, times, form.tries) for each in questions),
        closing=tuple(form.closing),
        alerts=tuple(_alert(each) for each in form.alerts),
        languages=tuple(form.languages) or (form.language,),
        facts={fact: tuple(values) for fact, values in form.facts.items()},
        next_call=tuple(form.next_call),
        next_call_unknown=tuple(form.next_call_unknown),
        words={each: dict(said) for each, said in form.words.items()},
        legends=form.legends,
        frame=Frame(**{name: tuple(prompts) for name, prompts in form.frame}),
        file=file,
        lines=document.lines,
    )


def _question_forms(document: Document, problems: list[Problem]) -> list[QuestionForm]:
    """The questions, each by the form of its kind, so that a problem names only what that kind may have."""
    given = document.data.get("questions") if isinstance(document.data, dict) else None
    found: list[QuestionForm] = []
    for index, data in enumerate(given if isinstance(given, list) else ()):
        part = _part(document, ("questions", index), data)
        kind = data.get("kind") if isinstance(data, dict) else None
        if not isinstance(data, dict):
            problems.append(part.problem("yaml.not_mapping"))
        elif kind is None:
            problems.append(part.problem("yaml.missing_key", path="kind"))
        elif kind not in list(QUESTION_FORMS):
            allowed = [str(each) for each in Kind]
            nearest = did_you_mean(str(kind), allowed)
            problems.append(
                part.problem(
                    "questionnaire.unknown_kind", ("kind",), given=kind, nearest=nearest, allowed=", ".join(allowed)
                )
            )
        else:
            form = _validated(part, QUESTION_FORMS[kind], problems)
            found += [form] if form else []
    return found


def _part(document: Document, place: tuple[str | int, ...], data: Any) -> Document:
    """One place of a document as a document of its own."""
    depth = len(place)
    lines = {each[depth:]: line for each, line in document.lines.items() if each[:depth] == place}
    return Document(document.file, data, lines)


def _validated(document: Document, form: type[_FormT], problems: list[Problem]) -> _FormT | None:
    try:
        return validate(document, form)
    except BadInput as bad:
        problems.extend(bad.problems)
        return None


def _question(form: QuestionForm, times: Times, tries: int) -> Question:
    if isinstance(form, SayForm):
        said = tuple(form.say)
        return Question(form.id, form.kind, said, (), times, tries, {}, when=_when(form.say_if), then=form.then)
    question = Question(
        id=form.id,
        kind=form.kind,
        ask=tuple(form.ask),
        legend=tuple(form.legend),
        hint=tuple(form.hint),
        times=_times(form.times, times),
        tries=form.tries or tries,
        options={},
        when=_when(form.ask_if),
        then=form.then,
    )
    if isinstance(form, NumberForm | YesNoUnknownForm | ChoiceForm):
        read_back_options = {value: tuple(prompts) for value, prompts in form.read_back_keys.items()}
        question = replace(question, read_back_options=read_back_options)
    match form:
        case YesNoUnknownForm():
            return replace(question, options=YES_NO_UNKNOWN)
        case NumberForm():
            return replace(
                question,
                options=form.keys,
                number=_number(form),
                read_back=tuple(form.read_back),
            )
        case MultiForm():
            return replace(question, options=form.keys, read_back=tuple(form.read_back), alone=frozenset(form.alone))
        case VoiceMessageForm():
            record = RecordRules(form.max_seconds, form.silence_seconds)
            return replace(question, record=record, read_back=tuple(form.read_back))
        case ChoiceForm() | LanguageForm():
            return replace(question, options=form.keys)


def _number(form: NumberForm) -> NumberRule:
    low, high = form.range
    return NumberRule(form.digits[0], form.digits[-1], form.decimals, low, high, form.example)


def _times(form: TimesForm, default: Times) -> Times:
    return Times(
        first_key=form.first_key or default.first_key,
        inter_key=form.inter_key or default.inter_key,
        total=form.total or default.total,
        guard=default.guard if form.guard is None else form.guard,
        bounce=default.bounce if form.bounce is None else form.bounce,
        pause=default.pause if form.pause is None else form.pause,
    )


def _alert(form: AlertForm) -> AlertRule:
    return AlertRule(form.id, form.level, dict(form.reason), _when(form))


def _when(form: WhenForm) -> When:
    return When(
        tuple(_condition(each) for each in form.any), tuple(_condition(each) for each in form.all), form.how_many
    )


def _condition(form: ConditionForm) -> Condition:
    given = form.model_dump()
    return Condition(
        **{**given, "question": form.question or "", "fact": form.fact or "", "values": tuple(form.values)}
    )
