"""Shows what an import would do: on standard error for people, as JSON for programs."""

from collections.abc import Sequence
from dataclasses import asdict

import typer

from ivr.cli.output import as_text, print_json, word
from ivr.files.import_preview import Preview
from ivr.messages import text
from ivr.roster import Roster
from ivr.storage.people import Stored

#: Lines of each kind that a preview shows; `--json` has all.
MOST_LINES = 30


def print_outcome(roster: Roster, preview: Preview, stored: Stored | None) -> None:
    """For programs: what an import would do, and what it did (None: nothing was stored)."""
    refused = [{"line": each.line, "reason": each.render().split(": ", 1)[-1]} for each in roster.problems]
    told = asdict(stored) if stored else {"added": 0, "changed": 0, "closed": []}
    found = {
        "added": preview.added,
        "changes": [asdict(each) | {"empties": each.empties} for each in preview.changes],
        "replaced": preview.replaced,
        "sharings": [asdict(each) for each in preview.sharings],
        "look_alikes": [asdict(each) for each in preview.look_alikes],
        "lost_letters": preview.lost_letters,
        "never_rung": [asdict(each) for each in preview.never_rung],
        "needs_yes": preview.loses,
    }
    is_stored = stored is not None
    print_json({"people": len(roster.people), **told, "refused": refused, "stored": is_stored, "preview": found})


def print_preview(preview: Preview, count: int) -> None:
    """On standard error: what the import is about to do."""
    added, changed = len(preview.added), len(preview.changed)
    same = count - added - changed
    say(text("cli.people.import.preview", added=added, changed=changed, same=same))
    none = text("cli.people.import.nothing")
    changes = [
        f"{each.person_id} {each.column}: {each.before or none} → {each.after or none}"
        for each in sorted(preview.changes, key=lambda each: not each.empties)[: MOST_LINES + 1]
    ]
    _list("cli.people.import.changes", changes, len(preview.changes))
    if preview.emptied:
        say(text("cli.people.import.emptied", cells=len(preview.emptied), people=len(_people(preview))))
    _list("cli.people.import.replaced", preview.replaced, len(preview.replaced))
    _list("cli.people.import.lost_letters", preview.lost_letters, len(preview.lost_letters))
    alike = [f"{each.person_id} ≈ {each.other_id}" for each in preview.look_alikes]
    _list("cli.people.import.look_alikes", alike, len(alike))
    strange = preview.strange_sharings
    _list(
        "cli.people.import.strange", [f"{each.number}: {' '.join(each.person_ids)}" for each in strange], len(strange)
    )
    family = [each for each in preview.sharings if each.is_family]
    _list("cli.people.import.family", [f"{each.number}: {' '.join(each.person_ids)}" for each in family], len(family))
    never = [f"{each.person_id}: {word('off', each.why)}" for each in preview.never_rung]
    _list("cli.people.import.never_rung", never, len(never))


def _people(preview: Preview) -> set[str]:
    return {each.person_id for each in preview.emptied}


def _list(message: str, lines: Sequence[str], count: int) -> None:
    if not lines:
        return
    say(text(message, count=count))
    for each in lines[:MOST_LINES]:
        say(f"  {each}")
    if count > MOST_LINES:
        say(text("cli.people.import.more", count=count - MOST_LINES))


def say(line: str) -> None:
    """One line on standard error; names from outside are text in it."""
    typer.echo(as_text(line), err=True)
