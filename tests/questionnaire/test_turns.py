"""The rules of one step, each by itself; whole walks are in test_conversations and test_any_walk."""

import json
from dataclasses import replace

import pytest

from ivr.digits import EndedBy, KeyRules
from ivr.questionnaire.model import (
    FollowUpReason,
    Input,
    NextCall,
    PersonFacts,
    Phase,
    Pressed,
    Questionnaire,
    SessionStatus,
    Silence,
    Turn,
)
from ivr.questionnaire.parse import parse
from ivr.questionnaire.turns import MAX_TURNS, MOST_REPEATS, reopen, resume, start
from ivr.storage.sessions import session_from_json, session_to_json
from tests.cases_runner import ROOT, as_input, short, through_json

OPENING = ("daily/opening", "frame/doubt")
COMPLEXION = ("daily/complexion", "frame/yes_no_unknown")


def walk(keys: str, questionnaire: Questionnaire | None = None) -> Turn:
    """The turn after these words, one for each ask."""
    known = questionnaire or short()
    turn = start(known)
    for word in keys.split():
        turn = resume(known, turn.session, as_input(word, turn))
    return turn


def test_start() -> None:
    turn = start(short())
    assert turn.say == OPENING + COMPLEXION
    assert turn.session.question == "complexion"
    assert turn.session.questionnaire == short().hash
    assert turn.session.turns == 0
    assert (turn.answered, turn.alerts, turn.follow_ups) == ((), (), ())


def test_one_key_is_enough_for_a_choice_and_a_hash_is_no_key() -> None:
    first = KeyRules(1, first_key=2, inter_key=1, total=10, end=frozenset(), ignored=frozenset("#"), guard=1.0)
    assert walk("").rules == first
    # After a key there is a silence first, for who presses twice; after a silence whoever was just too late counts.
    expected = replace(first, pause=1.0)
    assert walk("-").rules == replace(first, guard=0.0)
    assert walk("2").rules == expected
    assert walk("2 2 365").rules == expected  # confirming
    assert walk("0").rules == expected  # the offer


def test_a_number_takes_all_its_digits_and_a_hash_ends_it() -> None:
    expected = KeyRules(3, first_key=2, inter_key=1, total=10, ignored=frozenset("#"), guard=1.0, pause=1.0)
    # 36*5 is a temperature, and 0365; 098 an oxygen.
    assert walk("2 2").rules == replace(expected, point=True, leading=frozenset("0"))
    assert walk("2 2 365 1").rules == expected


@pytest.mark.parametrize(
    ("keys", "phase", "tries", "corrections", "pending"),
    [
        ("2 2", Phase.ASKING, 0, 0, ""),
        ("2 2 -", Phase.ASKING, 1, 0, ""),
        ("2 2 - 1#", Phase.ASKING, 2, 0, ""),
        ("2 2 - 1# 365", Phase.CONFIRMING, 0, 0, "36.5"),
        ("2 2 365 -", Phase.CONFIRMING, 1, 0, "36.5"),
        ("2 2 365 - 9", Phase.CONFIRMING, 2, 0, "36.5"),
        ("2 2 365 - 9 *", Phase.CONFIRMING, 2, 0, "36.5"),
        ("2 2 365 - 2", Phase.ASKING, 0, 1, ""),
        ("2 2 365 2 366 2", Phase.ASKING, 0, 2, ""),
        ("2 2 365 2 366 2 367 1", Phase.ASKING, 0, 0, ""),
        ("2 2 - 0", Phase.OFFERING, 1, 0, ""),
        ("2 2 - 0 1", Phase.ASKING, 1, 0, ""),
        ("2 2 365 - 0", Phase.OFFERING, 1, 0, "36.5"),
        ("2 2 365 - 0 1", Phase.CONFIRMING, 1, 0, "36.5"),
    ],
)
def test_where_the_session_stands(keys: str, phase: Phase, tries: int, corrections: int, pending: str) -> None:
    session = walk(keys).session
    assert (session.phase, session.tries, session.corrections, session.pending) == (phase, tries, corrections, pending)
    assert session.status is SessionStatus.WAITING


