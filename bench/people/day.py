"""One person's day: the calls that the real policy makes, each through the real gate, engine and collector."""

from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from bench.people.body import Body
from bench.people.model import Model, Truth
from bench.people.telephone import PeoplePhone
from ivr.call import Outcome
from ivr.calling import ask_for_birth_date, ask_for_id, choose_place, wish_for_another
from ivr.config import Gate
from ivr.conversation import Greeted, Voice, converse, greet, judge
from ivr.dialling import Dialling
from ivr.hearing import HINT, HeardPhone
from ivr.identity import LIMITS
from ivr.phone import HungUp, Phone
from ivr.prompts import Prompts
from ivr.questionnaire.alerts import fires
from ivr.questionnaire.conditions import known
from ivr.questionnaire.model import (
    Answer,
    FollowUpReason,
    Input,
    Kind,
    Level,
    PersonFacts,
    Question,
    Questionnaire,
    SessionStatus,
    Turn,
)
from ivr.questionnaire.turns import reopen, start
from ivr.questionnaire.values import canonical, typed_bounds
from ivr.questionnaire.words import example_of
from ivr.severe import is_severe
from ivr.window import Window
from scheduler.policy import Attempt, Case, Dial, Rules, Wait, decide

T = TypeVar("T")

NUMBER = "0310000001"
_TODAY = date(2025, 1, 6)
_NINE = datetime(2025, 1, 6, 0, 0, tzinfo=UTC)
#: Long enough for every try that the settings allow.
_WINDOW = Window(_NINE, _NINE + timedelta(hours=8))
#: Showa 10, 5 April.
_BIRTH = "3100405"


@dataclass(frozen=True)
class World:
    """What everybody meets."""

    questionnaire: Questionnaire
    prompts: Prompts
    truth: Truth
    asks_to_fetch: bool = False
    check_digit: bool = False
    gate: Gate = field(default_factory=Gate)
    dialling: Dialling = field(default_factory=Dialling)

    @property
    def rules(self) -> Rules:
        """As the dialler has them."""
        given = self.dialling
        return Rules(
            given.attempts, given.retry_table(), given.ring_seconds, given.most_a_day, given.calls_per_number, 0.0
        )

    def listened_to(self, phone: PeoplePhone, understood: bool | None, patience: int) -> HeardPhone:
        """The phone with the hint for those that send no tones, as ivr.hearing makes it from what it remembers.

        `understood`: whether keys were ever heard from it; None: it was silent.
        """
        hint = () if understood else self.prompts.resolve((HINT,), self.questionnaire.language)
        return HeardPhone(phone, NUMBER, hint, 0 if understood is None else patience)

    @property
    def voice(self) -> Voice:
        """Of the questionnaire's language."""
        return Voice(self.prompts, self.questionnaire.language)


@dataclass
class Day:
    """What came of it."""

    model: str
    calls: int = 0
    completed: int = 0  #: on which call; 0: on none
    gave_up_at: str = ""  #: the question at which the engine gave up
    lost_at: str = ""  #: the question at which the person was lost, in whatever way; `gate` before the first
    seconds: list[float] = field(default_factory=list)  #: of each call
    false_number: bool = False
    false_symptom: bool = False
    false_emergency: bool = False
    missed_red: bool = False
    wished: bool = False
    follow_up: bool = False
    wrong_name: bool = False  #: a report under another's name
    by_key: bool = False  #: ... because the wrong place was chosen


def run(talk: Coroutine[Any, Any, T]) -> T:
    """A conversation in virtual time waits for nothing. Raises what it raises."""
    try:
        talk.send(None)
    except StopIteration as over:
        value: T = over.value
        return value
    raise RuntimeError("a conversation in virtual time must not wait")


def truth_of(world: World, chance: Random) -> dict[str, str]:
    """How somebody is: question -> value."""
    reds = red_questions(world.questionnaire)
    found = {}
    for question in world.questionnaire.questions:
        match question.kind:
            case Kind.NUMBER:
                found[question.id] = _number(world, question, chance)
            case Kind.YES_NO_UNKNOWN:
                share = world.truth.red if question.id in reds else world.truth.other
                found[question.id] = "yes" if chance.random() < share else "no"
            case Kind.MULTI | Kind.CHOICE:
                found[question.id] = chance.choice(list(question.options.values()))
            case Kind.LANGUAGE:
                found[question.id] = world.questionnaire.language
    return found


def red_questions(questionnaire: Questionnaire) -> frozenset[str]:
    """Questions one answer of which raises an emergency by itself."""
    rules = [each for each in questionnaire.alerts if each.level is Level.EMERGENCY]
    return frozenset(each.question for rule in rules for each in rule.when.any_of if each.values)


