"""The way out that is a FHIR server: a document becomes a transaction, whose answer is read as an acknowledgement."""

import json
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from ivr.errors import BadInput
from ivr.questionnaire.model import Questionnaire
from ivr.questionnaire.parse import parse
from ivr.storage.database import Database
from ivr.storage.outbox import Row, successor
from ivr.storage.questionnaires import questionnaire_source, questionnaire_sources
from ivr.sync.delivery import Fault, Reply
from ivr.sync.documents import ErasureDocument, Kind, ReportDocument, document_from
from ivr.sync.fhir import bundle_of, record_of
from ivr.sync.http_carrier import HttpCarrier
from ivr.sync.settings import Sync

#: Of a transaction that deletes these may be about one of its entries: a server that wants to find what it is to
#: delete, or deletes nothing. Of any other they would stop everything; this one is parked, and staff are told.
_OF_ONE_DELETE = (404, 405, 410)


class FhirCarrier(HttpCarrier):
    """Over HTTPS, as transaction bundles."""

    def __init__(self, settings: Sync, database: Database) -> None:
        super().__init__(settings)
        assert settings.fhir_base is not None
        self._base = settings.fhir_base.rstrip("/")
        self._database = database

    async def carry(self, row: Row, now: datetime) -> Reply:
        """See HttpCarrier. Equal rows give equal bytes as long as the questionnaire's version is kept.

        A revision that a later one has replaced at the centre counts as delivered, by the record of that one: sent
        now it would take the later one's place.
        """
        later = await self._database.read(successor, row)
        if later is not None:
            return _acknowledgement(row, later)
        try:
            bundle = await self._bundle(row)
        except (ValueError, KeyError):
            # What was frozen by another version of ours; no repetition mends it.
            return Reply(fault=Fault.UNSENDABLE)
        body = json.dumps(bundle, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        reply = await self.post(row.key, body, now, path="", content_type="application/fhir+json")
        if reply.status in _OF_ONE_DELETE and row.kind is Kind.ERASURE:
            return replace(reply, status=412)
        if reply.status not in (200, 201):
            return reply
        record = record_of(bundle, reply.body)
        # Without a body it is no acknowledgement that can be read: again later.
        return replace(reply, body=None) if record is None else _acknowledgement(row, record)

    async def _bundle(self, row: Row) -> dict[str, Any]:
        document = document_from(row.payload)
        version = document.version if isinstance(document, ReportDocument) else None
        source = await self._database.read(questionnaire_source, version) if version else None
        rules: set[str] = set()
        if isinstance(document, ErasureDocument):
            known = map(_parsed, await self._database.read(questionnaire_sources))
            rules = {rule.id for each in known if each for rule in each.alerts}
        return bundle_of(document, self._base, _parsed(source) if source else None, sorted(rules))


def _acknowledgement(row: Row, record_id: str) -> Reply:
    """As the centre of docs/centre-api.yaml would say it."""
    return Reply(200, body={"key": row.key, "sha256": row.sha256, "record_id": record_id})


@lru_cache(maxsize=8)
def _parsed(source: str) -> Questionnaire | None:
    """None: today's rules do not know it any more. Then answers are told as text."""
    try:
        return parse(source.encode(), "questionnaire")
    except BadInput:
        return None
