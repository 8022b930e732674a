"""config.yaml: every mistake is one sentence at its line, in both languages, and the example says what is true."""

import re
from datetime import date, time
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from ivr.asterisk import SipTrunk
from ivr.call import Outcome
from ivr.config import Config, is_holiday, read_config, read_secret
from ivr.document import Loader
from ivr.errors import BadInput
from ivr.numbers import Numbering, Plan
from ivr.person import Hours
from ivr.trunks.presented import Presented
from ivr.window import Dates, DayKind, Slot
from tests.cases_runner import ROOT

EXAMPLE = (ROOT / "config.example.yaml").read_text(encoding="utf-8")


def read(folder: Path, text: str) -> Config:
    file = folder / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return read_config(file)


def changed(old: str, new: str) -> tuple[str, int]:
    """The example with one change, and the line of it."""
    assert EXAMPLE.count(old) == 1
    return EXAMPLE.replace(old, new), EXAMPLE[: EXAMPLE.index(old)].count("\n") + 1


def test_the_example_is_in_order(tmp_path: Path) -> None:
    config = read(tmp_path, EXAMPLE)
    assert config.numbers is Plan.PRACTICE
    # Paths count from the folder of the file, also those that were left out.
    assert config.database == tmp_path / "var" / "kenko-call.db"
    assert config.pbx.secret_file == tmp_path / "var" / "ari.secret"
    assert read(tmp_path, EXAMPLE.replace("prompts: prompts ", "# ")).prompts == tmp_path / "prompts"


def fields(model: type[BaseModel], data: Any, place: str = "") -> list[tuple[str, Any, Any]]:
    """Name, default and (in the data) value of every setting; `...`: the data lacks it."""
    found = []
    for name, field in model.model_fields.items():
        key = field.alias or name
        value = data.get(key, ...) if isinstance(data, dict) else ...
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found += fields(inner, value, f"{place}{key}.")
        else:
            found.append((place + key, field.get_default(), value))
    return found


DATA = yaml.load(EXAMPLE, Loader=Loader)
FIELDS = fields(Config, DATA)


def test_the_example_holds_every_setting() -> None:
    assert [name for name, _, value in FIELDS if value is ...] == []
    assert len(FIELDS) >= 20
    table = Config.model_validate(DATA).dialling.retry_table()
    assert set(DATA["dialling"]["retry_seconds"]) == {str(each) for each in table}
    assert set(DATA["slots"]["morning"]) == {"from", "until"}


def test_only_practice_has_a_clock_of_its_own(tmp_path: Path) -> None:
    text = EXAMPLE.replace("numbers: practice\n", "numbers: japan\n").replace('["05000000100"]', '["05031234567"]')
    _, line = changed("practice_clock: ", "")
    with pytest.raises(BadInput) as refused:
        read(tmp_path, text)
    assert [(each.message, each.line) for each in refused.value.problems] == [("config.clock_refused", line)]


def stated_default(name: str) -> str | None:
    """What the comment of a setting says: on its line, going on below it, or on the lines above."""
    lines = EXAMPLE.splitlines()
    key = name.rsplit(".")[-1]
    at = next(number for number, line in enumerate(lines) if re.match(rf"\s*{key}:", line))
    beside = [lines[at], *takewhile(lambda line: re.match(r" {10,}#", line), lines[at + 1 :])]
    above = [*takewhile(lambda line: line.strip().startswith("#"), reversed(lines[:at]))]
    for comment in ("\n".join(beside), "\n".join(reversed(above))):
        if found := re.search(r"[Dd]efault: ([^\s,]+?)\.?(?:\s|,|$)", comment):
            return found[1]
    return None


