"""How a run of the tests is spread, told and repeated."""

from pathlib import Path

from tests.repeated import failing, results, unlike

ROOT = Path(__file__).parent
#: Where scripts/test looks for tests of the real Asterisk.
TELEPHONES = {"acceptance", "asterisk", "contract", "files"}


def test_the_real_asterisk_is_met_only_in_the_folders_that_are_run_side_by_side() -> None:
    marked = {
        path.relative_to(ROOT).parts[0]
        for path in ROOT.rglob("test_*.py")
        if "mark.asterisk" in path.read_text(encoding="utf-8") and path != Path(__file__)
    }
    assert marked == TELEPHONES


def test_a_report_is_read(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite><testcase classname="tests.a" name="test_one"/>'
        '<testcase classname="tests.a" name="test_two"><failure/></testcase>'
        '<testcase classname="tests.a" name="test_three"><error/></testcase></testsuite></testsuites>'
    )
    assert results(report) == {
        "tests.a::test_one": "passed",
        "tests.a::test_two": "failure",
        "tests.a::test_three": "error",
    }


def test_what_was_not_the_same_each_time_is_listed() -> None:
    runs = [
        {"a": "passed", "b": "failure", "c": "passed"},
        {"a": "passed", "b": "passed"},
        {"a": "passed", "b": "passed", "c": "passed"},
    ]
    assert unlike(runs) == {"b": ["failure", "passed", "passed"], "c": ["passed", "missing", "passed"]}
    assert failing(runs) == {"b": 1}