def _number(world: World, question: Question, chance: Random) -> str:
    rule = question.number
    assert rule is not None
    bounds = typed_bounds(rule)
    middle = int(Decimal(example_of(rule)).scaleb(rule.decimals))
    drawn = round(chance.gauss(middle, world.truth.number_spread * (bounds.stop - bounds.start)))
    typed = min(max(drawn, bounds.start), bounds.stop - 1)
    return canonical(rule, Decimal(typed).scaleb(-rule.decimals))


class Walk:
    """A person's session over the calls of a day, as the service keeps it."""

    def __init__(self, world: World, person: PeoplePhone, phone: Phone, truth: Mapping[str, str]) -> None:
        self.world, self.person, self.phone, self.truth = world, person, phone, truth
        self.last: Turn | None = None
        self.knows = person.body.chance.random() < world.truth.knows  #: went through it on an earlier day
        self.reasons: list[FollowUpReason] = []

    async def go_on(self) -> Turn:
        """From the beginning, or from the open question, to the last turn. Raises HungUp."""
        questionnaire = self.world.questionnaire
        first = (
            start(questionnaire, PersonFacts(knows=self.knows))
            if self.last is None
            else reopen(questionnaire, self.last.session)
        )
        return await converse(
            self.phone, self.world.voice, questionnaire, first, self._commit, lambda: Path("/dev/null")
        )

    async def _commit(self, turn: Turn, given: Input | None = None) -> None:
        self.last = self.person.turn = turn
        self.reasons += turn.follow_ups
        if is_severe(turn):
            await self.world.voice.say(self.phone, ("frame/severe",))

    @property
    def status(self) -> SessionStatus | None:
        """How far it is."""
        return self.last.session.status if self.last else None

    def account(self, day: Day) -> None:
        """What was stored, held against what is so."""
        if self.last is None:
            return
        questionnaire, session = self.world.questionnaire, self.last.session
        kinds = {each.id: each.kind for each in questionnaire.questions}
        for each in session.answers:
            if each.value != self.truth.get(each.question, each.value):
                if kinds[each.question] is Kind.NUMBER:
                    day.false_number = True
                elif kinds[each.question] is not Kind.LANGUAGE:
                    day.false_symptom = True
        answered = {each.question for each in session.answers}
        so = known(tuple(Answer(*each) for each in self.truth.items() if each[0] in answered), PersonFacts())
        emergencies = [each for each in questionnaire.alerts if each.level is Level.EMERGENCY]
        raised = set(session.alerts)  # those that stand: a yes that was taken back raises none
        day.false_emergency |= any(each.id in raised and not fires(each, so) for each in emergencies)
        day.missed_red |= any(each.id not in raised and fires(each, so) for each in emergencies)
        if session.status is SessionStatus.GAVE_UP:
            day.gave_up_at = session.question
        if session.status is not SessionStatus.COMPLETED:
            day.lost_at = session.question
        day.wished |= FollowUpReason.CALL_WISHED in self.reasons
        day.follow_up |= bool(self.reasons)


def new_body(world: World, model: Model, chance: Random, place: int = 1, id: str = "") -> Body:
    """Somebody of this kind."""
    return Body(model, chance, truth_of(world, chance), place, id, _BIRTH)


def outbound_day(world: World, model: Model, chance: Random) -> Day:
    """Somebody with a telephone of their own, called as often as the policy says."""
    body = new_body(world, model, chance)
    day = Day(model.id)
    phone = PeoplePhone(world.questionnaire, body, world.asks_to_fetch)
    walk = Walk(world, phone, phone, body.truth)
    understood: bool | None = False  #: whether a key was ever heard from the telephone; None: it was silent

    async def call() -> bool:
        nonlocal understood
        phone.turn = None
        heard = walk.phone = world.listened_to(phone, understood, patience=2)
        greeted = await greet(heard, world.voice, world.gate.times, world.gate.wait_seconds)
        understood = None if heard.is_silent else True
        match greeted:
            case Greeted.READY:
                await walk.go_on()
            case Greeted.CALL_WISHED:
                day.wished = day.follow_up = True
            case Greeted.NOBODY:
                return False
        return True

    def one_call() -> Outcome:
        reached = False
        try:
            reached = run(call())
        except HungUp:
            reached = walk.last is not None
        return judge(reached, walk.status)

    day.follow_up |= _calls(world, day, phone, one_call, lambda: _is_over(day, walk))
    walk.account(day)
    if not day.completed and not day.lost_at:
        day.lost_at = "gate"
    return day


def _is_over(day: Day, walk: Walk) -> bool | None:
    """True: the report is in; False: staff have it; None: neither."""
    if walk.status is SessionStatus.COMPLETED:
        return True
    return False if day.wished or walk.reasons else None


