"""What each finished sound was made from, and its figures: `prompts/manifest.json`. No audio is read here."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ivr.errors import BadInput, problem
from ivr.voice.limits import Measures

RECORDING = "recording"  #: the `voice` of what a person has spoken


@dataclass(frozen=True)
class Format:
    """One kind of sound file that Asterisk plays; with both beside each other it takes the one that suits the call."""

    rate: int  #: Hz
    suffix: str
    manifest: str  #: name of its manifest


NARROW = Format(8000, ".wav", "manifest.json")
#: For trunks that carry G.722. Made only where it is wanted, and from then on kept up to date.
WIDE = Format(16000, ".wav16", "manifest16.json")


@dataclass(frozen=True)
class Made:
    """One entry of the manifest."""

    key: str  #: see ivr.voice.script.sound_key
    voice: str
    text: str  #: what was said
    day: str  #: on which it was made or recorded, ISO 8601
    sha256: str  #: of the file
    measures: Measures | None  #: None for the sounds that are silence on purpose


def formats_in(folder: Path) -> tuple[Format, ...]:
    """Those that are kept up to date in this prompt folder."""
    return (NARROW, WIDE) if (folder / WIDE.manifest).is_file() else (NARROW,)


def sound_path(folder: Path, name: str, kind: Format) -> Path:
    """`name` is `<language>/<prompt id>`, as in the manifest."""
    return folder / f"{name}{kind.suffix}"


def digest(path: Path) -> str:
    """Of a file's content, as the manifest keeps it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:32]


def read_manifest(folder: Path, kind: Format) -> dict[str, Made]:
    """By `<language>/<prompt id>`; empty if there is none yet. Raises BadInput if it cannot be understood."""
    path = folder / kind.manifest
    if not path.is_file():
        return {}
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {name: _made(entry) for name, entry in entries.items()}
    except (ValueError, TypeError, AttributeError, LookupError):
        raise BadInput(problem("voice.bad_manifest", str(path))) from None


def _made(entry: dict[str, object]) -> Made:
    measures = entry.pop("measures")
    return Made(**entry, measures=Measures(**measures) if isinstance(measures, dict) else None)  # type: ignore[arg-type]


def write_manifest(folder: Path, kind: Format, made: Mapping[str, Made]) -> None:
    """One line for each sound, so that a diff shows which ones were made again."""
    rows = (
        f"{json.dumps(name)}: {json.dumps(asdict(each), ensure_ascii=False)}" for name, each in sorted(made.items())
    )
    write_whole(folder / kind.manifest, "{\n" + ",\n".join(rows) + "\n}\n")


def write_whole(path: Path, content: str) -> None:
    """All of it or nothing, whenever the power fails."""
    unfinished = path.with_name(path.name + ".new")
    unfinished.write_text(content, encoding="utf-8")
    unfinished.replace(path)
