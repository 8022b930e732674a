"""The YAML form of a questionnaire, as pydantic models: what may be written, and nothing about what it means."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ivr.document import written_as
from ivr.questionnaire.model import OTHERWISE, Kind, Level


def _listed(given: Any) -> Any:
    """One item may stand without brackets."""
    return [given] if isinstance(given, str | int | float) and not isinstance(given, bool) else given


def _every_answer(given: Any) -> Any:
    """`then: oxygen` leads there whatever was answered."""
    return {OTHERWISE: given} if isinstance(given, str) else given


def _text_keys(given: Any) -> Any:
    """`5:` means the key 5 as much as `"5":` does."""
    if not isinstance(given, dict):
        return given
    return {str(key) if type(key) is int else key: value for key, value in given.items()}


Id = Annotated[str, written_as("id", r"[a-z][a-z0-9_]{0,59}")]


def _prompt_form(blanks: str = "") -> str:
    """A prompt id: parts between slashes; `en:` before it is that language whatever is spoken otherwise.

    Blanks may stand only under `value/`: ivr.veil keeps the names of those sounds, which tell an answer, out of logs.
    """
    part = "[A-Za-z0-9_-]+"
    filled = rf"|value(/([A-Za-z0-9_-]|\{{({blanks})\}})+)+" if blanks else ""
    return rf"([a-z]{{2}}:)?({part}(/{part})*{filled})"


PromptId = Annotated[str, written_as("prompt_id", _prompt_form())]
#: A prompt id in which `{keys}` stands for the digits of the value.
ReadBackId = Annotated[str, written_as("read_back_id", _prompt_form("keys"))]
#: A prompt id in which `{value}` stands for each value chosen.
ChosenId = Annotated[str, written_as("chosen_id", _prompt_form("value"))]
#: A prompt id in which the id of a question stands for its answer.
StatementId = Annotated[str, written_as("statement_id", _prompt_form("[a-z][a-z0-9_]{0,59}"))]
#: A prompt id, or `{next_day}` or `{next_time}` alone.
NextCallId = Annotated[str, written_as("next_call_id", _prompt_form() + r"|\{next_day\}|\{next_time\}")]
PromptList = Annotated[list[PromptId], BeforeValidator(_listed)]
Said = Annotated[PromptList, Field(min_length=1)]
Texts = Annotated[dict[Annotated[str, written_as("staff_language", "ja|en")], str], Field(min_length=1)]
Tries = Annotated[int, Field(ge=1, le=9)]
Seconds = Annotated[float, Field(gt=0, le=600)]
Keys = Annotated[dict[str, Id], BeforeValidator(_text_keys), Field(min_length=1)]
#: More than anybody can key, and nothing that arithmetic chokes on.
Amount = Annotated[Decimal, Field(ge=-(10**21), le=10**21)]
Change = Annotated[Decimal, Field(gt=0, le=10**21)]
Digits = Annotated[int, Field(ge=1, le=20)]
Language = Annotated[str, written_as("language", r"[a-z]{2}")]
Word = Annotated[str, Field(min_length=1, max_length=40)]
Then = Annotated[dict[str, str], BeforeValidator(_every_answer)]


class Form(BaseModel):
    """Base: an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TimesForm(Form):
    """`times:`; what is missing comes from the questionnaire, then from the defaults."""

    first_key: Seconds | None = None
    inter_key: Seconds | None = None
    total: Seconds | None = None
    guard: Annotated[float, Field(ge=0, le=5)] | None = None
    bounce: Annotated[float, Field(ge=0, le=1)] | None = None
    pause: Annotated[float, Field(ge=0, le=5)] | None = None


class FrameForm(Form):
    """`frame:`"""

    wrong_key: Said = ["frame/wrong_key"]
    silence: Said = ["frame/silence"]
    way_out: Said = ["frame/way_out"]
    call_wished: Said = ["frame/call_wished"]
    call_wished_end: Said = ["frame/call_wished_end"]
    resume: Said = ["frame/resume"]


class ConditionForm(Form):
    """One comparison: of an answer, or of a fact of the person."""

    question: str | None = None
    fact: str | None = None
    values: Annotated[list[str], BeforeValidator(_listed)] = Field(default=[], alias="is")
    below: Amount | None = None
    at_least: Amount | None = None
    falls_by: Change | None = None
    rises_by: Change | None = None
    answered: bool | None = None