@pytest.mark.parametrize(
    ("name", "default"),
    [
        pytest.param(name, default, id=name)
        for name, default, _ in FIELDS
        if not isinstance(default, dict) and repr(default) != "PydanticUndefined"
    ],
)
def test_the_example_says_the_real_default(name: str, default: object) -> None:
    stated = stated_default(name)
    if default is None:
        assert stated == "none"
        return
    assert stated is not None
    assert type(default)(yaml.load(stated, Loader=Loader)) == default  # type: ignore[call-arg]


def test_the_example_says_the_real_waits() -> None:
    assert (
        Config.model_validate(DATA).dialling.retry_seconds
        == Config.model_validate(DATA | {"dialling": {}}).dialling.retry_table()
    )


def test_a_pbx_without_ari_wants_a_port(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        read(tmp_path, EXAMPLE.replace("port: 4573 ", "port: ").replace("only: false", "only: true "))
    assert "port も書いて" in caught.value.render("ja")
    assert "write a port too" in caught.value.render("en")


def test_a_centre_needs_three_files(tmp_path: Path) -> None:
    text, line = changed("  centre_url:   ", "  centre_url: https://c.jp #")
    with pytest.raises(BadInput, match="ca_file") as caught:
        read(tmp_path, text)
    # Where the part begins: none of its lines is wrong.
    begins = text.splitlines().index("sync:") + 1
    assert begins < line
    assert [each.line for each in caught.value.problems] == [begins]


@pytest.mark.parametrize(
    ("old", "new", "missing"),
    [
        ("  way: http  ", "  way: file #", "folder"),
        ("  way: http  ", "  way: fhir #", "centre_url"),
        ("  way: http  ", "  way: fax #", "'http', 'fhir'"),
    ],
)
def test_a_way_that_is_half_described_is_refused(tmp_path: Path, old: str, new: str, missing: str) -> None:
    text, _ = changed(old, new)
    with pytest.raises(BadInput, match=missing):
        read(tmp_path, text)


def test_an_outcome_that_is_left_out_keeps_its_waits(tmp_path: Path) -> None:
    text, _ = changed("    busy: [900, 1800]\n", "    busy: []\n")
    table = read(tmp_path, text.replace("    no_key: [1800, 3600]", "    # ")).dialling.retry_table()
    assert table[Outcome.BUSY] == ()
    assert table[Outcome.NO_KEY] == (1800, 3600)


@pytest.mark.parametrize(
    ("old", "new", "ja", "en"),
    [
        pytest.param("name: さくら保健所", 'name: ""', "空にはできません", "must not be empty", id="name"),
        pytest.param("time_zone: Asia/Tokyo", "time_zone: Tokyo", "Asia/Tokyo", "such as Asia/Tokyo", id="zone"),
        pytest.param("time_zone: Asia/Tokyo", "time_zone: ../x", "Asia/Tokyo", "such as Asia/Tokyo", id="zone path"),
        pytest.param("time_zone: Asia/Tokyo", "time_zone: 9", "文字で", "write text", id="zone type"),
        pytest.param("numbers: practice\n", "numbers: all\n", "'japan', 'practice'", "'japan', 'practice'", id="plan"),
        pytest.param("url: http://127", "url: ftp://127", "後ろに / は", "host and port only", id="url"),
        pytest.param(":8088    #", ":8088/ari #", "後ろに / は", "host and port only", id="url with a path"),
        pytest.param("secret_file: var/ari.secret", "secret_file: 5", "ファイルの場所", "path of a file", id="path"),
        pytest.param(
            "  centre_url:   ", "  centre_url: http://c.jp #", "https:// で始まる", "begins with https://", id="centre"
        ),
        pytest.param(
            "  centre_url:   ", "  centre_url: https://c.jp/?a=b #", "https:// で始まる", "begins with", id="query"
        ),
        pytest.param("  proxy:     ", "  proxy: socks://proxy #", "http://proxy", "http://proxy", id="proxy"),
        pytest.param("transport: auto", "transport: udp", "'http', 'websocket'", "'http', 'websocket'", id="transport"),
        pytest.param("trunk: trunk", "trunk: a/b", "pjsip.conf", "pjsip.conf", id="trunk"),
        pytest.param('["05000000100"]', "[]", "1 個以上", "at least 1", id="no number"),
        pytest.param('["05000000100"]', "05000000100", "[ ] で囲んだ", "a list in [ ]", id="no list"),
        pytest.param('["05000000100"]', "[5000000100]", '"" で囲みます', "into quotes", id="number without quotes"),
        pytest.param('["05000000100"]', '["119"]', "119", "emergency", id="emergency number"),
        pytest.param('["05000000100"]', '["0120000000"]', "練習用", "practice", id="real number in practice"),
        pytest.param("total: 4 ", "total: 0 ", "1 以上", "1 or more", id="no line"),
        pytest.param("total: 4 ", "total: 1001 ", "1000 以下", "1000 or less", id="too many lines"),
        pytest.param("total: 4 ", "total: 4.5 ", "整数", "whole number", id="half a line"),
        pytest.param("total: 4 ", "total: four ", "整数", "whole number", id="line in words"),
        pytest.param("total: 4 ", "total: [4] ", "整数", "whole number", id="list of lines"),
        pytest.param("calls_per_second: 1.0", "calls_per_second: 0", "0 より大きく", "more than 0", id="no calls"),
        pytest.param("calls_per_second: 1.0", "calls_per_second: fast", "数を書いて", "write a number", id="pace"),
        pytest.param('from: "9:00"', 'from: "9"', "時:分", "hours:minutes", id="time of day"),
        pytest.param('from: "9:00"', 'from: "24:00"', "時:分", "hours:minutes", id="midnight"),
        pytest.param('from: "9:00"', 'from: "7:59"', "8:00 から 21:00", "between 8:00 and 21:00", id="too early"),
        pytest.param('until: "16:30"', 'until: "21:01"', "8:00 から 21:00", "between 8:00 and 21:00", id="too late"),
        pytest.param('until: "16:30"', 'until: "14:00"', "from は until より前", "from before until", id="no time"),
        pytest.param('{sun: {from: "14:00"', '{holydays: {from: "14:00"', "'holiday'", "'holiday'", id="kind of day"),
        pytest.param(
            '{sun: {from: "14:00"', '{sun: {from: "7:00"', "8:00 から 21:00", "between 8:00", id="early Sunday"
        ),
        pytest.param(
            '{sun: {from: "14:00", until: "15:30"}}', "{sun: closed}", "off（電話", "write off", id="no hours"
        ),
        pytest.param("  morning: {from:", "  own: {from:", "own は本人", "own is taken", id="slot named own"),
        pytest.param("  morning: {from:", '  "a;b": {from:', "空白や ;", "one word", id="slot of two words"),
        pytest.param("blocked_days: []", "blocked_days: [{from: 2026-12-29}]", "until", "until", id="half a block"),
        pytest.param(
            "blocked_days: []", "blocked_days: [{from: 12/29, until: 1/3}]", "年-月-日", "year-month-day", id="no year"
        ),
        pytest.param(
            "blocked_days: []",
            "blocked_days: [{from: 2027-01-03, until: 2026-12-29}]",
            "from は until",
            "from must not be after",
            id="block backwards",
        ),
        pytest.param("own_time_minutes: 150", "own_time_minutes: 9", "10 以上", "10 or more", id="own time"),
        pytest.param("port: 4573 ", "port: 573 ", "1024 以上", "1024 or more", id="port of FastAGI"),
        pytest.param("times: 4 ", "times: 11 ", "10 以下", "10 or less", id="greetings"),
        pytest.param("ring_seconds: 60", "ring_seconds: 111", "110 以下", "110 or less", id="ringing too long"),
        pytest.param("attempts: 3", "attempts: 16", "15 以下", "15 or less", id="attempts"),
        pytest.param("busy: [900, 1800]", "busy: [0]", "0 より大きく", "more than 0", id="no wait"),
        pytest.param("busy: [900, 1800]", "buzy: [900]", "'busy'", "'busy'", id="unknown outcome"),
        pytest.param("  trunk: trunk", "  trunc: trunk", "「trunk」のことですか", 'mean "trunk"', id="misspelt key"),
        pytest.param("  morning: {from:", "  5: {from:", "slots.5", "slots.5", id="slot without a name"),
        pytest.param("  morning: {from:", "  morning: {form:", "「from」", '"from"', id="misspelt key of a slot"),
        pytest.param("extension: null ", "extension: 701 ", '"" で囲みます', "into quotes", id="extension no text"),
        pytest.param("extension: null ", 'extension: "7" ', "2桁から6桁", "2 to 6 digits", id="short extension"),
        pytest.param("extension: null ", 'extension: "_X." ', "2桁から6桁", "2 to 6 digits", id="pattern"),
        pytest.param("endpoints: [studio]", "endpoints: []", "1 個以上", "at least 1", id="nobody for the studio"),
        pytest.param("endpoints: [studio]", "endpoints: [a/b]", "pjsip.conf", "pjsip.conf", id="no endpoint"),
        pytest.param(
            "endpoints: [studio]", "endpoints: [studio, trunk]", "外から", "outside", id="trunk to the studio"
        ),
        pytest.param("pin_file: var/studio.pin", "pin_file: 5", "ファイルの場所", "path of a file", id="PIN file"),
        pytest.param("  user: kenko", "  user: kenko\n  user: kenko", "2回", "twice", id="twice"),
    ],
)
def test_each_mistake_is_a_sentence_at_its_line(tmp_path: Path, old: str, new: str, ja: str, en: str) -> None:
    text, line = changed(old, new)
    with pytest.raises(BadInput) as caught:
        read(tmp_path, text)
    assert ja in caught.value.render("ja")
    assert en in caught.value.render("en")
    assert {each.line for each in caught.value.problems} <= {line, line + new.count("\n")}
    for each in caught.value.problems:
        assert each.file == str(tmp_path / "config.yaml")
        assert each.render("ja").startswith(f"{each.file}:{each.line}: ")
        assert re.search("[ぁ-ん]", each.render("ja"))
        assert not re.search("[ぁ-んァ-ヶ一-龠]", each.render("en"))
        assert "\n" not in each.render()
        assert "^" not in each.render()


def test_reserved_lines_must_leave_one(tmp_path: Path) -> None:
    text, line = changed("reserved_for_inbound: 1 ", "reserved_for_inbound: 4 ")
    with pytest.raises(BadInput) as caught:
        read(tmp_path, text)
    (found,) = caught.value.problems
    assert found.line == line - 2  # the part, for it is about two of its settings
    # Not the whole part once more.
    assert found.render("en").endswith(f':{found.line}: "lines": reserved_for_inbound must be smaller than total')


def test_every_missing_setting_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        read(tmp_path, "centre: {}\npbx: {}\n")
    assert [each.values["path"] for each in caught.value.problems] == [
        "centre.name",
        "pbx.secret_file",
        "pbx.inbound_numbers",
        "slots",
    ]


def test_the_calendar_of_the_settings(tmp_path: Path) -> None:
    text, _ = changed("blocked_days: []", "blocked_days: [{from: 2026-12-29, until: 2027-01-03}]")
    text = text.replace("days: {sun:", "days: {holiday: off, sun:")
    calendar = read(tmp_path, text).calendar
    assert str(calendar.zone) == "Asia/Tokyo"
    assert calendar.blocked == (Dates(date(2026, 12, 29), date(2027, 1, 3)),)
    assert calendar.own_time_minutes == 150
    days = calendar.slots["afternoon"].days
    assert days == {DayKind.HOLIDAY: None, DayKind.SUNDAY: Hours(time(14), time(15, 30))}
    assert calendar.slots["morning"] == Slot(Hours(time(9), time(11, 30)), {})


@pytest.mark.parametrize(
    ("day", "holiday"),
    [
        ("2026-05-06", True),  # in lieu of 憲法記念日
        ("2026-09-22", True),  # between two holidays
        ("2019-05-01", True),  # a law of its own
        ("2021-07-23", True),  # moved for the Olympic games
        ("2021-07-19", False),
        ("2026-12-31", False),
        ("2027-01-01", True),
    ],
)
def test_japanese_holidays(day: str, holiday: bool) -> None:
    assert is_holiday(date.fromisoformat(day)) is holiday


def test_our_own_numbers_however_they_are_written(tmp_path: Path) -> None:
    text, _ = changed("own_numbers: []", 'own_numbers: ["03-1000-0009", "0120-000-000"]')
    assert read(tmp_path, text).numbering == Numbering(
        Plan.PRACTICE, frozenset({"05000000100", "0310000009", "0120000000"})
    )


def test_without_its_part_there_is_no_studio(tmp_path: Path) -> None:
    text = EXAMPLE[: EXAMPLE.index("studio:\n")] + EXAMPLE[EXAMPLE.index("lines:\n") :]
    assert (studio := read(tmp_path, text).studio) == read(tmp_path, EXAMPLE).studio
    assert (studio.extension, studio.pin_file) == (None, tmp_path / "var" / "studio.pin")


REAL = EXAMPLE.replace("numbers: practice\n", "numbers: japan\n").replace("practice_clock: 2026-11-04 09:00\n", "\n")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("busy: [900, 1800]", "busy: [900, 179]"),
        ("rest_seconds: 180", "rest_seconds: 179.9"),
        ("failed: [900]", "failed: [1]"),
    ],
)
def test_calls_to_one_number_are_apart_as_the_law_wants(tmp_path: Path, old: str, new: str) -> None:
    assert REAL.count(old) == 1
    with pytest.raises(BadInput) as caught:
        read(tmp_path, REAL.replace(old, new))
    spacing, number = caught.value.problems
    assert (spacing.message, number.message) == ("config.spacing", "number.practice")
    assert spacing.line == REAL[: REAL.index(old)].count("\n") + 1
    assert "180" in spacing.render("en")
    text, _ = changed(old, new)
    read(tmp_path, text)  # the practice network may be in a hurry


