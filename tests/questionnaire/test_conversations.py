"""The golden conversations, through the engine alone."""

import pytest

from ivr.prompt_texts import load_texts
from ivr.questionnaire.checks import check
from ivr.questionnaire.model import SessionStatus
from ivr.questionnaire.said import prompt_ids
from tests.cases_runner import ROOT, Conversation, asked, conversations, daily, lead, short


@pytest.mark.parametrize("case", conversations(), ids=lambda case: case.name)
def test_conversation(case: Conversation) -> None:
    told = lead(asked(case.questionnaire), case.calls)
    assert told.session.language == case.language
    assert {answer.question: answer.value for answer in told.session.answers} == case.answers
    assert told.session.status == case.status
    assert told.follow_ups == list(case.follow_ups)
    assert told.alerts == list(case.alerts)
    assert told.session.alerts == case.alerts
    if case.says:
        assert told.says == list(case.says)


@pytest.mark.parametrize("case", conversations(), ids=lambda case: case.name)
def test_each_answer_is_told_once_and_is_in_the_session(case: Conversation) -> None:
    told = lead(asked(case.questionnaire), case.calls)
    again = {answer.question: answer for answer in told.answered}
    assert tuple(again.values()) == told.session.answers
    assert len(told.answered) == len(again) + max(0, case.messages - 1)


def test_there_are_conversations_for_every_ending() -> None:
    cases = conversations()
    assert len(cases) >= 20
    assert len({case.name for case in cases}) == len(cases)
    assert {case.status for case in cases} == {each.value for each in SessionStatus}


def test_the_short_questionnaire_is_in_order_and_says_only_what_exists() -> None:
    assert check(short(), None) == []
    assert prompt_ids(short()) - load_texts(ROOT / "prompts" / "ja.yaml").keys() == set()


def test_the_daily_questionnaire_is_in_order_and_says_only_what_exists() -> None:
    assert check(daily(), None) == []
    assert prompt_ids(daily()) - load_texts(ROOT / "prompts" / "ja.yaml").keys() == set()


def test_the_daily_questionnaire_takes_one_call() -> None:
    told = lead(daily(), ("365 1 098 1 2 2 2 2 2 2 2 2 2",))
    assert told.session.status is SessionStatus.COMPLETED
    assert len(told.session.answers) == 11
    assert told.alerts == []
