"""What one simulated person does at a prompt: which keys, when, or nothing. Chance comes in; knows no telephone."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from random import Random

from bench.people.model import Model
from ivr.questionnaire.model import Kind, Phase, Question
from ivr.questionnaire.values import keys_of

#: Key -> its neighbours on the pad.
NEIGHBOURS: Mapping[str, str] = {
    "1": "24", "2": "135", "3": "26", "4": "157", "5": "2468", "6": "359",
    "7": "48*", "8": "5790", "9": "68#", "*": "70", "0": "8*#", "#": "90",
}  # fmt: skip
_PAD = "123456789*0#"
#: Seconds of a new prompt in which a finger that is on its way still presses; what was to come later is given up.
_ON_ITS_WAY = 2.5
#: ... and of the first key, by somebody who had not begun.
_FINGER = 0.7


class Asked(StrEnum):
    """What a prompt asks, as somebody understands it who heard all of it."""

    READY = "ready"  #: the greeting: press 1
    QUESTION = "question"
    PLACE = "place"  #: whose report it is
    PLACE_RIGHT = "place_right"
    ANOTHER = "another"  #: somebody else of the household
    ID = "id"
    BIRTH_DATE = "birth_date"
    MENU = "menu"  #: what else can be done: nothing is wanted


@dataclass(frozen=True)
class Prompt:
    """Something that is asked."""

    asked: Asked
    began: float  #: the first word
    seconds: float  #: of words
    question: Question | None = None
    phase: Phase = Phase.ASKING
    pending: str = ""
    place: int = 0  #: that is read back
    silence: float = 0.0  #: seconds before the first word
    is_error: bool = False  #: "that was nothing", "that cannot be taken" come first
    explains_tones: bool = False
    asks_to_fetch: bool = False


@dataclass
class Body:
    """One person on one day."""

    model: Model
    chance: Random
    truth: Mapping[str, str]  #: question -> what is so
    place: int = 1
    id: str = ""
    birth_date: str = ""
    others: bool = False  #: somebody else of the household wants to report, too
    busy_until: float = -math.inf  #: when the last key was let go
    away_until: float = -math.inf
    has_measured: bool = False
    sends_tones: bool = True
    knows_how: bool = True  #: to switch the telephone to tones, once it is explained
    chose_wrong: bool = False  #: the place of somebody else, by key
    coming: list[tuple[float, float, str]] = field(default_factory=list)  #: down, up, key

    def __post_init__(self) -> None:
        model = self.model
        clumsy, deaf, slow = (math.exp(self.chance.gauss(0.0, model.differ)) for _ in range(3))
        self.model = replace(
            model,
            slip=min(model.slip * clumsy, 0.5),
            mishear=min(model.mishear * deaf, 0.7),
            first_key=model.first_key * math.sqrt(slow),
            between_keys=model.between_keys * math.sqrt(math.sqrt(slow)),
        )
        self.sends_tones = self.chance.random() >= self.model.pulse
        self.knows_how = self.chance.random() < model.switches
        self.has_measured = self.chance.random() >= self.model.fetches

    def hears(self, prompt: Prompt) -> bool:
        """Plan what is pressed at a prompt (`coming`). True: hangs up instead, when it has been said."""
        model = self.model
        if prompt.explains_tones and not self.sends_tones:
            self.sends_tones = self.knows_how
        self._give_up_late_keys(prompt.began)
        if self._happens(model.breaks_off) or (prompt.is_error and self._happens(model.hangs_up)):
            return True
        if self._goes_to_fetch(prompt):
            self.away_until = prompt.began + prompt.seconds + self.chance.uniform(model.fetch_least, model.fetch_most)
            self.has_measured = True
        ready = self._ready_at(prompt)
        keys = self._wanted(prompt)
        if keys:
            self._press(keys, ready, prompt)
        return False

    def _happens(self, share: float) -> bool:
        return share > 0 and self.chance.random() < share

    def _give_up_late_keys(self, began: float) -> None:
        """Somebody who still types when another voice begins goes on for a while, and then listens."""
        self.coming = [each for each in self.coming if each[0] <= began + _ON_ITS_WAY]
        if self.coming:
            self.busy_until = max(self.busy_until, self.coming[-1][1])

    def _goes_to_fetch(self, prompt: Prompt) -> bool:
        if self.has_measured:
            return False
        if prompt.asked is Asked.READY:
            return prompt.asks_to_fetch and self._happens(self.model.fetches_before)
        number = prompt.question is not None and prompt.question.kind is Kind.NUMBER
        return number and prompt.phase is Phase.ASKING

    def _ready_at(self, prompt: Prompt) -> float:
        """When the first key is pressed."""
        model, end = self.model, prompt.began + prompt.seconds
        if model.ahead:
            end = min(end, prompt.began + model.ahead)
        end = max(end, self.busy_until + model.handset_back, self.away_until)
        number = prompt.question is not None and prompt.question.kind is Kind.NUMBER and prompt.phase is Phase.ASKING
        median = model.first_key * (model.number_factor if number else 1.0)
        return end + min(self._around(median, model.first_key_spread), model.first_key_most)

    def _around(self, median: float, spread: float) -> float:
        return self.chance.lognormvariate(math.log(median), spread)

    def _wanted(self, prompt: Prompt) -> str:
        """The keys that somebody wants to press; empty: waits."""
        model = self.model
        if self._happens(model.talks * (0.3 if prompt.is_error else 1.0)):
            return ""
        lost = min(max(0.0, self.busy_until + model.handset_back - prompt.began), prompt.seconds)
        if self.away_until <= prompt.began and self._happens(model.mishear + model.mishear_lost * lost):
            return self._misheard(prompt)
        return self._answer(prompt)

    def _misheard(self, prompt: Prompt) -> str:
        drawn = self.chance.random()
        if drawn < self.model.mishear_repeat:
            return "*"
        if drawn < self.model.mishear_repeat + self.model.mishear_wait or prompt.asked is not Asked.QUESTION:
            return ""
        question = prompt.question
        assert question is not None
        if prompt.phase is not Phase.ASKING:
            return "1"
        if question.kind is Kind.NUMBER:
            return ""
        keys = list(question.options)
        yes = self.chance.random() < self.model.guess_yes
        return keys[0] if yes or len(keys) < 2 else keys[1]

    def _answer(self, prompt: Prompt) -> str:
        match prompt.asked:
            case Asked.READY:
                return "1"
            case Asked.PLACE:
                return str(self._place())
            case Asked.PLACE_RIGHT:
                return "2" if prompt.place != self.place and self._happens(self.model.place_noticed) else "1"
            case Asked.ANOTHER:
                return "1" if self.others else "2"
            case Asked.ID:
                return f"{self.id}#"
            case Asked.BIRTH_DATE:
                return f"{self.birth_date}#"
            case Asked.MENU:
                return ""
            case Asked.QUESTION:
                return self._to_question(prompt)

    def _place(self) -> int:
        if self._happens(self.model.wrong_place):
            return self.place + 1 if self.place == 1 else self.place - 1
        return self.place

    def _to_question(self, prompt: Prompt) -> str:
        question = prompt.question
        assert question is not None
        wanted = self.truth.get(question.id, "")
        if prompt.phase is Phase.OFFERING:
            return "1"
        if prompt.phase is not Phase.ASKING:
            right = not wanted or prompt.pending == wanted
            return "1" if right or not self._happens(self.model.notices) else "2"
        if question.kind is Kind.NUMBER:
            return self._number(question, wanted)
        if question.kind is Kind.VOICE_MESSAGE:
            return ""
        chosen = wanted.split(",")
        keys = "".join(key for key, value in question.options.items() if value in chosen)
        if question.kind is Kind.MULTI:
            return f"{keys}#"
        return self._zero_nine(question, keys)

    def _zero_nine(self, question: Question, keys: str) -> str:
        """Some take 0 or 9 for no."""
        if question.kind is Kind.YES_NO_UNKNOWN and self._happens(self.model.zero_nine):
            return self.chance.choice("09")
        return keys

    def _number(self, question: Question, wanted: str) -> str:
        rule, model = question.number, self.model
        assert rule is not None
        keys = keys_of(wanted).zfill(rule.min_digits)
        if rule.decimals and self._happens(model.star_point):
            return keys[: -rule.decimals] + "*" + keys[-rule.decimals :] + "#"
        if rule.decimals and self._happens(model.zero_after):
            return keys + "0"
        if rule.decimals and self._happens(model.zero_before):
            return "0" + keys
        short = len(keys) < rule.max_digits
        return keys + ("#" if self._happens(model.end_key if short else model.end_key_more) else "")

    def _press(self, keys: str, first: float, prompt: Prompt) -> None:
        """Each key at its time, with what fingers do."""
        model, at = self.model, first
        for index, meant in enumerate(keys):
            if index:
                at += min(self._around(model.between_keys, model.between_keys_spread), model.between_keys_most)
            key = self._hit(meant)
            self._down(at, key)
            if self._happens(model.tremor):
                at += model.hold + self.chance.uniform(model.tremor_least, model.tremor_most)
                self._down(at, key)
            if index == len(keys) - 1 and self._happens(model.second_press):
                self._down(at + model.second_press_after, key)

    def _hit(self, meant: str) -> str:
        if self._happens(self.model.wrong_key):
            return self.chance.choice(_PAD)
        if self._happens(self.model.slip):
            return self.chance.choice(NEIGHBOURS[meant])
        return meant

    def _down(self, at: float, key: str) -> None:
        self.coming.append((at, at + self.model.hold, key))

    def take_key(self, until: float) -> tuple[float, float, str] | None:
        """The next key that is let go before this moment; None: none is. A telephone without tones sends none."""
        while self.coming and self.coming[0][1] <= until:
            key = self.coming.pop(0)
            self.busy_until = key[1]
            if self.sends_tones:
                return key
        return None

    def begins_anew(self, now: float) -> None:
        """The time was over before anything counted: who had not begun listens anew; a finger on its way presses."""
        if self.coming and self.coming[0][0] > now + _FINGER:
            self.coming.clear()


def fetching(texts: Sequence[str]) -> bool:
    """Whether the words of the greeting tell people to have their thermometer at hand."""
    return any("体温計" in each for each in texts)