def test_a_full_network_may_be_tried_again_soon(tmp_path: Path) -> None:
    read(tmp_path, EXAMPLE.replace("congestion: [60,", "congestion: [10,"))


def test_the_secret(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("  pass word \n", encoding="utf-8")
    assert read_secret(file) == "pass word"
    file.write_text("\n")
    for path, message in ((file, "config.empty_secret"), (tmp_path / "none", "config.no_secret")):
        with pytest.raises(BadInput) as caught:
            read_secret(path)
        assert [each.message for each in caught.value.problems] == [message]


def with_sip(*trunks: str) -> str:
    text, count = re.subn(r"sip_trunks: \[\].*\n", f"sip_trunks: [{', '.join(trunks)}]\n", EXAMPLE)
    assert count == 1
    return text


SIP = 'host: sip.example.jp, networks: ["198.51.100.0/24"]'


@pytest.mark.parametrize(
    ("trunks", "message"),
    [
        (["{name: other, " + SIP + "}"], "config.trunk_unknown"),
        (["{" + SIP + "}", "{" + SIP + "}"], "config.trunk_twice"),
        (["{" + SIP + ", user: line1}"], "config.user_and_password"),
        (["{" + SIP + ", password_file: var/x}"], "config.user_and_password"),
        (["{host: a b, networks: [198.51.100.1]}"], "yaml.wrong_value"),
        (["{host: sip.example.jp, networks: [sip.example.jp]}"], "yaml.wrong_value"),
        (["{host: sip.example.jp, networks: [0.0.0.0/0]}"], "yaml.wrong_value"),
        (["{host: sip.example.jp, networks: []}"], "yaml.wrong_value"),
    ],
)
def test_sip_trunks_that_cannot_be(tmp_path: Path, trunks: list[str], message: str) -> None:
    with pytest.raises(BadInput) as refused:
        read(tmp_path, with_sip(*trunks))
    (found,) = refused.value.problems
    assert found.message == message
    assert "sip_trunks" in EXAMPLE.splitlines()[(found.line or 0) - 1]


def test_the_example_says_every_key_of_a_sip_trunk(tmp_path: Path) -> None:
    above = EXAMPLE[: EXAMPLE.index("sip_trunks: []")].rpartition("Each has these keys:\n")[2]
    stated = dict(re.findall(r"(?m)^    #   ([a-z_]+): (\S+)", above))
    assert stated.keys() == SipTrunk.model_fields.keys()
    for name, field in SipTrunk.model_fields.items():
        found = re.search(rf"(?m)^    #   {name}: .*Default: ([^\s,]+)$", above)
        if found and found[1] not in ("that", "none"):
            assert type(field.default)(yaml.load(found[1], Loader=Loader)) == field.default
    # And as it stands there it is taken.
    given = yaml.load(re.sub(r"(?m)^    #   ", "", above.partition("    # Default: []")[0]), Loader=Loader)
    assert SipTrunk.model_validate(given).networks == ("198.51.100.0/24",)


TRUNKS = """trunks:
  - {name: trunk, caller_id: "05000000200", total: 6, reserved_for_inbound: 1, calls_per_second: 2}
  - {name: second, total: 8}
"""


def with_trunks(text: str = TRUNKS) -> str:
    """The example with trunks in place of lines."""
    kept = re.sub(r"(?m)^lines:\n(?:  .*\n)+", "", EXAMPLE)
    return kept.replace("trunks: []\n", text)


def test_one_trunk_is_what_lines_say_and_several_what_trunks_say(tmp_path: Path) -> None:
    (only,) = read(tmp_path, EXAMPLE).all_trunks()
    assert (only.name, only.total, only.reserved_for_inbound) == ("trunk", 4, 1)
    config = read(tmp_path, with_trunks())
    assert [(each.name, each.total, each.calls_per_second) for each in config.all_trunks()] == [
        ("trunk", 6, 2),
        ("second", 8, 1),
    ]
    assert "05000000200" in config.own_numbers()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (EXAMPLE.replace("trunks: []\n", TRUNKS), "config.lines_and_trunks"),
        (with_trunks(TRUNKS.replace("name: second", "name: trunk")), "config.trunk_twice"),
        (with_trunks(TRUNKS.replace("05000000200", "119")), "number.emergency"),
    ],
)
def test_trunks_that_cannot_be(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput) as refused:
        read(tmp_path, text)
    assert [each.message for each in refused.value.problems] == [message]
    assert refused.value.problems[0].line


def test_who_we_are_on_each_trunk(tmp_path: Path) -> None:
    """What calls say, `pbx render` writes and the leaflet prints: the first number in, or the trunk's own."""
    sip = """sip_trunks:
      - {name: trunk, host: sip.example.jp, networks: ["198.51.100.0/24"], domain: example.jp}
      - {name: second, host: 198.51.100.9, networks: ["198.51.100.0/24"], from_user: line1}
"""
    config = read(tmp_path, with_trunks().replace("sip_trunks: []              # Default: []\n", sip))
    assert config.presented() == {
        "trunk": Presented("05000000200", "05000000200", "example.jp", False),
        "second": Presented(config.pbx.inbound_numbers[0], "line1", "198.51.100.9", True),
    }
    assert config.callers() == ("05000000200", config.pbx.inbound_numbers[0])
    alone = read(tmp_path, EXAMPLE)
    assert alone.callers() == alone.pbx.inbound_numbers[:1]
