"""Runs the same tests several times and lists what was not the same each time: `scripts/test --repeat N`.

Knows pytest's report and nothing of what is tested.
"""

import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree


def results(report: Path) -> dict[str, str]:
    """Test -> passed, failed, error or skipped, from a report in JUnit's form."""
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        found[name] = next((each.tag for each in case if each.tag in ("failure", "error", "skipped")), "passed")
    return found


def unlike(runs: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    """Tests whose result was not the same in each run, with their results; "missing": it did not run at all."""
    names = sorted({name for run in runs for name in run})
    told = {name: [run.get(name, "missing") for run in runs] for name in names}
    return {name: each for name, each in told.items() if len(set(each)) > 1}


def failing(runs: Sequence[Mapping[str, str]]) -> dict[str, int]:
    """Tests that failed, and in how many runs."""
    counted: dict[str, int] = defaultdict(int)
    for run in runs:
        for name, result in run.items():
            counted[name] += result in ("failure", "error")
    return {name: count for name, count in sorted(counted.items()) if count}


def main(times: int, arguments: Sequence[str]) -> int:
    """Run, tell, and give the exit code: 0 if every test passed every time."""
    runs = []
    with tempfile.TemporaryDirectory(prefix="kenko-repeat-") as folder:
        for at in range(times):
            began, report = time.monotonic(), Path(folder) / f"{at}.xml"
            command = (sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *arguments)
            code = subprocess.run(command, check=False).returncode
            runs.append(results(report) if report.exists() else {})
            _tell(f"run {at + 1} of {times}: exit code {code}, {len(runs[-1])} tests, {time.monotonic() - began:.0f} s")
    for name, count in failing(runs).items():
        _tell(f"failed in {count} of {times}: {name}")
    flaky = unlike(runs)
    for name, told in flaky.items():
        _tell(f"not the same each time: {name}: {', '.join(told)}")
    _tell(f"{len(flaky)} tests were not the same in each of {times} runs")
    return 1 if flaky or failing(runs) or not all(runs) else 0


def _tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a program for the terminal


if __name__ == "__main__":
    at = sys.argv.index("--")
    sys.exit(main(int(sys.argv[1]), [*sys.argv[2:at], *sys.argv[at + 1 :]]))
