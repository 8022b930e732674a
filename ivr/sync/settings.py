"""The settings of what leaves for the centre: where it is, who we are there, when staff are told."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ivr.dialling import Part
from ivr.document import FilePath, written_as


class Sync(Part):
    """How to reach the central system. Without `centre_url` nothing is sent, and everything waits."""

    centre_url: Annotated[str, written_as("centre_url", r"https://[^/\s?#]+(/[^\s?#]*)?")] | None = None
    ca_file: FilePath | None = None
    certificate_file: FilePath | None = None
    key_file: FilePath | None = None
    proxy: Annotated[str, written_as("proxy", r"http://[^/\s?#]+/?")] | None = None
    timeout_seconds: float = Field(default=30, ge=1, le=300)
    connections: int = Field(default=4, ge=1, le=32)
    alarm_hours: float = Field(default=4, gt=0, le=168)

    @model_validator(mode="after")
    def _known_on_both_sides(self) -> Self:
        if self.centre_url is not None and None in (self.ca_file, self.certificate_file, self.key_file):
            raise PydanticCustomError("sync_files", "ca_file, certificate_file and key_file")
        return self
