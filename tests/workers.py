"""How the tests are spread over worker processes, and a line a minute that says where they are.

Knows pytest and pytest-xdist, nothing of what is tested.
"""

import os
import threading
import time

import pytest

#: Seconds between two lines of progress.
PROGRESS_SECONDS = 30.0
#: How many of the running tests a line names.
NAMED = 3


# Before pytest-xdist writes the group into the name of the test.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one scene on one worker, and begin with those that may take longest.

    A scene is a fixture of a module: whoever shares it must not have it played again elsewhere. Tests of the real
    Asterisk without such a fixture go wherever a worker is free; each worker has a practice network of its own.
    """
    for item in items:
        if item.get_closest_marker("asterisk") and (group := _scene_of(item)):
            item.add_marker(pytest.mark.xdist_group(group))
    # Stable: the order within a module stays. The limit says which scenes are long.
    items.sort(key=_limit, reverse=True)


def _limit(item: pytest.Item) -> float:
    limit = item.get_closest_marker("timeout")
    return float(limit.args[0]) if limit and item.get_closest_marker("asterisk") else 0.0


def _scene_of(item: pytest.Item) -> str:
    """The module and the variant of its scene; empty if there is none."""
    assert isinstance(item, pytest.Function)
    shared = {
        name
        for name, found in item._fixtureinfo.name2fixturedefs.items()
        if found[-1].scope == "module" and found[-1].baseid == item.location[0]
    }
    if not shared:
        return ""
    variants = getattr(item, "callspec", None)
    chosen = [f"{name}-{variants.indices[name]}" for name in sorted(shared) if variants and name in variants.indices]
    return "-".join([item.location[0], *chosen])


class Progress:
    """Says about once a minute how many tests are done and which ones are running."""

    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self.reporter = reporter
        self.began = time.monotonic()
        self.running: dict[str, float] = {}
        self.done = 0
        self.failed = 0
        self.over = threading.Event()
        threading.Thread(target=self._tell, daemon=True).start()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins, on any worker."""
        self.running[nodeid] = time.monotonic()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """A test is over, on any worker."""
        self.running.pop(nodeid, None)
        self.done += 1

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count what failed."""
        self.failed += report.failed

    def pytest_sessionfinish(self) -> None:
        """No more lines."""
        self.over.set()

    def _tell(self) -> None:
        while not self.over.wait(PROGRESS_SECONDS):
            self.reporter.ensure_newline()
            self.reporter.write_line(self.line(time.monotonic()))

    def line(self, now: float) -> str:
        """Where the run is."""
        minutes, seconds = divmod(int(now - self.began), 60)
        longest = sorted(self.running.items(), key=lambda each: each[1])[:NAMED]
        names = ", ".join(f"{_short(nodeid)} ({now - since:.0f} s)" for nodeid, since in longest)
        return f"[{minutes}:{seconds:02}] {self.done} done, {self.failed} failed, {len(self.running)} running: {names}"


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Tell progress where people read it: not on the workers."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if hasattr(config, "workerinput"):
        # pytest imports readline, which sets the size of a terminal for the workers; they have none.
        for name in ("COLUMNS", "LINES"):
            os.environ.pop(name, None)
    elif reporter is not None:
        config.pluginmanager.register(Progress(reporter), "progress")


def _short(nodeid: str) -> str:
    """A test without its folder and the name of its scene, which pytest-xdist puts behind an @."""
    return nodeid.split("@")[0].split("::", 1)[-1] if "::" in nodeid else nodeid
