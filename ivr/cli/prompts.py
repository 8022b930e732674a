"""`kenko-call prompts …`: the sounds of calls, for those who look after what is said."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from ivr.cli.output import AsJson, print_json
from ivr.cli.screen import console
from ivr.errors import BadInput, Problem, problem
from ivr.messages import text
from ivr.voice.manifest import RECORDING
from ivr.voice.review import Reviewed, check_prompts, review, voice_in_words

if TYPE_CHECKING:
    from ivr.voice import build as building


Folder = Annotated[Path, typer.Option("--prompts", help=text("cli.prompts.folder"))]
Language = Annotated[str, typer.Option("--language", "-l", help=text("cli.prompts.language"))]
PROMPTS = Path("prompts")


def build(
    folder: Folder = PROMPTS,
    language: Annotated[str | None, typer.Option("--language", "-l", help=text("cli.prompts.languages"))] = None,
    everything: Annotated[bool, typer.Option("--all", help=text("cli.prompts.build.all"))] = False,
    wide: Annotated[bool, typer.Option("--wide", help=text("cli.prompts.build.wide"))] = False,
    as_json: AsJson = False,
) -> int:
    # Audio libraries are loaded by the commands that need them: the others start at once.
    from ivr.voice import build as building

    languages = [language] if language else languages_in(folder)
    done: dict[str, building.Built] = {}
    for each in languages:
        wanted = building.Wanted(folder, each, _today(), everything, wide)
        with _bar(text("cli.prompts.build.bar", language=each), hidden=as_json) as bar, _writing(folder):
            done[each] = building.build(wanted, bar)
    return _report(done, as_json)


def list_prompts(folder: Folder = PROMPTS, language: Language = "ja", as_json: AsJson = False) -> int:
    found = review(folder, language)
    if as_json:
        print_json([_as_data(number, each) for number, each in enumerate(found, 1)])
        return 0
    title = text("cli.prompts.list.title", language=language, count=len(found))
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for column in ("number", "voice", "day", "seconds", "state"):
        table.add_column(text(f"cli.prompts.column.{column}"), no_wrap=True)
    # The words below the id: both may be long, and an id that is cut off cannot be typed.
    table.add_column(text("cli.prompts.column.prompt"), overflow="fold", ratio=1)
    for number, each in enumerate(found, 1):
        table.add_row(*_as_row(number, each))
    console.print(table)
    return 0


def check(
    folder: Folder = PROMPTS,
    language: Annotated[str | None, typer.Option("--language", "-l", help=text("cli.prompts.languages"))] = None,
    as_json: AsJson = False,
) -> int:
    problems: list[Problem] = []
    for each in [language] if language else languages_in(folder):
        problems += check_prompts(folder, each)
    if as_json:
        print_json({"problems": [_problem_data(each) for each in problems]})
        return 2 if problems else 0
    for found in problems:
        typer.echo(found.render(), err=True)
    typer.echo(text("cli.check.problems", count=len(problems)) if problems else text("cli.check.fine"))
    return 2 if problems else 0


def import_file(
    file: Annotated[Path, typer.Argument(help=text("cli.prompts.import.file"))],
    prompt: Annotated[str, typer.Argument(help=text("cli.prompts.import.prompt"), metavar="ID")],
    folder: Folder = PROMPTS,
    language: Language = "ja",
    as_json: AsJson = False,
) -> int:
    from ivr.voice import build as building

    with _writing(folder):
        built = building.import_recording(building.Wanted(folder, language, _today()), prompt, file)
    if as_json:
        return _report({language: built}, as_json)
    now = next(each for each in review(folder, language, {prompt}))
    typer.echo(text("cli.prompts.import.done", prompt=prompt, text=now.line.text, seconds=f"{now.seconds or 0:.1f}"))
    return 0


def audition(
    folder: Folder = PROMPTS,
    language: Language = "ja",
    voices: Annotated[str | None, typer.Option("--voices", help=text("cli.prompts.audition.voices"))] = None,
    page: Annotated[Path, typer.Option("--page", help=text("cli.prompts.audition.page"))] = Path("audition.html"),
) -> int:
    import ivr.voice.audition as auditioning

    wanted = voices.split(",") if voices else auditioning.voices_of(language)
    with _bar(text("cli.prompts.audition.bar"), hidden=False) as bar:
        heard = auditioning.hear(folder, language, wanted, bar)
    with _writing(page):
        page.write_text(auditioning.page(language, heard), encoding="utf-8")
    for each in heard.missing:
        typer.echo(each.render(), err=True)
    typer.echo(text("cli.prompts.audition.done", file=page, count=len(heard.voices)))
    return 1 if heard.missing else 0


def languages_in(folder: Path) -> list[str]:
    """The languages that have a script here. Raises BadInput if there is none."""
    found = sorted(each.stem for each in folder.glob("??.yaml"))
    if not found:
        raise BadInput(problem("voice.no_script", str(folder)))
    return found


def _report(done: "dict[str, building.Built]", as_json: bool) -> int:
    if as_json:
        print_json(
            {
                language: {
                    "made": built.made,
                    "kept": built.kept,
                    "removed": built.removed,
                    "outdated": built.outdated,
                    "seconds": round(built.seconds, 1),
                    "problems": [_problem_data(each) for each in built.problems],
                }
                for language, built in done.items()
            }
        )
    for language, built in done.items():
        for each in built.problems:
            typer.echo(each.render(), err=True)
        for name in built.outdated:
            typer.echo(text("cli.prompts.build.outdated", prompt=name), err=True)
        if not as_json:
            minutes = f"{built.seconds / 60:.1f}"
            typer.echo(text("cli.prompts.build.done", language=language, made=len(built.made), kept=built.kept,
                            removed=len(built.removed), minutes=minutes))  # fmt: skip
    return 1 if any(built.problems or built.outdated for built in done.values()) else 0


def _as_row(number: int, each: Reviewed) -> list[Text | str]:
    seconds = "–" if each.seconds is None else f"{each.seconds:.1f}"
    state, why = _state(each)
    said = Text(each.line.prompt)
    for more in (each.line.text, why):
        if more:
            said.append("\n" + more, style="dim" if more == each.line.text else "yellow")
    day = each.made.day if each.made else "–"
    return [str(number), voice_in_words(each.made), day, seconds, text(f"cli.prompts.state.{state}"), said]


def _state(each: Reviewed) -> tuple[str, str]:
    """The word for it, and what was recorded instead of the present words."""
    if each.outdated:
        return "outdated", text("cli.prompts.recorded_for", text=each.outdated.text)
    if each.made and each.made.text != each.line.text:
        return "stale", text("cli.prompts.recorded_for", text=each.made.text)
    return ("wrong" if each.problems else "fine"), ""


def _as_data(number: int, each: Reviewed) -> dict[str, object]:
    made = each.made
    age = (datetime.now(UTC).date() - datetime.fromisoformat(made.day).date()).days if made else None
    return {
        "number": number,
        "prompt": each.line.prompt,
        "text": each.line.text,
        "voice": made.voice if made else None,
        "recorded_by_a_person": bool(made and made.voice == RECORDING),
        "made": made.day if made else None,
        "age_days": age,
        "seconds": each.seconds,
        "made_for": made.text if made else None,
        "outdated_recording_of": each.outdated.text if each.outdated else None,
        "problems": [_problem_data(found) for found in each.problems],
    }


def _problem_data(each: Problem) -> dict[str, object]:
    return {"file": each.file, "line": each.line, "text": each.render()}


def _today() -> str:
    return datetime.now(UTC).astimezone().date().isoformat()


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """A disk that is full or not ours is the operator's to know of."""
    try:
        yield
    except OSError as error:
        where = str(error.filename or path)
        raise BadInput(problem("file.unwritable", where, reason=error.strerror or str(error))) from None


@contextmanager
def _bar(title: str, hidden: bool) -> "Iterator[building.Progress]":
    """A bar that appears when it is known how much there is to do."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=hidden or not console.is_terminal, transient=True) as progress:

        def begin(total: int) -> Callable[[], None]:
            task = progress.add_task(title, total=total)
            return lambda: progress.advance(task)

        yield begin
