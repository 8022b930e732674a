"""The boundaries of the design, read from the imports: who may know whom, who may touch the clock, who may hold SQL."""

import ast
import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.startup import make_site

ROOT = Path(__file__).parent.parent
PACKAGES = ("ivr", "scheduler", "sandbox", "bench")

#: Modules that decide and never act. They import the standard library's pure parts and each other.
PURE = (
    "ivr.call",
    "ivr.core",
    "ivr.digits",
    "ivr.endpoints",
    "ivr.handover",
    "ivr.identity",
    "ivr.numbers",
    "ivr.pressing",
    "ivr.person",
    "ivr.cells",
    "ivr.files.dates",
    "ivr.files.given_text",
    "ivr.files.roster_rules",
    "ivr.files.tables",
    "ivr.files.workbook",
    "ivr.reported",
    "ivr.roster",
    "ivr.spreadsheet",
    "ivr.prompts",
    "ivr.export",
    "ivr.sync.changes",
    "ivr.sync.codes",
    "ivr.sync.comparison",
    "ivr.sync.delivery",
    "ivr.sync.documents",
    "ivr.sync.fhir",
    "ivr.sync.fhir_questionnaire",
    "ivr.sync.files",
    "ivr.sync.listed",
    "ivr.sync.merging",
    "ivr.flow.cards",
    "ivr.flow.page",
    "ivr.flow.style",
    "ivr.leaflet.content",
    "ivr.ami.alarms",
    "ivr.ami.state",
    "ivr.ari.causes",
    "ivr.ari.events",
    "ivr.ari.playing",
    "ivr.ari.settings",
    "ivr.ari.taping",
    "ivr.fastagi.header",
    "ivr.fastagi.settings",
    "ivr.fastagi.words",
    "ivr.questionnaire",
    "ivr.spoken",
    "ivr.trunks",
    "ivr.transferred",
    "ivr.pbx_check",
    "ivr.doctor.chosen",
    "ivr.doctor.judgement",
    "ivr.doctor.pull",
    "ivr.doctor.secondway",
    "ivr.voice.limits",
    "ivr.voice.readings",
    "ivr.voice.script",
    "ivr.window",
    "scheduler.bound",
    "scheduler.calendar",
    "scheduler.clock",
    "scheduler.gates",
    "scheduler.health",
    "scheduler.pacing",
    "scheduler.policy",
    "scheduler.queue",
    "scheduler.watchdog",
)
#: What a pure module may import besides pure ones: reading YAML text into records, and how problems are said.
PURE_MAY_USE = ("ivr.document", "ivr.errors", "ivr.messages", "ivr.phone")
DRIVERS = ("ivr.ami", "ivr.ari", "ivr.fastagi", "ivr.terminal")
#: Nothing of these may be known to a driver.
NOT_FOR_DRIVERS = ("ivr.storage", "ivr.config", "scheduler", "ivr.service", "ivr.cli")
#: Where the real clock, real ids and real sleep may be named.
ROOTS = ("ivr.service", "ivr.cli", "sandbox", "bench", "ivr.voice")


