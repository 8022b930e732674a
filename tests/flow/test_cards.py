"""What stands on the cards of a drawing."""

import re
from dataclasses import replace
from html import unescape

import pytest

from ivr.flow.cards import CLOSING, Card, Exit, cards_of
from ivr.flow.style import fits, key, word, wrap
from ivr.prompt_texts import load_texts
from ivr.questionnaire.model import Questionnaire
from ivr.questionnaire.parse import parse
from tests.cases_runner import CASES, ROOT, daily

TEXTS = load_texts(ROOT / "prompts" / "ja.yaml")


def branching() -> Questionnaire:
    return parse((CASES / "branching.yaml").read_bytes(), "branching.yaml")


def shown(card: Card) -> str:
    """The text of a card without line breaks and looks."""
    return unescape(re.sub("<[^>]*>", "", card.label))


def cards(questionnaire: Questionnaire, language: str = "ja") -> dict[str, Card]:
    return {each.id: each for each in cards_of(questionnaire, TEXTS, language)}


def keys_on(card: Card) -> list[str]:
    return [unescape(each) for each in re.findall(r'HEIGHT="22"[^>]*><B>(.+?)</B>', card.label)]


def test_every_question_of_the_daily_one_shows_prompts_keys_times_and_alerts() -> None:
    found, questionnaire = cards(daily()), daily()
    assert [*found] == ["opening", *(f"q_{each.id}" for each in questionnaire.questions), "closing", "keys", "alerts"]
    for number, question in enumerate(questionnaire.questions, 1):
        card = found[f"q_{question.id}"]
        wait = f"待ち時間 {question.times.first_key:g} 秒・{question.tries} 回まで"
        assert shown(card).startswith(f"{number}　{questionnaire.words[question.id]['ja']}{wait}")
        assert all(TEXTS[prompt] in shown(card) for prompt in question.ask)
        assert {*"".join(question.options)} <= {*keys_on(card)}
    assert keys_on(found["q_temperature"]) == ["3", "6", "5", "5", "#"]
    assert keys_on(found["q_oxygen"]) == ["9", "8", "#", "5", "#"]
    assert "要注意　38.5 以上 のとき" in shown(found["q_temperature"])
    assert "緊急　94 未満 のとき要注意　94 以上 96 未満 のとき" in shown(found["q_oxygen"])
    assert "緊急　はい のとき" in shown(found["q_breathless"])
    assert "のとき" not in shown(found["q_cough"])
    assert TEXTS["daily/opening"] in shown(found["opening"])
    assert TEXTS["daily/closing"] in shown(found["closing"])
    assert all(rule.reason["ja"] in shown(found["alerts"]) for rule in questionnaire.alerts)
    assert keys_on(found["keys"]) == ["*", "0", "#"]


def test_english_for_english_staff() -> None:
    found = cards(daily(), "en")
    assert "urgent: 38.5 or more" in shown(found["q_temperature"])
    assert TEXTS["daily/cough"] in shown(found["q_cough"])
    assert shown(found["q_cough"]).startswith("4　cough or runny nosewaits 30 s, 4 tries")


def test_jumps_and_conditions() -> None:
    found = cards(branching())
    well, again = found["q_well"], found["q_again"]
    assert well.exits == (Exit("q_goodbye", "よい"), Exit("q_symptoms", "わるい"))
    assert "よい ➜ 案内（答えは不要） goodbyeわるい ➜ 4　症状" in shown(well)
    assert well.goes_on
    assert again.exits == (Exit("q_temperature", "はい"), Exit(CLOSING, "そのほか"))
    assert "そのほか ➜ 終わりの案内" in shown(again)
    assert not again.goes_on
    assert "◇ 次のときだけ: 測定器: はい" in shown(found["q_oxygen"])
    assert "◇ 次のときだけ: 体温: 38 以上 / 症状: 熱" in shown(found["q_hot"])
    assert "要注意　前回より 2 以上低い のとき" in shown(found["q_oxygen"])
    assert "緊急　せき のとき（ほかの条件も）" in shown(found["q_symptoms"])
    assert keys_on(found["q_symptoms"]) == ["1", "2", "3", "4", "9", "#"]
    assert "60 秒まで" in shown(found["q_message"])
    assert "青い矢印" in shown(found["keys"])
    assert "青い矢印" not in shown(cards(daily())["keys"])


def test_prompts_of_a_language_of_their_own_and_prompts_with_blanks() -> None:
    texts = dict(TEXTS) | {"en:frame/ready": "Press 1."}
    questionnaire = replace(
        branching(),
        next_call=("frame/next_call", "{next_day}", "{next_time}"),
        questions=(
            replace(
                branching().questions[0], ask=("ja:frame/ready", "en:frame/ready", "value/temperature_{temperature}")
            ),
        ),
    )
    found = {each.id: each for each in cards_of(questionnaire, texts, "ja")}
    assert f"{TEXTS['frame/ready']}Press 1.［体温］" in shown(found["q_well"])
    assert "［次の電話の日］［次の電話の時刻］" in shown(found["closing"])
    assert "opening" not in {each.id for each in cards_of(replace(questionnaire, opening=()), texts, "ja")}


@pytest.mark.parametrize(
    ("then", "goes_on"),
    [
        ({}, True),
        ({"yes": "end"}, True),
        ({"otherwise": "end"}, False),
        ({"yes": "end", "otherwise": "end"}, False),
        ({"yes": "end", "no": "end", "unknown": "end"}, False),
    ],
)
def test_whether_a_card_leads_to_the_one_below(then: dict[str, str], goes_on: bool) -> None:
    questionnaire = daily()
    cough = replace(questionnaire.questions[3], then=then)
    changed = replace(questionnaire, questions=(cough, questionnaire.questions[4]))
    assert cards(changed)["q_cough"].goes_on == goes_on
    asked_sometimes = replace(cough, when=branching().questions[2].when)
    assert cards(replace(questionnaire, questions=(asked_sometimes,)))["q_cough"].goes_on


def test_what_a_text_says_is_never_taken_for_a_drawing() -> None:
    questionnaire = replace(daily(), words={"cough": {"ja": '<B>&"'}}, title={"ja": "<"})
    assert shown(cards(questionnaire)["q_cough"]).startswith('4　<B>&"')


def test_lines_fit_and_break_where_they_may() -> None:
    assert wrap("あいうえおかきくけこ", 10, 50) == ["あいうえお", "かきくけこ"]
    assert wrap("あいうえお。かきくけこ", 10, 50) == ["あいうえお。", "かきくけこ"]
    assert wrap("one two three", 10, 50) == ["one two", "three"]
    assert wrap("", 10, 50) == [""]
    assert fits([key("1"), word("はい")])
    assert not fits([key("1"), word("とても長い言葉で書かれたひとつの答えがここにあるとき")])