def test_an_answer_comes_with_the_turn_that_took_it_and_only_with_it() -> None:
    assert [(each.question, each.value) for each in walk("1").answered] == [("complexion", "changed")]
    assert [rule.id for rule in walk("1").alerts] == ["warning_signs"]
    assert walk("1 -").answered == ()
    assert walk("1 1").alerts == ()  # the rule fired before


def test_the_opening_is_repeated_only_until_the_first_answer() -> None:
    assert walk("*").say == OPENING + COMPLEXION
    assert walk("- *").say == OPENING + COMPLEXION
    assert "daily/opening" not in walk("2 *").say
    assert walk("0 1").say == ("frame/doubt", *COMPLEXION)


@pytest.mark.parametrize(
    ("keys", "say"),
    [
        ("9", ("frame/wrong_key", "frame/yes_no_unknown", *COMPLEXION)),
        ("-", ("frame/silence", *COMPLEXION)),
        ("#", ("frame/silence", *COMPLEXION)),
        ("2 2 -", ("frame/silence", "daily/temperature_hint", "daily/temperature")),
        ("2 2 #", ("frame/silence", "daily/temperature_hint", "daily/temperature")),
        ("2 2 999", ("frame/wrong_key", "daily/temperature_hint", "daily/temperature")),
        ("0 -", ("frame/silence", "frame/call_wished")),
        ("0 0", ("frame/wrong_key", "frame/call_wished")),
        ("0 *", ("frame/call_wished",)),
        ("0 * - *", ("frame/call_wished",)),
        ("0 - -", ("frame/call_wished_end",)),
        ("- - -", ("frame/way_out",)),
    ],
)
def test_what_is_said(keys: str, say: tuple[str, ...]) -> None:
    assert walk(keys).say == say


@pytest.mark.parametrize("ended_by", [EndedBy.END_KEY, EndedBy.PAUSE, EndedBy.FULL])
def test_an_entry_without_keys_is_silence(ended_by: EndedBy) -> None:
    turn = start(short())
    assert resume(short(), turn.session, Pressed("", ended_by)) == resume(short(), turn.session, Silence())


def test_zero_is_a_wish_only_when_it_is_the_whole_entry() -> None:
    assert walk("2 2 365 1 0#").follow_ups == (FollowUpReason.CALL_WISHED,)
    assert walk("2 2 365 1 0").session.phase is Phase.OFFERING
    assert walk("2 2 365 1 098").session.pending == "98"
    assert walk("2 2 365 1 00#").session.tries == 1


def test_the_wish_is_one_follow_up_for_the_whole_session_even_over_calls() -> None:
    first = walk("0")
    assert first.follow_ups == (FollowUpReason.CALL_WISHED,)
    again = reopen(short(), first.session)
    assert resume(short(), again.session, Pressed("0")).follow_ups == ()


def test_a_reopened_session_asks_again_with_all_tries() -> None:
    for keys in ("2 2 - -", "2 2 365 - -", "2 2 365 2 366 2", "2 2 0 -", "2 2 365 0"):
        turn = reopen(short(), walk(keys).session)
        assert turn.say == ("frame/resume", "daily/temperature_hint", "daily/temperature")
        assert turn.session.phase is Phase.ASKING
        assert (turn.session.tries, turn.session.corrections, turn.session.pending) == (0, 0, "")
        assert turn.rules == replace(walk("2 2").rules, pause=0.0)  # type: ignore[type-var]


@pytest.mark.parametrize("keys", ["- - -", "0 2", "2 2 365 1 98# 1"])
def test_a_session_that_is_over_takes_nothing_more(keys: str) -> None:
    over = walk(keys)
    assert over.rules is None
    with pytest.raises(ValueError, match="over"):
        resume(short(), over.session, Silence())
    with pytest.raises(ValueError, match="over"):
        reopen(short(), over.session)


def test_a_session_of_another_version_is_refused() -> None:
    other = replace(start(short()).session, questionnaire="0" * 64)
    with pytest.raises(ValueError, match="version"):
        resume(short(), other, Silence())


def test_a_stuck_key_comes_to_an_end() -> None:
    turn = start(short())
    for _ in range(MOST_REPEATS):
        turn = resume(short(), turn.session, Pressed("*"))
    assert turn.session.status is SessionStatus.WAITING
    last = resume(short(), turn.session, Pressed("*"))
    assert last.session.status is SessionStatus.GAVE_UP
    assert last.say == ("frame/way_out",)


