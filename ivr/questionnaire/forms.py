"""The YAML form of a questionnaire, as pydantic models: what may be written, and nothing about what it means."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ivr.document import written_as
from ivr.questionnaire.model import Kind, Level


def _listed(given: Any) -> Any:
    """One item may stand without brackets."""
    return [given] if isinstance(given, str | int | float) and not isinstance(given, bool) else given


def _text_keys(given: Any) -> Any:
    """`5:` means the key 5 as much as `"5":` does."""
    if not isinstance(given, dict):
        return given
    return {str(key) if type(key) is int else key: value for key, value in given.items()}


Id = Annotated[str, written_as("id", r"[a-z][a-z0-9_]{0,59}")]
PromptId = Annotated[str, written_as("prompt_id", r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")]
#: A prompt id in which `{keys}` stands for the digits of the value.
ReadBackId = Annotated[str, written_as("read_back_id", r"([A-Za-z0-9_-]|\{keys\})+(/([A-Za-z0-9_-]|\{keys\})+)*")]
PromptList = Annotated[list[PromptId], BeforeValidator(_listed)]
Said = Annotated[PromptList, Field(min_length=1)]
Texts = Annotated[dict[Annotated[str, written_as("staff_language", "ja|en")], str], Field(min_length=1)]
Tries = Annotated[int, Field(ge=1, le=9)]
Seconds = Annotated[float, Field(gt=0, le=600)]
Keys = Annotated[dict[str, Id], BeforeValidator(_text_keys), Field(min_length=1)]


class Form(BaseModel):
    """Base: an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TimesForm(Form):
    """`times:`; what is missing comes from the questionnaire, then from the defaults."""

    first_key: Seconds | None = None
    inter_key: Seconds | None = None
    total: Seconds | None = None


class FrameForm(Form):
    """`frame:`"""

    wrong_key: Said = ["frame/wrong_key"]
    silence: Said = ["frame/silence"]
    way_out: Said = ["frame/way_out"]
    call_wished: Said = ["frame/call_wished"]
    call_wished_end: Said = ["frame/call_wished_end"]
    resume: Said = ["frame/resume"]


class SayForm(Form):
    """A statement."""

    id: Id
    kind: Literal[Kind.SAY]
    say: Said


class AskForm(Form):
    """What all questions have."""

    id: Id
    ask: Said
    hint: PromptList = []
    times: TimesForm = TimesForm()
    tries: Tries | None = None


class ChoiceForm(AskForm):
    """One key of several."""

    kind: Literal[Kind.CHOICE]
    keys: Keys


class YesNoUnknownForm(AskForm):
    """1 yes, 2 no, 3 do not know."""

    kind: Literal[Kind.YES_NO_UNKNOWN]


Digits = Annotated[int, Field(ge=1, le=20)]


class NumberForm(AskForm):
    """Digits."""

    kind: Literal[Kind.NUMBER]
    digits: Annotated[list[Digits], BeforeValidator(_listed), Field(min_length=1, max_length=2)]
    decimals: Annotated[int, Field(ge=0, le=6)] = 0
    range: tuple[Decimal, Decimal]
    keys: Annotated[dict[str, Id], BeforeValidator(_text_keys)] = {}
    read_back: Annotated[list[ReadBackId], BeforeValidator(_listed)] = []
    read_back_keys: dict[str, Said] = {}


QUESTION_FORMS: dict[str, type[SayForm | ChoiceForm | YesNoUnknownForm | NumberForm]] = {
    Kind.SAY: SayForm,
    Kind.CHOICE: ChoiceForm,
    Kind.YES_NO_UNKNOWN: YesNoUnknownForm,
    Kind.NUMBER: NumberForm,
}


class ConditionForm(Form):
    """One comparison of an alert."""

    question: str
    values: Annotated[list[str], BeforeValidator(_listed)] = Field(default=[], alias="is")
    below: Decimal | None = None
    at_least: Decimal | None = None


class AlertForm(Form):
    """One alert rule."""

    id: Id
    level: Level
    reason: Texts
    any: list[ConditionForm] = []
    all: list[ConditionForm] = []


class QuestionnaireForm(Form):
    """The whole file; the questions are read one by one, by their kind."""

    id: Id
    title: Texts
    language: Annotated[str, written_as("language", r"[a-z]{2}")]
    times: TimesForm = TimesForm()
    tries: Tries = 3
    opening: PromptList = []
    questions: Annotated[list[Any], Field(min_length=1)]
    closing: PromptList = []
    alerts: list[AlertForm] = []
    frame: FrameForm = FrameForm()
