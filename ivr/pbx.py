"""The Asterisk configuration of one site: what it needs to know, and the files that dialplan/ makes of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import ClassVar

import jinja2

from ivr.asterisk import is_network
from ivr.errors import BadInput, Problem, problem
from ivr.files.saving import save
from ivr.numbers import forms_of
from ivr.spoken import speak_digits
from ivr.trunks.dialled import place_of, server_of
from ivr.trunks.presented import Presented, presented
from ivr.trunks.sound import PLAYED, SEEN

TEMPLATES = Path(__file__).resolve().parent.parent / "dialplan"

#: What Asterisk would read as more than a value: a new line or section, a comment, a further argument, a variable.
_UNSAFE = re.compile(r"[\s;,\[\]()$\"'\\|]")
_NUMBER = re.compile(r"0[0-9]{9,10}")
_EXTENSION = re.compile(r"[0-9]{2,6}")


@dataclass(frozen=True)
class Trunk:
    """The telephone provider."""

    host: str
    port: int | None  #: None: what DNS says of the host's services (SRV), else 5060
    networks: tuple[str, ...]  #: addresses or CIDR ranges from which the provider sends, SIP and its identity
    user: str = ""  #: registers if given
    auth_user: str = ""  #: if the provider wants another name with the password than in the registration
    password: str = ""
    domain: str = ""  #: if the provider wants another name than its host
    #: If the provider wants its own name for us where the presented number would stand: then `caller_id` is asserted.
    from_user: str = ""
    dtmf: str = "rfc4733"  #: how keys come: `dtmf_mode` of pjsip.conf
    trust_caller_id: bool = False  #: only if the contract says that P-Asserted-Identity is asserted
    qualify_seconds: int = 30  #: how often to ask whether the trunk is there
    name: str = "trunk"  #: of the PJSIP endpoint and all that belongs to it
    caller_id: str = ""  #: the number that called people see, if it is not the site's first

    @property
    def server(self) -> str:
        """Where requests go, as a URI writes it."""
        return server_of(self.host, self.port)

    @property
    def place(self) -> str:
        """What our requests name as their target."""
        return place_of(self.host, self.port, self.domain)

    @property
    def proxy(self) -> str:
        """`outbound_proxy` of pjsip.conf; empty if requests go where they are addressed."""
        # `;` begins a comment there. `lr`: without it the domain would be lost on the way (RFC 3261, 16.12).
        return f"sip:{self.server}\\;lr" if self.domain else ""


@dataclass(frozen=True)
class HousePhone:
    """The telephones in the house that may ring the studio: one endpoint, and several sets may share it."""

    extension: str  #: 2 to 6 digits; the only number they reach
    networks: tuple[str, ...]  #: addresses or CIDR ranges in which they stand
    password: str = field(repr=False)  #: 16 characters or more
    name: str = "studio"  #: of the endpoint, and the user as which they log in


@dataclass(frozen=True)
class ManagerUser:
    """Who may look at the trunks through the manager: see dialplan/manager.conf.j2."""

    name: str
    secret: str = field(repr=False)  #: 32 characters or more
    port: int = 5038  #: on loopback


@dataclass(frozen=True)
class PbxSite:
    """What the templates need to know about one site. All folders are absolute."""

    etc: Path  #: where the rendered files go
    modules: Path
    data: Path  #: Asterisk's own, with `documentation/` and `rest-api/`
    state: Path
    run: Path
    log: Path
    prompts: Path  #: holds `ja/frame/apology.wav`
    sip_address: str
    sip_port: int
    trunk: Trunk
    inbound_numbers: tuple[str, ...]  #: ours, as the provider sends them; the first is presented to called people
    ari_user: str
    ari_secret: str  #: empty only with `agi_only`: then ARI has no user
    ari_address: str = "127.0.0.1"
    ari_port: int = 8088
    rtp_first: int = 10000
    rtp_last: int = 10199
    channels: int = 30  #: as many calls as the trunk carries
    longest_call: int = 1800  #: seconds, then the call is ended whatever happens
    application: str = "kenko"
    outbound_context: str = "kenko-outbound"
    user: str = ""  #: system user to become after start as root
    house: HousePhone | None = None  #: None: no telephone but the trunk
    manager: ManagerUser | None = None  #: None: there is no manager
    more_trunks: tuple[Trunk, ...] = ()
    external_address: str = ""  #: how the provider sees us, if a router translates addresses
    local_networks: tuple[str, ...] = ()  #: where nothing is translated
    agi_port: int = 0  #: of our FastAGI on loopback; 0: there is none
    agi_only: bool = False  #: there is no ARI
    transcodes: bool = False  #: a PBX that is not ours, and takes whatever sound it can turn into its own
    telephone: str = ""  #: the centre's, said when nobody takes a call; digits, with single hyphens between them

    #: The caller's number as long as the dialplan has not read it. No telephone can be called so.
    unread: ClassVar[str] = "unread"

    @property
    def presented_number(self) -> str:
        """The number that called people see."""
        return self.inbound_numbers[0]

    def presented(self, trunk: Trunk) -> Presented:
        """Who we are on one of the trunks."""
        return presented(trunk.caller_id or self.presented_number, trunk.host, trunk.domain, trunk.from_user)

    @property
    def trunks(self) -> tuple[Trunk, ...]:
        """All of them, the first first."""
        return (self.trunk, *self.more_trunks)

    @property
    def last_words(self) -> str:
        """What somebody hears whom nothing of ours can take, as `Playback` wants it."""
        said = ("frame/apology", *(speak_digits(self.telephone) if self.telephone else ()))
        return "&".join(f"{self.prompts}/ja/{each}" for each in said)


Record = PbxSite | Trunk | HousePhone | ManagerUser


def render(site: PbxSite, templates: Path = TEMPLATES) -> dict[str, str]:
    """File name -> text of the complete configuration. Raises BadInput for values that Asterisk would misread."""
    _check(site)
    return fill(templates, site=site, forms_of=forms_of, played=tuple(PLAYED), seen=SEEN)


def fill(templates: Path, **values: object) -> dict[str, str]:
    """Fill every `<name>.j2` of a folder: name -> text. A blank without a value is an error, never an empty word."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    names = sorted(each.name for each in templates.glob("*.j2"))
    return {name.removesuffix(".j2"): environment.get_template(name).render(**values) for name in names}


