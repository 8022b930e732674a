"""The settings of handing people over to other centres: our key, and whom we trust."""

from typing import Annotated

from pydantic import Field

from ivr.dialling import Part
from ivr.document import FilePath, written_as


class Partner(Part):
    """Another centre: what we call it, and its public key, compared on the telephone."""

    name: str = Field(min_length=1, max_length=80)
    key: Annotated[str, written_as("transfer_key", r"kenko1\.[A-Za-z0-9_-]{86}==")]


class Transfers(Part):
    """Handing over and taking over. Without `key_file` neither is possible."""

    key_file: FilePath | None = None
    valid_days: int = Field(default=7, ge=1, le=60)
    partners: tuple[Partner, ...] = ()
