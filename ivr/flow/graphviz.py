"""Runs Graphviz, which draws: `dot` is the only program of its that is needed."""

import re
import shutil
import subprocess

from ivr.errors import BadInput, problem

#: Seconds; the daily questionnaire takes less than one.
_LONGEST = 60

_SIZE = re.compile(r"^node (\w+) \S+ \S+ \S+ (\S+) ", re.MULTILINE)


def heights_of(source: str) -> dict[str, float]:
    """Node -> its height in points, as Graphviz measures it with the fonts of this machine. Raises BadInput."""
    return {name: float(inches) * 72 for name, inches in _SIZE.findall(_run(source, "-Kdot", "-Tplain"))}


def svg_of(source: str) -> str:
    """The drawing, every node where its `pos` says. Raises BadInput."""
    return _run(source, "-Kneato", "-n2", "-Tsvg")


def check_fonts() -> None:
    """Raises BadInput without a Japanese font: Graphviz would measure boxes, and the cards lie over each other."""
    program = shutil.which("fc-list")
    if program is None:
        return  # nobody can say; wherever Graphviz is, this is too
    try:
        found = subprocess.run([program, ":lang=ja", "family"], capture_output=True, timeout=_LONGEST, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return
    if found.returncode == 0 and not found.stdout.strip():
        raise BadInput(problem("flow.no_font"))


def _run(source: str, *options: str) -> str:
    program = shutil.which("dot")
    if program is None:
        raise BadInput(problem("flow.no_graphviz"))
    try:
        done = subprocess.run(
            [program, *options], input=source.encode(), capture_output=True, timeout=_LONGEST, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BadInput(problem("flow.failed", reason=str(error))) from None
    if done.returncode != 0:
        raise BadInput(problem("flow.failed", reason=done.stderr.decode(errors="replace").strip()[:500]))
    return done.stdout.decode()