def write(files: dict[str, str], folder: Path) -> None:
    """Write rendered files, readable by owner and group only: some hold secrets."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        save(folder / name, content.encode(), mode=0o640)


def _check(site: PbxSite) -> None:
    others = (site.house, site.manager)
    records: tuple[Record, ...] = (site, *site.trunks, *(each for each in others if each))
    found = [each for record in records for each in _unsafe_values(record)]
    if not site.inbound_numbers or not all(_NUMBER.fullmatch(each) for each in site.inbound_numbers):
        found.append(problem("pbx.inbound_number"))
    secrets = [*([site.manager.secret] if site.manager else []), *([] if site.agi_only else [site.ari_secret])]
    if any(len(each) < 32 for each in secrets):
        found.append(problem("pbx.short_secret"))
    if not all(each.networks for each in site.trunks):
        found.append(problem("pbx.no_networks"))
    if site.house:
        found += _house_problems(site.house)
    if not all(is_network(network) for each in site.trunks for network in each.networks):
        found.append(problem("pbx.network"))
    if site.rtp_last - site.rtp_first + 1 < 2 * (site.channels + 2):
        found.append(problem("pbx.few_rtp_ports", needed=2 * (site.channels + 2)))
    if found:
        raise BadInput(*found)


def _unsafe_values(record: Record) -> Iterator[Problem]:
    for each in fields(record):
        value = getattr(record, each.name)
        parts = value if isinstance(value, tuple) else (value,)
        if any(isinstance(part, str | Path) and _UNSAFE.search(str(part)) for part in parts):
            yield problem("pbx.unsafe_value", name=each.name)


def _house_problems(house: HousePhone) -> list[Problem]:
    found: list[Problem] = []
    if not _EXTENSION.fullmatch(house.extension):
        found.append(problem("pbx.house_extension"))
    if len(house.password) < 16:
        found.append(problem("pbx.house_password"))
    if not house.networks:
        found.append(problem("pbx.house_networks"))
    if house.name == "trunk":
        found.append(problem("pbx.house_name"))
    return found
