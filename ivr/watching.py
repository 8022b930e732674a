"""The settings of the watch on Asterisk's manager: `watch`."""

from typing import Annotated

from pydantic import Field

from ivr.dialling import Part
from ivr.document import FilePath, written_as


class Watching(Part):
    """How the trunks are looked after. The defaults make a fault known within 60 s."""

    #: None: nothing is looked after.
    ami_secret_file: FilePath | None = None
    ami_user: Annotated[str, written_as("trunk", r"[A-Za-z0-9_-]+")] = "kenko-watch"
    ami_port: int = Field(default=5038, ge=1, le=65535)
    poll_seconds: float = Field(default=5, ge=0.5, le=30)
    settle_seconds: float = Field(default=10, ge=0, le=30)
    failures_per_minute: int = Field(default=20, ge=1, le=10000)
