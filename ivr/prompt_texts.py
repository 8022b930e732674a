"""What each prompt says, as text: for the practice telephone in the terminal and for lists of what to record."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel

from ivr.document import read_document, validate


# Only the text matters here: how a line must sound stands beside it and is not this module's affair.
class _Line(BaseModel):
    text: str


class _Values(BaseModel):
    first: int
    last: int
    text: str


class _File(BaseModel):
    prompts: dict[str, _Line]
    values: dict[str, _Values] = {}


def load_texts(path: Path) -> Mapping[str, str]:
    """Prompt id -> text, from `prompts/<language>.yaml`; values that are read back are in it one by one
    (`value/temperature_365`). Raises BadInput with every problem of the file.
    """
    file = validate(read_document(path), _File)
    texts = {prompt: line.text for prompt, line in file.prompts.items()}
    for name, values in file.values.items():
        texts |= dict(_value_texts(name, values))
    return texts


def _value_texts(name: str, values: _Values) -> Iterator[tuple[str, str]]:
    tenths = "{tenth}" in values.text
    for keys in range(values.first, values.last + 1):
        whole, tenth = divmod(keys, 10) if tenths else (keys, 0)
        yield f"value/{name}_{keys}", values.text.format(whole=whole, tenth=tenth)
