"""The rendered files of one installation: for a machine of its own, or our part for a PBX that is there already.

It also says how they differ from what lies on disk. It knows the settings and the files, and no running Asterisk.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ivr import pbx
from ivr.asterisk import SipTrunk
from ivr.config import Config, read_secret
from ivr.errors import BadInput, problem
from ivr.pbx import HousePhone, ManagerUser, PbxSite, Trunk

#: The first words of every file that we render: what does not begin so is not ours.
OURS = "; Kenko Call"
#: Settings whose values are nobody's to read.
_SECRET = re.compile(r"^(\s*(?:password|secret|md5_cred)\s*=>?\s*)(.*?)\s*$", re.IGNORECASE)
_MASK = "********"
_SECTION = re.compile(r"^\[([A-Za-z0-9_-]+)\]")

#: Our file for an existing PBX -> the files that may include it (the first that is there): FreePBX's, then Asterisk's.
INCLUDED_FROM = {
    "kenko_extensions_custom.conf": ("extensions_custom.conf", "extensions.conf"),
    "kenko_ari_custom.conf": ("ari_additional_custom.conf", "ari.conf"),
    "kenko_cdr_custom.conf": ("cdr_custom.conf",),
    "kenko_manager_custom.conf": ("manager_custom.conf", "manager.conf"),
}


def site_of(config: Config) -> PbxSite:
    """What the templates need to know. Raises BadInput for a trunk of which nothing is said, or an unread secret."""
    return _site(config, _trunks(config))


def _site(config: Config, trunks: list[Trunk]) -> PbxSite:
    settings = config.pbx.asterisk
    first, *more = trunks
    host, _, port = config.pbx.url.partition("://")[2].partition(":")
    return PbxSite(
        etc=settings.etc,
        modules=settings.modules,
        data=settings.data,
        state=settings.state,
        run=settings.run,
        log=settings.log,
        prompts=settings.sounds or config.prompts,
        sip_address=settings.sip_address,
        sip_port=settings.sip_port,
        trunk=first,
        more_trunks=tuple(more),
        inbound_numbers=config.pbx.inbound_numbers,
        ari_user=config.pbx.user,
        ari_secret="" if config.fastagi.only else read_secret(config.pbx.secret_file),
        ari_address="127.0.0.1" if host == "localhost" else host,
        ari_port=int(port or 80),
        rtp_first=settings.rtp_first,
        rtp_last=settings.rtp_last,
        channels=sum(each.total for each in config.all_trunks()),
        longest_call=settings.longest_call_seconds,
        user=settings.run_as,
        external_address=settings.external_address or "",
        local_networks=settings.local_networks,
        house=_house(config),
        manager=_manager(config),
        agi_port=config.fastagi.port or 0,
        agi_only=config.fastagi.only,
        telephone=config.centre.telephone or "",
    )


def _manager(config: Config) -> ManagerUser | None:
    watch = config.watch
    if watch.ami_secret_file is None:
        return None
    return ManagerUser(watch.ami_user, read_secret(watch.ami_secret_file), watch.ami_port)


def _house(config: Config) -> HousePhone | None:
    studio = config.studio
    if studio.extension is None or not studio.networks:
        return None
    return HousePhone(studio.extension, studio.networks, read_secret(studio.password_file), studio.endpoints[0])


def render(config: Config, *, existing: bool) -> dict[str, str]:
    """File name -> text: everything, or (`existing`) only our own part. Raises BadInput as `site_of` does."""
    if not existing:
        return pbx.render(site_of(config))
    # The PBX has its own trunks: nothing of what is kept names this one.
    files = pbx.render(replace(_site(config, [Trunk("127.0.0.1", 5060, ("127.0.0.1/32",))]), transcodes=True))
    ours = {
        "kenko_extensions_custom.conf": own_contexts(files["extensions.conf"]),
        "kenko_cdr_custom.conf": f"{OURS}: below [mappings].\n" + _mappings(files["cdr_custom.conf"]),
    }
    if not config.fastagi.only:
        user = section(files["ari.conf"], config.pbx.user)
        ours["kenko_ari_custom.conf"] = f"{OURS}: our user of ARI. Mode 0640.\n{user}"
    if config.watch.ami_secret_file:
        user = section(files["manager.conf"], config.watch.ami_user)
        ours["kenko_manager_custom.conf"] = f"{OURS}: our user of the manager. Mode 0640.\n{user}"
    return ours


def own_contexts(text: str) -> str:
    """A dialplan without [general] and [globals], every context renamed to begin with `kenko-`, and what goes there."""
    kept, names = [f"{OURS}: contexts of our own.\n"], []
    for name, body in _sections(text):
        if name not in ("", "general", "globals"):
            names.append(name)
            kept.append(body)
    whole = "".join(kept)
    for name in (each for each in names if not each.startswith("kenko-")):
        ours = {"from-trunk": "kenko-inbound"}.get(name, f"kenko-{name}")
        # Where an application can name a context: after its bracket, a comma, the ? and : of GotoIf; and the heading.
        whole = re.sub(rf"(?<=[(?:,]){re.escape(name)}(?=,)", ours, whole)
        whole = re.sub(rf"(?m)^\[{re.escape(name)}\]", f"[{ours}]", whole)
    return whole


def section(text: str, name: str) -> str:
    """One section of a file, its heading with it; empty if there is none."""
    return "".join(body for found, body in _sections(text) if found == name)


def _sections(text: str) -> list[tuple[str, str]]:
    """Name and lines of each section; the first, without a name, is what stands before any."""
    found = [("", "")]
    for line in text.splitlines(keepends=True):
        if heading := _SECTION.match(line):
            found.append((heading[1], ""))
        found[-1] = (found[-1][0], found[-1][1] + line)
    return found


def _mappings(text: str) -> str:
    return "".join(section(text, "mappings").splitlines(keepends=True)[1:])


def _trunks(config: Config) -> list[Trunk]:
    reached = {each.name: each for each in config.pbx.asterisk.sip_trunks}
    missing = [each.name for each in config.all_trunks() if each.name not in reached]
    if missing:
        raise BadInput(*(problem("pbx.no_sip_trunk", name=each) for each in missing))
    callers = config.caller_of_trunk()
    return [_trunk(reached[each.name], callers.get(each.name, "")) for each in config.all_trunks()]


def _trunk(given: SipTrunk, caller_id: str) -> Trunk:
    return Trunk(
        given.host,
        given.port,
        given.networks,
        user=given.user,
        auth_user=given.auth_user,
        password=read_secret(given.password_file) if given.password_file else "",
        domain=given.domain,
        from_user=given.from_user,
        dtmf=given.dtmf,
        trust_caller_id=given.trust_caller_id,
        qualify_seconds=given.qualify_seconds,
        name=given.name,
        caller_id=caller_id,
    )


def read_files(folder: Path, names: Mapping[str, str]) -> dict[str, str | None]:
    """The text of these files of a folder, None where there is none. Raises BadInput for one that may not be read."""
    found: dict[str, str | None] = {}
    for name in names:
        path = folder / name
        try:
            found[name] = path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            found[name] = None
        except OSError as error:
            raise BadInput(problem("file.unreadable", str(path), reason=error.strerror or str(error))) from None
    return found


def difference(name: str, there: str | None, ours: str) -> str:
    """What would change in one file, as a unified diff without secrets; empty if nothing would."""
    if there == ours:
        return ""
    secrets = {found[2] for line in ours.splitlines() if (found := _SECRET.match(line))}
    before, after = ([_masked(line, secrets) + "\n" for line in (text or "").splitlines()] for text in (there, ours))
    return "".join(difflib.unified_diff(before, after, name if there is not None else "/dev/null", name))


def _masked(line: str, ours: set[str]) -> str:
    """A line without its secret; one that is not what we would write looks different, so that a change is seen."""
    found = _SECRET.match(line)
    if not found:
        return line
    return found[1] + (_MASK if found[2] in ours else f"{_MASK} (?)")