def modules() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(modules())


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from ivr.questionnaire import turns` names the module turns.
            found |= {f"{node.module}.{each.name}" for each in node.names if f"{node.module}.{each.name}" in MODULES}
            found.add(node.module)
    return found


def inside(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == each or module.startswith(each + ".") for each in packages)


def calls(path: Path) -> set[str]:
    """Dotted names that are called or handed on, such as `datetime.now`."""
    return {ast.unparse(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("module", [each for each in MODULES if inside(each, PURE)])
def test_pure_modules_import_only_pure_modules(module: str) -> None:
    ours = {each for each in imports(MODULES[module]) if each.split(".")[0] in PACKAGES}
    assert {each for each in ours if not inside(each, PURE + PURE_MAY_USE)} == set()
    assert imports(MODULES[module]) & {"asyncio", "time", "random", "os", "sqlite3", "aiohttp", "sqlalchemy"} == set()


@pytest.mark.parametrize("module", [each for each in MODULES if inside(each, DRIVERS)])
def test_drivers_know_neither_storage_nor_config_nor_each_other(module: str) -> None:
    found = imports(MODULES[module])
    assert {each for each in found if inside(each, NOT_FOR_DRIVERS)} == set()
    others = tuple(each for each in DRIVERS if not inside(module, (each,)))
    assert {each for each in found if inside(each, others)} == set()


# The stand-in centre is somebody else's system, with a database of its own.
HOLD_SQL = ("ivr.storage", "sandbox.centre", "sandbox.centre_changes", "sandbox.centre_digests")


@pytest.mark.parametrize("module", [each for each in MODULES if not inside(each, HOLD_SQL)])
def test_only_storage_holds_sql(module: str) -> None:
    sql = ("sqlalchemy", "sqlite3", "pysqlite3", "alembic")
    assert {each for each in imports(MODULES[module]) if inside(each, sql)} == set()


@pytest.mark.parametrize("module", [each for each in MODULES if inside(each, ("scheduler",))])
def test_the_scheduler_knows_no_channel(module: str) -> None:
    assert {
        each for each in imports(MODULES[module]) if inside(each, ("ivr.ari", "ivr.fastagi", "ivr.terminal"))
    } == set()


@pytest.mark.parametrize("module", [each for each in MODULES if not inside(each, ROOTS)])
def test_time_ids_and_chance_come_in_as_arguments(module: str) -> None:
    named = calls(MODULES[module])
    assert (
        named & {"datetime.now", "datetime.utcnow", "date.today", "uuid.uuid4", "time.time", "random.random"} == set()
    )


@pytest.mark.parametrize("module", [each for each in MODULES if inside(each, ("ivr", "scheduler"))])
def test_nothing_catches_everything(module: str) -> None:
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else ""
            tidies_up = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
            assert tidies_up or caught not in ("", "BaseException")


#: Borders whose fault staff are told of elsewhere.
TOLD_ELSEWHERE = {
    # Drivers know no storage: whose call it is writes down how it ended, and tells (ivr.service, ivr.conversation).
    "ivr.ari.app",
    "ivr.fastagi.server",
    # It keeps the alarms themselves: it tries again every second.
    "ivr.storage.pending",
}


@pytest.mark.parametrize("module", [each for each in MODULES if inside(each, ("ivr", "scheduler"))])
def test_every_task_border_tells_staff(module: str) -> None:
    """What ends at a border is an alarm, not a log line alone; see docs/dialler.md for what becomes of its subject."""
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ExceptHandler) and node.type and ast.unparse(node.type) == "Exception":
            told = {ast.unparse(each.func).split(".")[-1] for each in ast.walk(node) if isinstance(each, ast.Call)}
            assert "note" in told or module in TOLD_ELSEWHERE, f"{module}:{node.lineno}"


@pytest.mark.parametrize("module", list(MODULES))
def test_modules_say_what_they_hold(module: str) -> None:
    source = MODULES[module].read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(source))


def test_a_running_service_loads_no_library_that_only_commands_need() -> None:
    """Those for audio would cost every service 15 MB and 0.2 s, for what only those need who make sounds."""
    unwanted = "'numpy', 'soxr', 'soundfile', 'fhir', 'cryptography'"
    code = f"import sys, ivr.service, ivr.cli.commands; print({{{unwanted}}} & sys.modules.keys())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


#: What everything typed at a shell may import besides the standard library and itself; each command its own besides.
_EVERY_COMMAND = {"ivr", "typer", "annotated_doc", "shellingham", "yaml", "cython_runtime"}
_SETTINGS = {"pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"}


@pytest.mark.parametrize(
    ("command", "libraries", "most"),
    [("--help", set(), 6), ("check", _SETTINGS, 75), ("status", {*_SETTINGS, "sqlalchemy", "pysqlite3", "rich"}, 80)],
)
async def test_a_command_imports_what_it_uses_and_no_more(
    command: str, libraries: set[str], most: int, tmp_path: Path
) -> None:
    """`most`: modules of ours. What this costs is measured by `scripts/bench startup`."""
    config = await make_site(tmp_path)
    code = (
        "import sys\nfrom ivr.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    print('@', end.code, *sys.modules)"
    )
    environment = os.environ | {"KENKO_CONFIG": str(config)}
    ran = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", code, command],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    ended, *loaded = ran.stdout.rpartition("@ ")[2].split()
    assert ended == "0"
    packages = {each.split(".")[0] for each in loaded if not each.startswith("_")} - sys.stdlib_module_names
    assert packages <= _EVERY_COMMAND | libraries
    assert "sqlalchemy.dialects.postgresql" not in loaded
    assert sum(inside(each, ("ivr",)) for each in loaded) <= most


def test_no_class_is_called_after_nothing() -> None:
    for path in MODULES.values():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                assert not node.name.endswith(("Manager", "Helper", "Utils", "Util"))
