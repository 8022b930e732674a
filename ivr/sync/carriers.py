"""The ways out, and which was chosen. Each takes a round of documents to the centre and says what came of it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from ivr.storage.database import Database
from ivr.storage.outbox import Row
from ivr.sync.delivery import Judged
from ivr.sync.fhir_carrier import FhirCarrier
from ivr.sync.folder_carrier import FolderCarrier
from ivr.sync.http_carrier import HttpCarrier
from ivr.sync.settings import Sync, Way


class Carrier(Protocol):
    """A way to the centre."""

    @property
    def most(self) -> int:
        """How many documents a round holds while the way works."""

    async def send(self, rows: Sequence[Row], now: Callable[[], datetime]) -> dict[int, Judged]:
        """Send these, each at most once. Row -> what came of it, for as many as there was time and reason for."""

    async def close(self) -> None:
        """Let go of connections and certificates; the next document opens them anew."""


def carrier_of(settings: Sync, database: Database) -> Carrier:
    """The way that was chosen."""
    match settings.way:
        case Way.HTTP:
            return HttpCarrier(settings)
        case Way.FHIR:
            return FhirCarrier(settings, database)
        case Way.FILE:
            assert settings.folder is not None
            return FolderCarrier(settings.folder)
