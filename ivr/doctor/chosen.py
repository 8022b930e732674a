"""What doctor says of what only some sites have chosen: keys as SIP INFO, and a duty telephone. Pure."""

from collections.abc import Iterable, Iterator

from ivr.doctor.judgement import Light, Line
from ivr.errors import Problem, problem
from ivr.pbx_check import BRIDGING, Running

_INFO = "res_pjsip_dtmf_info.so"


def examine_chosen(pbx: Running | None, trunks: Iterable[str], duty: str | None, *, has_duty: bool) -> Iterator[Line]:
    """A line for each trunk with SIP INFO, and for the duty telephone; none without Asterisk, which has its own line.

    `duty`: its endpoint; None: there is no duty telephone, or it is rung over a trunk.
    """
    if pbx is None:
        return
    for name in trunks:
        mode = (pbx.objects.get(("endpoint", name)) or {}).get("dtmf_mode", "")
        if "info" in mode:
            yield _keys(pbx, name)
    if has_duty:
        yield Line("duty", *_duty(pbx, duty))


def _keys(pbx: Running, name: str) -> Line:
    """Whether anybody takes an INFO: without the module Asterisk does not even answer it (22.10.1)."""
    if _INFO in pbx.modules:
        return Line("keys", Light.GREEN, problem("doctor.keys_info", name=name))
    return Line("keys", Light.RED, problem("doctor.keys_unheard", name=name, module=_INFO))


def _duty(pbx: Running, endpoint: str | None) -> tuple[Light, Problem]:
    """Whether a caller can be put through, as far as is known before it rings."""
    missing = sorted(BRIDGING - pbx.modules)
    if missing:
        return Light.RED, problem("doctor.modules_missing", names=", ".join(missing))
    if endpoint is None:
        return Light.GREEN, problem("doctor.duty_by_trunk")
    match pbx.endpoints.get(endpoint):
        case None:
            return Light.RED, problem("doctor.duty_none", name=endpoint)
        case "online":
            return Light.GREEN, problem("doctor.duty", name=endpoint)
        case "offline":
            return Light.RED, problem("doctor.duty_offline", name=endpoint)
    return Light.YELLOW, problem("doctor.duty_unknown", name=endpoint)
