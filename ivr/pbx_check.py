"""Compares what an Asterisk runs with, and what lies on its disk, with the files that were rendered. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from ivr.ari.settings import check_version
from ivr.errors import BadInput, Problem, problem
from ivr.trunks.presented import of_endpoint

#: Objects of pjsip.conf that ARI shows (22.10.1: `/asterisk/config/dynamic/res_pjsip`; no identify, no registration).
SHOWN = ("endpoint", "aor", "transport", "global", "system")
#: Settings that ARI shows in another form than they are written, so that no comparison is possible.
_NOT_COMPARED = ("type", "disallow", "local_net")
#: What these write holds the keys that people press.
_LEAKING = ("DTMF", "VERBOSE", "DEBUG")
#: Without one of these no call of ours is held, on whatever PBX: the rest of our modules.conf has other ways there.
NEEDED = frozenset(
    f"{each}.so"
    for each in (
        *("res_ari", "res_ari_applications", "res_ari_asterisk", "res_ari_channels", "res_ari_endpoints"),
        *("res_ari_events", "res_ari_playbacks", "res_ari_recordings", "res_http_websocket"),
        *("res_stasis", "res_stasis_answer", "res_stasis_playback", "res_stasis_recording", "app_stasis"),
        *("chan_pjsip", "res_pjsip", "res_pjsip_session", "res_pjsip_sdp_rtp", "res_rtp_asterisk"),
        *("codec_ulaw", "format_wav", "app_playback", "func_callerid", "func_timeout", "pbx_config"),
    )
)
#: What the second way needs besides: FastAGI, which wants res_speech, and Dial for a caller who is put through.
SECOND_WAY = frozenset({"res_agi.so", "res_speech.so", "app_dial.so"})
#: With which a caller is put through over ARI.
BRIDGING = frozenset({"bridge_simple.so", "res_ari_bridges.so"})
#: What the far end of our test call listens and presses with.
TEST_CALL = frozenset({"app_waitforsilence.so", "app_senddtmf.so"})


@dataclass(frozen=True)
class Running:
    """What an Asterisk said about itself."""

    version: str
    language: str
    max_channels: int | None
    last_reload: datetime | None
    modules: frozenset[str]  #: those that run
    applications: frozenset[str]
    endpoints: Mapping[str, str]  #: PJSIP endpoint -> online, offline or unknown
    logs: Mapping[str, str]  #: log -> its levels
    objects: Mapping[tuple[str, str], Mapping[str, str] | None]  #: (type, id) of pjsip.conf -> settings; None: none


@dataclass(frozen=True)
class FileFacts:
    """A file on disk; `text` is None if there is none."""

    text: str | None
    mode: int = 0
    changed: datetime | None = None


def compare_files(files: Mapping[str, str], there: Mapping[str, FileFacts], running: Running | None) -> list[Problem]:
    """Each file that is missing, other, open to everybody, or newer than what Asterisk has read."""
    found: list[Problem] = []
    for name, text in files.items():
        fact = there[name]
        if fact.text is None:
            found.append(problem("pbx.differs.missing_file", name=name))
            continue
        if fact.text != text:
            found.append(problem("pbx.differs.file", name=name))
        if fact.mode & 0o007 and re.search(r"(?m)^(password|secret)", text):
            found.append(problem("pbx.differs.open_file", name=name))
        if running and running.last_reload and fact.changed and fact.changed > running.last_reload:
            found.append(problem("pbx.differs.not_reloaded", name=name))
    return found


def compare_includes(includes: Mapping[str, tuple[str, str | None]]) -> list[Problem]:
    """Our file -> the name and text of what should include it; a problem for each that does not."""
    return [
        problem("pbx.differs.not_included", target=target, name=name)
        for name, (target, text) in includes.items()
        if not re.search(rf"(?m)^\s*#(?:try)?include\s+[\"<]?{re.escape(name)}[\">]?\s*$", text or "")
    ]


def compare_running(
    running: Running,
    app: str,
    trunks: tuple[str, ...],
    whole: Mapping[str, str] | None = None,
    needed: frozenset[str] = NEEDED,
    callers: Mapping[str, str] | None = None,
) -> list[Problem]:
    """Each difference from the complete configuration `whole`; of a PBX that is not ours (None) only what is needed.

    `callers`: trunk -> the number that called people are to see.
    """
    found = [*_version(running)]
    if whole is None:
        found += _missing(needed, running)
        found += _presented(callers or {}, running)
    else:
        found += _modules(wanted_modules(whole["modules.conf"]), running)
        found += _options(whole["asterisk.conf"], running)
        found += _objects(whole["pjsip.conf"], running)
    found += _logs(running)
    if app not in running.applications:
        found.append(problem("pbx.differs.no_application", name=app))
    for name in trunks:
        state = running.endpoints.get(name)
        if state is None:
            found.append(problem("pbx.differs.no_endpoint", name=name))
        elif state == "offline":
            found.append(problem("pbx.differs.trunk_offline", name=name, state=state))
    return found


def wanted_modules(text: str) -> frozenset[str]:
    """The modules that a modules.conf loads."""
    return frozenset(re.findall(r"(?m)^(?:load|preload|require)\s*=>?\s*(\S+\.so)", text))


def wanted_objects(text: str) -> dict[tuple[str, str], dict[str, str]]:
    """(type, id) -> settings of what pjsip.conf defines; of one that is set twice (permit, match) nothing is said."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for heading, body in re.findall(r"(?m)^\[([^]]+)\]\n((?:(?!\[).*\n?)*)", text):
        # A `;` that is part of the value is written with a backslash, and shown without.
        pairs = [
            (name, value.replace("\\;", ";"))
            for name, value in re.findall(r"(?m)^([a-z0-9_]+)\s*=>?\s*(.*?)\s*$", body)
        ]
        names = [name for name, _ in pairs]
        settings = {name: value for name, value in pairs if names.count(name) == 1}
        found[settings.get("type", ""), heading] = settings
    return found


def _version(running: Running) -> list[Problem]:
    try:
        preferred = check_version(running.version)
    except BadInput as bad:
        return list(bad.problems)
    return [] if preferred else [problem("pbx.differs.version", version=running.version)]


def _modules(wanted: frozenset[str], running: Running) -> Iterator[Problem]:
    yield from _missing(wanted, running)
    # What has no such ending is part of Asterisk itself.
    for name in sorted(each for each in running.modules - wanted if each.endswith(".so")):
        yield problem("pbx.differs.module_extra", name=name)


def _missing(wanted: frozenset[str], running: Running) -> Iterator[Problem]:
    for name in sorted(wanted - running.modules):
        yield problem("pbx.differs.module_missing", name=name)


def _options(text: str, running: Running) -> Iterator[Problem]:
    options = dict(re.findall(r"(?m)^([a-z_]+)\s*=>?\s*(\S+)", text))
    said = {"maxcalls": running.max_channels, "defaultlanguage": running.language}
    for name, value in said.items():
        if str(value) != options[name]:
            yield problem("pbx.differs.option", name=name, wanted=options[name], running=value)


def _objects(text: str, running: Running) -> Iterator[Problem]:
    for (kind, section), settings in wanted_objects(text).items():
        if kind not in SHOWN:
            continue
        there = running.objects.get((kind, section))
        if there is None:
            yield problem("pbx.differs.object_missing", conf="pjsip.conf", section=section, kind=kind)
            continue
        for name, wanted in settings.items():
            now = there.get(name)
            if name not in _NOT_COMPARED and now is not None and _plain(now) != _plain(wanted):
                yield problem(
                    "pbx.differs.setting", conf="pjsip.conf", section=section, name=name, wanted=wanted, running=now
                )


def _presented(callers: Mapping[str, str], running: Running) -> Iterator[Problem]:
    for name, number in callers.items():
        settings = running.objects.get(("endpoint", name))
        if settings is not None and (there := of_endpoint(settings, number)).shown != number:
            yield problem("pbx.differs.presented", name=name, number=number, shown=there.shown)


def _logs(running: Running) -> Iterator[Problem]:
    for name, levels in sorted(running.logs.items()):
        for level in _LEAKING:
            if level in levels.split():
                yield problem("pbx.differs.log_level", name=name, level=level)


def _plain(value: str) -> str:
    """One form for what Asterisk writes in several: yes and true, (ulaw|alaw) and ulaw,alaw, <number> and number."""
    word = value.strip().strip("()<>").lower().replace("|", ",")
    return {"yes": "true", "no": "false"}.get(word, word)
