"""The settings of FastAGI: the way of a call while ARI has no application, or to a PBX that has no ARI."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ivr.dialling import Part
from ivr.document import FilePath


class FastAgi(Part):
    """Where calls are taken over, always on loopback."""

    port: int | None = Field(default=None, ge=1024, le=65535)
    only: bool = False
    recordings: FilePath = Field(default=Path("/var/lib/asterisk/recording"), validate_default=True)

    @model_validator(mode="after")
    def _only_with_a_port(self) -> Self:
        if self.only and self.port is None:
            raise PydanticCustomError("fastagi_only", "a port")
        return self
