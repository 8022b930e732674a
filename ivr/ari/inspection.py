"""Asks an Asterisk over ARI what it runs with. It changes nothing, and registers no application."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from ivr.ari.rest import open_session, send_http
from ivr.ari.settings import PbxSettings
from ivr.errors import PbxRefused
from ivr.pbx_check import Running

_SECONDS = 5.0


async def inspect(settings: PbxSettings, objects: Iterable[tuple[str, str]] = ()) -> Running:
    """What runs; `objects` are (type, id) of pjsip.conf to look at. Raises PbxError, or PbxRefused 401 for a secret.

    An existing PBX may lack modules of ARI that only this needs: what it does not answer counts as empty.
    """
    async with open_session(settings) as session:

        async def get(path: str) -> Any:
            return await send_http(session, settings, ("GET", path), None, None, _SECONDS)

        async def get_or(path: str, otherwise: Any) -> Any:
            try:
                return await get(path)
            except PbxRefused as error:
                if error.status == 401:
                    raise
                return otherwise

        info = await get("/asterisk/info")
        modules = await get_or("/asterisk/modules", [])
        shown = {
            (kind, name): await get_or(f"/asterisk/config/dynamic/res_pjsip/{kind}/{quote(name)}", None)
            for kind, name in objects
        }
        return Running(
            version=str(_at(info, "system", "version", otherwise="")),
            language=str(_at(info, "config", "default_language", otherwise="")),
            max_channels=_at(info, "config", "max_channels"),
            last_reload=_moment(_at(info, "status", "last_reload_time")),
            modules=frozenset(each["name"] for each in modules if each.get("status") == "Running"),
            applications=frozenset(each["name"] for each in await get_or("/applications", [])),
            endpoints={each["resource"]: each["state"] for each in await get_or("/endpoints/PJSIP", [])},
            logs={each["channel"]: each.get("configuration", "") for each in await get_or("/asterisk/logging", [])},
            objects={
                key: {each["attribute"]: each["value"] for each in found} if found is not None else None
                for key, found in shown.items()
            },
        )


def _at(value: Any, *names: str, otherwise: Any = None) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return otherwise if value is None else value


def _moment(said: Any) -> datetime | None:
    try:
        return datetime.strptime(said, "%Y-%m-%dT%H:%M:%S.%f%z")
    except (TypeError, ValueError):
        return None
