"""What our two applications are told: see `ivr.ari.app` for why there are two."""

import logging
from urllib.parse import quote

from ivr.ari.client import AriClient
from ivr.ari.events import WANTED, WANTED_OF_TRUNK
from ivr.errors import PbxRefused

log = logging.getLogger(__name__)


async def subscribe(client: AriClient) -> None:
    """Filters and subscriptions, both ways: those of an earlier run outlive its WebSocket (22.10.1)."""
    settings = client.settings
    dialled = (settings.trunk, *settings.more_trunks, *settings.telephones)
    for app, kinds, wanted in (
        (settings.app, WANTED, []),
        (
            settings.trunk_app,
            WANTED_OF_TRUNK,
            [f"endpoint:PJSIP/{each}" for each in dialled],
        ),
    ):
        path = f"/applications/{quote(app)}"
        known = at(await client.request("GET", path), "endpoint_ids")
        for endpoint in known if isinstance(known, list) else []:
            if f"endpoint:{endpoint}" not in wanted:
                await client.request("DELETE", f"{path}/subscription", params={"eventSource": f"endpoint:{endpoint}"})
        await client.request(
            "PUT", f"{path}/eventFilter", body={"allowed": [{"type": each} for each in kinds], "disallowed": []}
        )
        for each in wanted:
            await _subscribe_to(client, path, each)


async def _subscribe_to(client: AriClient, application: str, source: str) -> None:
    try:
        await client.request("POST", f"{application}/subscription", params={"eventSource": source})
    except PbxRefused as error:
        # That a telephone of staff is not there is no reason to take no calls.
        if source.removeprefix("endpoint:PJSIP/") not in client.settings.telephones:
            raise
        log.error("%s: %s", source, error.render("en"), extra={"action": "pbx_no_telephone"})


def at(value: object, *names: str) -> object:
    """A field of nested JSON objects; None where there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
