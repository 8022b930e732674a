"""What an import would do, found before it is done: who is new, what changes, is emptied, who looks alike. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from ivr.files.given_text import fold
from ivr.person import Person
from ivr.roster import cells_of
from ivr.window import Calendar, Off, slots_of

#: Letters that programs write where they could not write the right one.
LOST_LETTERS = ("?", "？", "〓", "□", "�")
#: So many days are looked at before somebody counts as never rung: every weekday, and a week without holidays.
LOOKED_DAYS = 14


@dataclass(frozen=True)
class Change:
    """One cell that the import changes."""

    person_id: str
    column: str
    before: str
    after: str

    @property
    def empties(self) -> bool:
        """Whether something that was known would be known no more."""
        return bool(self.before) and not self.after


@dataclass(frozen=True)
class Holder:
    """Who has a number."""

    person_id: str
    name: str
    kana: str
    birth_date: date | None


@dataclass(frozen=True)
class Sharing:
    """A number that would come to be of several people."""

    number: str
    person_ids: tuple[str, ...]
    is_family: bool  #: all have one family name


@dataclass(frozen=True)
class LookAlike:
    """An ID that is new, and somebody who is the same person, it seems, under another one."""

    person_id: str
    other_id: str


@dataclass(frozen=True)
class NeverRung:
    """Somebody whom nobody would ever ring as the roster stands."""

    person_id: str
    why: Off


@dataclass(frozen=True)
class Preview:
    """What an import would do."""

    added: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    replaced: tuple[str, ...] = ()  #: IDs whose name, reading and birth date all become others: somebody else?
    sharings: tuple[Sharing, ...] = ()
    look_alikes: tuple[LookAlike, ...] = ()
    never_rung: tuple[NeverRung, ...] = ()
    lost_letters: tuple[str, ...] = ()  #: IDs whose name gets a sign for a letter that some program could not write

    @property
    def changed(self) -> tuple[str, ...]:
        """The people whose entries change."""
        return tuple(dict.fromkeys(each.person_id for each in self.changes))

    @property
    def emptied(self) -> tuple[Change, ...]:
        """The cells that become empty."""
        return tuple(each for each in self.changes if each.empties)

    @property
    def strange_sharings(self) -> tuple[Sharing, ...]:
        """Numbers that would be of people of several families."""
        return tuple(each for each in self.sharings if not each.is_family)

    @property
    def loses(self) -> bool:
        """Whether something would be lost or mixed up, so that somebody must say yes first."""
        return bool(self.emptied or self.replaced or self.strange_sharings or self.look_alikes or self.lost_letters)


@dataclass
class Comparison:
    """Collects what an import would do, part by part, so that never all of the roster is in memory twice."""

    calendar: Calendar
    today: date
    added: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    never_rung: list[NeverRung] = field(default_factory=list)
    lost_letters: list[str] = field(default_factory=list)
    #: Number -> those of the file who get it anew.
    gaining: dict[str, list[Holder]] = field(default_factory=dict)
    _hours: dict[tuple[object, ...], Off | None] = field(default_factory=dict)

    def add(self, people: Iterable[Person], stored: Mapping[str, Person]) -> None:
        """Compare people, completed, with those who are stored (id -> person)."""
        for person in people:
            before = stored.get(person.id)
            if before is None:
                self.added.append(person.id)
            elif replace(before, pause=None, closing=None) != person:
                self._add_changes(before, person)
            else:
                continue
            holder = Holder(person.id, person.name, person.kana, person.birth_date)
            for number in person.numbers:
                if before is None or number not in before.numbers:
                    self.gaining.setdefault(number, []).append(holder)
            if _loses_letters(before, person):
                self.lost_letters.append(person.id)
            if why := self._never_rung(person):
                self.never_rung.append(NeverRung(person.id, why))

    def _add_changes(self, before: Person, person: Person) -> None:
        old, new = cells_of(before), cells_of(person)
        found = [Change(person.id, name, old[name], new[name]) for name in old if old[name] != new[name]]
        self.changes += found
        # A married name, a corrected reading or birth date: one or two of them are the same person.
        columns = {each.column for each in found}
        same_birth = before.birth_date is not None and before.birth_date == person.birth_date
        if {"name", "kana"} <= columns and not same_birth and not _have_common(before, person):
            self.replaced.append(person.id)

    def _never_rung(self, person: Person) -> Off | None:
        first = max(self.today, person.begins or self.today)
        key = (person.slots, person.own_time, person.hours, first)
        if key not in self._hours:
            self._hours[key] = _why_never(replace(person, begins=None), first, self.calendar)
        return self._hours[key]

    def finish(
        self,
        holders: Mapping[str, Sequence[Holder]],
        new: Sequence[Person],
        namesakes: Mapping[tuple[str, date], Sequence[Holder]],
    ) -> Preview:
        """All of it.

        `holders`: number -> those who have it now. `new`: the new people whose birth date is known; `namesakes`: name
        and birth date -> those on record who have both.
        """
        sharings = []
        alike: dict[str, str] = {}
        for number, gaining in self.gaining.items():
            both = {each.person_id: each for each in (*holders.get(number, ()), *gaining)}
            if len(both) > 1:
                sharings.append(Sharing(number, tuple(sorted(both)), is_family(list(both.values()))))
                alike |= _alike(gaining, list(both.values()))
        alike |= _same_births(new, namesakes)
        added = set(self.added)
        return Preview(
            tuple(self.added),
            tuple(self.changes),
            tuple(self.replaced),
            tuple(sharings),
            tuple(LookAlike(id, other) for id, other in sorted(alike.items()) if id in added),
            tuple(self.never_rung),
            tuple(self.lost_letters),
        )


def _alike(gaining: Sequence[Holder], holders: Sequence[Holder]) -> dict[str, str]:
    """Those who get a number that somebody with the same name has already: id -> the other's."""
    return {
        one.person_id: other.person_id
        for one in gaining
        for other in holders
        if one.person_id != other.person_id and _is_alike(one, other)
    }