class WhenForm(Form):
    """`ask_if:` and `say_if:`, and the conditions of an alert."""

    any: list[ConditionForm] = []
    how_many: Annotated[int, Field(ge=1, le=99)] = 1
    all: list[ConditionForm] = []


class SayForm(Form):
    """A statement."""

    id: Id
    kind: Literal[Kind.SAY]
    say: Annotated[list[StatementId], BeforeValidator(_listed), Field(min_length=1)]
    say_if: WhenForm = WhenForm()
    then: Then = {}


class AskForm(Form):
    """What all questions have."""

    id: Id
    ask: Said
    legend: PromptList = []
    ask_if: WhenForm = WhenForm()
    hint: PromptList = []
    times: TimesForm = TimesForm()
    tries: Tries | None = None
    then: Then = {}


class ChoiceForm(AskForm):
    """One key of several."""

    kind: Literal[Kind.CHOICE]
    keys: Keys
    read_back_keys: dict[str, Said] = {}


class YesNoUnknownForm(AskForm):
    """1 yes, 2 no, 3 do not know."""

    kind: Literal[Kind.YES_NO_UNKNOWN]
    read_back_keys: dict[str, Said] = {}


class NumberForm(AskForm):
    """Digits."""

    kind: Literal[Kind.NUMBER]
    digits: Annotated[list[Digits], BeforeValidator(_listed), Field(min_length=1, max_length=2)]
    decimals: Annotated[int, Field(ge=0, le=6)] = 0
    range: tuple[Amount, Amount]
    example: Amount | None = None
    keys: Annotated[dict[str, Id], BeforeValidator(_text_keys)] = {}
    read_back: Annotated[list[ReadBackId], BeforeValidator(_listed)] = []
    read_back_keys: dict[str, Said] = {}


class MultiForm(AskForm):
    """Several keys one after another, then `#`."""

    kind: Literal[Kind.MULTI]
    keys: Keys
    alone: Annotated[list[str], BeforeValidator(_listed)] = []
    read_back: Annotated[list[ChosenId], BeforeValidator(_listed), Field(min_length=1)]


class VoiceMessageForm(AskForm):
    """Something spoken."""

    kind: Literal[Kind.VOICE_MESSAGE]
    max_seconds: Annotated[float, Field(ge=5, le=300)] = 60
    silence_seconds: Annotated[float, Field(ge=1, le=30)] = 4
    read_back: PromptList = []


class LanguageForm(AskForm):
    """One key of several, each a language."""

    kind: Literal[Kind.LANGUAGE]
    keys: Annotated[dict[str, Language], BeforeValidator(_text_keys), Field(min_length=1)]


QuestionForm = SayForm | ChoiceForm | YesNoUnknownForm | NumberForm | MultiForm | VoiceMessageForm | LanguageForm

QUESTION_FORMS: dict[str, type[QuestionForm]] = {
    Kind.SAY: SayForm,
    Kind.CHOICE: ChoiceForm,
    Kind.YES_NO_UNKNOWN: YesNoUnknownForm,
    Kind.NUMBER: NumberForm,
    Kind.MULTI: MultiForm,
    Kind.VOICE_MESSAGE: VoiceMessageForm,
    Kind.LANGUAGE: LanguageForm,
}


class AlertForm(WhenForm):
    """One alert rule."""

    id: Id
    level: Level
    reason: Texts


class QuestionnaireForm(Form):
    """The whole file; the questions are read one by one, by their kind."""

    id: Id
    title: Texts
    language: Language
    languages: Annotated[list[Language], BeforeValidator(_listed)] = []
    facts: dict[Id, Annotated[list[Id], BeforeValidator(_listed), Field(min_length=1)]] = {}
    times: TimesForm = TimesForm()
    tries: Tries = 4
    legends: Annotated[int, Field(ge=0, le=99)] = 2
    opening: PromptList = []
    questions: Annotated[list[Any], Field(min_length=1)]
    next_call: Annotated[list[NextCallId], BeforeValidator(_listed)] = []
    next_call_unknown: PromptList = []
    closing: PromptList = []
    alerts: list[AlertForm] = []
    words: dict[Id, Annotated[dict[Language, Word], Field(min_length=1)]] = {}
    frame: FrameForm = FrameForm()
