"""The settings of what leaves for the centre: by which way, where to, who we are there, when staff are told."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ivr.dialling import Part
from ivr.document import FilePath, written_as


class Way(StrEnum):
    """The form in which documents leave."""

    HTTP = "http"  #: JSON as docs/centre-api.yaml says
    FHIR = "fhir"  #: transaction bundles to a FHIR R4 server
    FILE = "file"  #: batches in a folder, for a gateway or a stick


class Sync(Part):
    """How to reach the central system. Without `centre_url` or `folder` nothing is sent, and everything waits."""

    way: Way = Way.HTTP
    centre_url: Annotated[str, written_as("centre_url", r"https://[^/\s?#]+(/[^\s?#]*)?")] | None = None
    fhir_base: Annotated[str, written_as("fhir_base", r"https?://[^/\s?#|]+(/[^\s?#|]*)?")] | None = None
    folder: FilePath | None = None
    ca_file: FilePath | None = None
    certificate_file: FilePath | None = None
    key_file: FilePath | None = None
    proxy: Annotated[str, written_as("proxy", r"http://[^/\s?#]+/?")] | None = None
    timeout_seconds: float = Field(default=30, ge=1, le=300)
    connections: int = Field(default=4, ge=1, le=32)
    alarm_hours: float = Field(default=4, gt=0, le=168)
    reconcile: bool = True
    pull_seconds: int = Field(default=30, ge=0, le=3600)

    @property
    def destination(self) -> str | None:
        """Where documents go: an address or a folder. None: nowhere."""
        if self.way is Way.FILE:
            return str(self.folder) if self.folder else None
        return self.centre_url

    @property
    def pulls(self) -> bool:
        """Whether changes are fetched from the centre: only the JSON interface has them."""
        return self.way is Way.HTTP and self.centre_url is not None and self.pull_seconds > 0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """A way that is half described is refused: it would send nothing, and nobody would notice."""
        if self.way is Way.FILE:
            if self.folder is None:
                raise PydanticCustomError("sync_folder", "folder")
            return self
        if self.centre_url is not None and None in (self.ca_file, self.certificate_file, self.key_file):
            raise PydanticCustomError("sync_files", "ca_file, certificate_file and key_file")
        if self.way is Way.FHIR and (self.centre_url is None or self.fhir_base is None):
            raise PydanticCustomError("sync_fhir", "centre_url and fhir_base")
        return self