def _same_births(new: Sequence[Person], namesakes: Mapping[tuple[str, date], Sequence[Holder]]) -> dict[str, str]:
    """Those whose name and birth date somebody has already, on record or earlier in the file: id -> the other's."""
    found: dict[str, str] = {}
    first: dict[tuple[str, date], str] = {}
    for each in new:
        assert each.birth_date is not None
        key = (each.name, each.birth_date)
        others = [other.person_id for other in namesakes.get(key, ()) if other.person_id != each.id]
        earlier = first.setdefault(key, each.id)
        if others or earlier != each.id:
            found[each.id] = others[0] if others else earlier
    return found


def _loses_letters(before: Person | None, now: Person) -> bool:
    said = before.name + before.kana if before else ""
    return any(each in now.name + now.kana and each not in said for each in LOST_LETTERS)


def _why_never(person: Person, first: date, calendar: Calendar) -> Off | None:
    """Why there is no window on any of the days looked at; None: there is one."""
    why: Off | None = None
    for day in range(LOOKED_DAYS):
        for slot in slots_of(first + timedelta(days=day), person, calendar):
            found = getattr(slot, "why", None)
            if found is None:
                return None
            why = why or found
    return why


def _is_alike(one: Holder, other: Holder) -> bool:
    differ = one.birth_date and other.birth_date and one.birth_date != other.birth_date
    return not differ and (fold(one.name) == fold(other.name) or fold(one.kana) == fold(other.kana))


def _have_common(one: Person, other: Person) -> bool:
    """Whether some part of the names is the same."""
    return bool(_parts(one.name) & _parts(other.name) or _parts(one.kana) & _parts(other.kana))


def _parts(name: str) -> set[str]:
    return set(map(fold, name.split()))


def is_family(people: Sequence[Holder]) -> bool:
    """Whether all have one family name; of names without a blank it cannot be told, and counts as no."""
    names = [_families(each.name) for each in people], [_families(each.kana) for each in people]
    return any(set.intersection(*families) for families in names)


def _families(name: str) -> set[str]:
    """What may be the family name: the first part in East Asia, elsewhere the last one, or one in capitals."""
    parts = name.split()
    if len(parts) < 2:
        return set()
    if not name.isascii() and any("\u3040" <= each <= "\u9fff" or each >= "\U00020000" for each in name):
        return {fold(parts[0])}
    capitals = {fold(each) for each in parts if each.isupper() and len(each) > 1}
    return capitals or {fold(parts[-1])}
