"""SIP messages as records, read from and written to datagrams, and digest authentication (RFC 3261, RFC 2617). Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import md5

_VERSION = "SIP/2.0"
#: RFC 3261, 7.3.3.
_COMPACT = {"v": "Via", "f": "From", "t": "To", "i": "Call-ID", "m": "Contact", "l": "Content-Length"} | {
    "c": "Content-Type",
    "s": "Subject",
    "k": "Supported",
}
_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,;]+))')
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Message:
    """One request or response, as it came or as it goes."""

    first: str  #: the request line or the status line
    headers: Headers
    body: bytes = b""
    at: float = 0.0  #: time.monotonic() of its arrival
    source: tuple[str, int] = ("", 0)  #: who sent it

    @property
    def method(self) -> str:
        """INVITE, BYE, …; of a response the method that it answers."""
        word = self.first.split(" ", 1)[0]
        return self.get("CSeq").split()[-1] if word == _VERSION else word

    @property
    def code(self) -> int:
        """200, 486, …; 0 for a request."""
        words = self.first.split(" ")
        return int(words[1]) if words[0] == _VERSION else 0

    @property
    def uri(self) -> str:
        """The request URI."""
        return self.first.split(" ")[1]

    @property
    def user(self) -> str:
        """Whom the request is for: the part of its URI before the @, parameters with it."""
        return re.sub(r"^sips?:|@.*$", "", self.uri)

    @property
    def call_id(self) -> str:
        """The dialog's Call-ID."""
        return self.get("Call-ID")

    @property
    def sequence(self) -> int:
        """The number of CSeq."""
        return int(self.get("CSeq").split()[0])

    @property
    def branch(self) -> str:
        """The transaction: `branch` of the topmost Via."""
        return parameter(self.get("Via"), "branch")

    def get(self, name: str) -> str:
        """The first header of this name, empty if there is none."""
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> list[str]:
        """Every header of this name, in order."""
        return [value for found, value in self.headers if found.lower() == name.lower()]


def parse(datagram: bytes, source: tuple[str, int] = ("", 0), at: float = 0.0) -> Message:
    """Read one datagram. Raises ValueError if it is no SIP."""
    head, _, body = datagram.partition(b"\r\n\r\n")
    first, *lines = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8", "replace")).split("\r\n")
    if _VERSION not in first:
        raise ValueError(f"no SIP: {first[:60]!r}")
    pairs = (line.partition(":") for line in lines)
    headers = tuple((_COMPACT.get(name.strip().lower(), name.strip()), value.strip()) for name, _, value in pairs)
    return Message(first, headers, body, at, source)


def render(first: str, headers: Iterable[tuple[str, str]], body: bytes = b"") -> bytes:
    """One datagram. A value keeps its bytes: what is not UTF-8 is given as surrogate escapes."""
    lines = [first, *(f"{name}: {value}" for name, value in headers), f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + body


def parameter(value: str, name: str) -> str:
    """A parameter of a header's value, after its address; empty if it is not there."""
    found = re.search(rf";\s*{name}=([^;,\s>]+)", value.rpartition(">")[2] or value)
    return found[1] if found else ""


def address(value: str) -> str:
    """The URI of a From, To or Contact."""
    found = re.search(r"<([^>]*)>", value)
    return found[1] if found else value.split(";")[0].strip()


def challenge_response(challenge: str, method: str, uri: str, user: str, password: str) -> str:
    """What Authorization says to a challenge without `qop` (RFC 2617)."""
    asked = _parameters(challenge)
    answer = digest(user, password, asked["realm"], asked["nonce"], method, uri)
    names = {"username": user, "realm": asked["realm"], "nonce": asked["nonce"], "uri": uri, "response": answer}
    # With `qop` the answer would be another; RFC 2617 lets a client that does not know it do without.
    opaque = {"opaque": asked["opaque"]} if "opaque" in asked else {}
    return "Digest " + ", ".join(f'{name}="{value}"' for name, value in (names | opaque).items())


def is_authorized(authorization: str, method: str, password: str) -> bool:
    """Whether this Authorization header proves the password, with or without `qop=auth`."""
    given = _parameters(authorization)
    if not {"username", "realm", "nonce", "uri", "response"} <= given.keys():
        return False
    extra = (given["nc"], given["cnonce"], given["qop"]) if "qop" in given else ()
    wanted = digest(given["username"], password, given["realm"], given["nonce"], method, given["uri"], extra)
    return given["response"] == wanted


def authorized_user(authorization: str) -> str:
    """The user name of an Authorization header."""
    return _parameters(authorization).get("username", "")


def digest(user: str, password: str, realm: str, nonce: str, method: str, uri: str, extra: tuple[str, ...] = ()) -> str:
    """The response of RFC 2617; `extra` is nc, cnonce and qop."""
    who, what = _md5(f"{user}:{realm}:{password}"), _md5(f"{method}:{uri}")
    return _md5(":".join((who, nonce, *extra, what)))


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def _parameters(value: str) -> dict[str, str]:
    return {found[1]: found[2] if found[2] is not None else found[3] for found in _PARAMETER.finditer(value)}