@pytest.mark.parametrize("given", [Pressed("*"), Silence(too_early=True)])
def test_what_is_only_said_again_costs_no_try(given: Input) -> None:
    turn = resume(short(), start(short()).session, given)
    assert turn.session.tries == 0
    # ... and one answer later it may be said again as often.
    answered = resume(short(), turn.session, Pressed("2"))
    assert answered.session.repeats == 0


def test_a_walk_that_goes_round_and_round_comes_to_an_end() -> None:
    turn = start(short())
    for at in range(MAX_TURNS):
        turn = resume(short(), turn.session, Pressed("1" if at % 2 else "0"))
    assert turn.session.status is SessionStatus.WAITING
    last = resume(short(), turn.session, Pressed("0"))
    assert last.session.status is SessionStatus.GAVE_UP
    assert last.say == ("frame/way_out",)
    assert last.rules is None
    assert last.follow_ups == (FollowUpReason.COULD_NOT_ENTER,)
    assert reopen(short(), turn.session).session.status is SessionStatus.GAVE_UP


STATEMENTS = b"""
id: s
title: {ja: a}
language: ja
opening: [o]
closing: [c]
questions:
  - {id: one, kind: say, say: [s/1, s/2]}
  - {id: two, kind: say, say: [s/3]}
  - {id: ask, kind: number, ask: [q], digits: [1, 2], range: [1, 20], keys: {"99": none}}
  - {id: three, kind: say, say: [s/4]}
"""


def test_statements_are_said_with_what_follows_them() -> None:
    found = parse(STATEMENTS, "s.yaml")
    turn = start(found)
    assert turn.say == ("o", "s/1", "s/2", "s/3", "q")
    end = resume(found, turn.session, Pressed("7", EndedBy.END_KEY))
    assert end.say == ("s/4", "c")
    assert end.session.status is SessionStatus.COMPLETED
    assert end.session.question == "ask"


def test_without_read_back_a_number_is_taken_at_once() -> None:
    found = parse(STATEMENTS, "s.yaml")
    assert [each.value for each in walk("07", found).answered] == ["7"]
    assert [each.value for each in walk("99", found).answered] == ["none"]


def test_only_statements_are_over_at_once() -> None:
    source = b"id: s\ntitle: {ja: a}\nlanguage: ja\nquestions: [{id: one, kind: say, say: a}]\nclosing: c\n"
    turn = start(parse(source, "s.yaml"))
    assert (turn.say, turn.rules, turn.session.status) == (("a", "c"), None, SessionStatus.COMPLETED)


def test_a_session_survives_json() -> None:
    for keys in ("", "1", "2 2 365 -", "2 2 365 2", "2 0 -", "- - -"):
        session = walk(keys).session
        assert through_json(session) == session


PERSON = PersonFacts(
    {"oximeter": "no", "address": "somewhere"}, "fr", {"oxygen": "98", "cough": "yes"}, NextCall("today", "1400")
)


def test_a_session_keeps_no_more_of_a_person_than_its_questionnaire_needs() -> None:
    assert start(short(), PERSON).session.person == PersonFacts()
    examples = ROOT / "questionnaires" / "examples"
    conditions = parse((examples / "conditions.yaml").read_bytes(), "conditions.yaml")
    assert start(conditions, PERSON).session.person.facts == {"oximeter": "no"}
    assert start(conditions).session.person.facts == {"oximeter": "yes"}
    alerts = parse((examples / "alerts.yaml").read_bytes(), "alerts.yaml")
    assert start(alerts, PERSON).session.person.last_report == {"oxygen": "98"}
    assert start(alerts, PERSON).session.person.next_call is None
    next_call = parse((examples / "next_call.yaml").read_bytes(), "next_call.yaml")
    assert start(next_call, PERSON).session.person.next_call == NextCall("today", "1400")


def test_a_session_stored_before_there_were_languages_goes_on() -> None:
    stored = json.loads(session_to_json(walk("2 2").session))
    for later in ("language", "person", "lead_in"):
        del stored[later]
    session = session_from_json(json.dumps(stored))
    assert session.language == ""
    turn = resume(short(), session, Pressed("365"))
    assert turn.session.pending == "36.5"
    assert reopen(short(), session).say == ("frame/resume", "daily/temperature")
