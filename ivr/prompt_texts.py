"""What each prompt says, as text: for the practice telephone in the terminal and for lists of what to record."""

from collections.abc import Mapping
from pathlib import Path

from ivr.document import read_document, validate
from ivr.voice.script import ScriptFile, lines


def load_texts(path: Path) -> Mapping[str, str]:
    """Prompt id -> text, from `prompts/<language>.yaml`; values that are read back and parts of dates and times are in
    it one by one (`value/temperature_365`, `date/day_22`). Raises BadInput with every problem of the file.
    """
    return {line.prompt: line.text for line in lines(validate(read_document(path), ScriptFile))}