def _calls(world: World, day: Day, phone: PeoplePhone, call: Any, is_over: Any) -> bool:
    """Call as the policy says until it is over; whether it hands the person to staff."""
    attempts: list[Attempt] = []
    now = _NINE
    while True:
        over = is_over()
        if over:
            day.completed = day.calls
        decision = decide(Case(_WINDOW, (NUMBER,), attempts, over is True, over is False), world.rules, now)
        match decision:
            case Wait(datetime() as until):
                now = until
            case Dial():
                day.calls += 1
                began = phone.now
                outcome = call()
                day.seconds.append(phone.now - began)
                now += timedelta(seconds=phone.now - began)
                attempts.append(Attempt(NUMBER, outcome, now))
                phone.body.coming.clear()
            case _:
                return over is None


def inbound_day(world: World, model: Model, chance: Random, *, by_id: bool) -> Day:
    """One call of somebody who rings us: from their own telephone, or keying ID and birth date."""
    body = new_body(world, model, chance, id="12345674")
    day = Day(model.id, calls=1)
    phone = PeoplePhone(world.questionnaire, body)
    heard = world.listened_to(phone, False, patience=1)
    walk = Walk(world, phone, heard, body.truth)

    async def call() -> None:
        await world.voice.say(phone, ("frame/inbound_greeting",))
        if by_id and not await _identified(world, heard, body):
            return
        await walk.go_on()

    with suppress(HungUp):
        run(call())
    day.completed = int(walk.status is SessionStatus.COMPLETED)
    day.seconds.append(phone.now)
    day.follow_up = not day.completed
    walk.account(day)
    if not day.completed and not day.lost_at:
        day.lost_at = "gate"
    return day


async def _identified(world: World, phone: Phone, body: Body) -> bool:
    """As ivr.unknown_caller asks, without its tables."""
    for turn in range(LIMITS.per_call):
        first = ("frame/not_confirmed",) if turn else ()
        claimed = await ask_for_id(phone, world.voice, world.check_digit, first)
        born = None if claimed is None else await ask_for_birth_date(phone, world.voice, _TODAY)
        if born is None:
            return False
        if claimed == body.id and born == date(1935, 4, 5):
            return True
    return False


@dataclass
class _Household:
    """Some who share a telephone, in one day."""

    world: World
    bodies: dict[int, Body]
    phone: PeoplePhone
    walks: dict[int, Walk] = field(default_factory=dict)
    said_by: dict[int, int] = field(default_factory=dict)  #: place -> who answered there

    def open(self) -> list[int]:
        """Whose report is not in."""
        return [
            each for each in self.bodies if each not in self.walks or self.walks[each].status is SessionStatus.WAITING
        ]

    async def call(self, order: list[int]) -> None:
        """One after another, as ivr.outbound lets them. Raises HungUp."""
        world, phone = self.world, self.phone
        phone.body, phone.turn = self.bodies[order[0]], None
        if await greet(phone, world.voice, world.gate.times, world.gate.wait_seconds) is not Greeted.READY:
            return
        for index, by in enumerate(order):
            phone.body = self.bodies[by]
            await self._serve(by)
            phone.turn = None
            phone.body.others = index + 1 < len(order)
            if not self.open() or not await wish_for_another(phone, world.voice):
                return

    async def _serve(self, by: int) -> None:
        place = await choose_place(self.phone, self.world.voice, tuple(self.bodies))
        if place is None or place not in self.open():
            return
        self.said_by.setdefault(place, by)
        # Held against how the one is who speaks: another's name is counted apart.
        self.walks.setdefault(place, Walk(self.world, self.phone, self.phone, self.bodies[by].truth))
        await self.walks[place].go_on()


def household_day(world: World, models: Mapping[int, Model], chance: Random) -> dict[int, Day]:
    """Place -> what came of it, of some who share a telephone and are due at the same time."""
    bodies = {place: new_body(world, model, chance, place) for place, model in models.items()}
    days = {place: Day(model.id) for place, model in models.items()}
    home = _Household(world, bodies, PeoplePhone(world.questionnaire, bodies[1], world.asks_to_fetch))
    for number in range(1, world.dialling.attempts + 1):
        order = chance.sample(home.open(), len(home.open()))
        if not order:
            break
        began = home.phone.now
        with suppress(HungUp):
            run(home.call(order))
        for place, day in days.items():
            day.calls = number
            day.seconds.append(home.phone.now - began)
            walk = home.walks.get(place)
            if walk is not None and walk.status is SessionStatus.COMPLETED and not day.completed:
                day.completed = number
    for place, walk in home.walks.items():
        walk.account(days[place])
        days[place].wrong_name = days[place].by_key = home.said_by[place] != place
    return days
