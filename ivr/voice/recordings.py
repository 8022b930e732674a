"""What people have spoken: `prompts/recordings/<language>/<prompt id>.wav`, and the words each was recorded for."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ivr.errors import BadInput, problem
from ivr.voice.manifest import digest, write_whole

FOLDER = "recordings"
_INDEX = "recordings.json"


@dataclass(frozen=True)
class Recording:
    """One recording as it came from the microphone or the telephone."""

    sha256: str
    text: str  #: the words of the prompt when this file first appeared
    day: str  #: of that, ISO 8601


def recording_path(folder: Path, name: str) -> Path:
    """Where the recording of a prompt lies. `name` is `<language>/<prompt id>`."""
    return folder / FOLDER / f"{name}.wav"


def read_recordings(folder: Path, texts: Mapping[str, str], day: str) -> dict[str, Recording]:
    """All recordings that are there, by `<language>/<prompt id>`, of the prompts in `texts` (their present words).

    A file that is new, or not the one known under its name, was recorded for the present words.
    Raises BadInput if the index beside them cannot be understood.
    """
    known = _read_index(folder)
    found: dict[str, Recording] = {}
    for name, text in texts.items():
        path = recording_path(folder, name)
        if path.is_file():
            sha256 = digest(path)
            before = known.get(name)
            found[name] = before if before and before.sha256 == sha256 else Recording(sha256, text, day)
    return found


def write_recordings(folder: Path, recordings: Mapping[str, Recording]) -> None:
    """Remember them. Entries of other languages stay."""
    kept = {**_read_index(folder), **recordings}
    kept = {name: each for name, each in kept.items() if recording_path(folder, name).is_file()}
    if kept or (folder / FOLDER / _INDEX).is_file():
        rows = (
            f"{json.dumps(name)}: {json.dumps(asdict(each), ensure_ascii=False)}" for name, each in sorted(kept.items())
        )
        write_whole(folder / FOLDER / _INDEX, "{\n" + ",\n".join(rows) + "\n}\n")


def _read_index(folder: Path) -> dict[str, Recording]:
    path = folder / FOLDER / _INDEX
    if not path.is_file():
        return {}
    try:
        return {name: Recording(**each) for name, each in json.loads(path.read_text(encoding="utf-8")).items()}
    except (ValueError, TypeError, AttributeError, LookupError):
        raise BadInput(problem("voice.bad_manifest", str(path))) from None


def removed_recordings(folder: Path, names: Iterable[str]) -> set[str]:
    """Those of `names` whose recording was there at the last build and is gone: an engine speaks again."""
    known = _read_index(folder)
    return {name for name in names if name in known and not recording_path(folder, name).is_file()}
