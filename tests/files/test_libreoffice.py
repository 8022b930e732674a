"""A roster that is exported as a workbook, opened and saved by a real LibreOffice, and imported again is unchanged."""

import shutil
import subprocess
from datetime import date, time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ivr.files.workbook import write_workbook
from ivr.numbers import Plan, normalise
from ivr.person import OWN_TIME, Hours, Person, Risk
from ivr.roster import Rules, parse_people, rows_of
from tests.files.names import PEOPLE
from tests.night import LONG
from tests.test_roster import people

OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
RULES = Rules(lambda raw: normalise(raw, Plan.PRACTICE), ("morning", "afternoon"), ("ja", "en"))
#: What a spreadsheet would like to change: zeros in front, days, times, numbers in exponents, formulas.
TEMPTING = Person(
    "00012345",
    "1E5",
    "2026/11/1",
    ("0310000001", "09000000001"),
    ("morning", OWN_TIME),
    own_time=time(9, 5),
    hours=Hours(time(9), time(20, 30)),
    risk=Risk.HIGH,
    facts={"a": "001", "b": "TRUE"},
    begins=date(2026, 11, 1),
    birth_date=date(1935, 4, 5),
)
#: Rosters in one run of LibreOffice; it starts once for all of them.
ROSTERS = 1000 if LONG else 20


def saved_by_libreoffice(folder: Path, files: list[Path], form: str) -> Path:
    """Open each and save it in the given form."""
    assert OFFICE is not None, "scripts/setup --strangers installs LibreOffice"
    made = folder / form
    profile = f"-env:UserInstallation=file://{folder}/profile"
    arguments = (OFFICE, profile, "--headless", "--convert-to", form, "--outdir", str(made), *map(str, files))
    subprocess.run(arguments, check=True, capture_output=True, timeout=600 if LONG else 100)
    return made


@pytest.mark.asterisk
@pytest.mark.timeout(900)
def test_any_roster_comes_back_unchanged_through_libreoffice(tmp_path: Path) -> None:
    rosters: list[tuple[Person, ...]] = [(TEMPTING, *PEOPLE)]

    @settings(
        max_examples=ROSTERS - 1,
        phases=[Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @given(st.lists(people(), min_size=1, max_size=4, unique_by=lambda each: each.id.lstrip("0")))
    def collect(generated: list[Person]) -> None:
        rosters.append(tuple(generated))

    collect()
    files = []
    for at, roster in enumerate(rosters):
        files.append(tmp_path / f"{at}.xlsx")
        files[-1].write_bytes(write_workbook("名簿", rows_of(roster)))
    assert len(files) >= ROSTERS - 1
    for form in ("xlsx", "ods"):
        made = saved_by_libreoffice(tmp_path, files if form == "xlsx" or LONG else files[:3], form)
        for at, roster in enumerate(rosters if form == "xlsx" or LONG else rosters[:3]):
            content = (made / f"{at}.{form}").read_bytes()
            assert parse_people(content, "f", RULES) == roster
