"""Files for one other centre only: signed by us, readable by nobody but them. Knows nothing of what is in them.

A centre has one pair of keys for each purpose: Ed25519 (RFC 8032) to sign, X25519 (RFC 7748) to be written to. The
content is encrypted with ChaCha20-Poly1305 (RFC 8439) under a key that HKDF (RFC 5869) makes of a key pair used once
and the reader's; the signature is over all of it, and who writes to whom is in it. Randomness comes in as an argument.
"""

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

#: How public and secret keys begin: whoever takes one for the other is told.
PUBLIC, SECRET = "kenko1.", "kenko1-secret."
#: Of the file; another form gets another.
FORM = "kenko-call sealed 1"
#: Bytes of randomness that `make_secret` and `seal` want.
SECRET_BYTES, SEAL_BYTES = 64, 32
#: A key is used for one file only, so the nonce may be the same.
_NONCE = bytes(12)
#: No content of ours is so long; a file is read as a whole.
LONGEST = 16 * 1024 * 1024


class Broken(Exception):
    """A file or key cannot be used; `why` is the last part of an id of the catalogue, `sealed.<why>`."""

    def __init__(self, why: str, **values: object) -> None:
        super().__init__(why)
        self.why = why
        self.values = values


@dataclass(frozen=True)
class Envelope:
    """What is written on the outside, and signed."""

    id: str  #: of this file, nobody else's
    sender: str  #: public key
    reader: str  #: public key
    made_at: datetime
    expires_at: datetime


def make_secret(chance: bytes) -> str:
    """A new secret key, of SECRET_BYTES random bytes."""
    return SECRET + _text(chance)


def public_of(secret: str) -> str:
    """The public key to a secret one. Raises Broken."""
    signing, reading = _private(secret)
    return PUBLIC + _text(signing.public_key().public_bytes_raw() + reading.public_key().public_bytes_raw())


def fingerprint(public: str) -> str:
    """A public key as five groups of five digits, to be compared on the telephone: 83 bits of its SHA-256.

    Raises Broken.
    """
    _public(public)
    digits = f"{int.from_bytes(hashlib.sha256(_bytes(public, PUBLIC)).digest()) % 10**25:025}"
    return " ".join(digits[at : at + 5] for at in range(0, 25, 5))


def seal(content: bytes, envelope: Envelope, secret: str, chance: bytes) -> bytes:
    """A file with this content. `secret`: the sender's; `chance`: SEAL_BYTES random bytes, for this file only."""
    signing, _ = _private(secret)
    once = X25519PrivateKey.from_private_bytes(chance)
    header = _header(envelope, once.public_key().public_bytes_raw())
    shared = once.exchange(_public(envelope.reader)[1])
    sealed = ChaCha20Poly1305(_key(shared, header)).encrypt(_NONCE, content, header)
    signature = signing.sign(_signed(header, sealed))
    told = {"form": FORM, "header": _text(header), "sealed": _text(sealed), "signature": _text(signature)}
    return json.dumps(told, indent=1).encode() + b"\n"


def open_sealed(file: bytes, secret: str, now: datetime) -> tuple[Envelope, bytes]:
    """What is on the file and in it. Whether the sender is to be trusted the caller must look up (`Envelope.sender`).

    `secret`: the reader's. Raises Broken: not a file of ours, changed on the way, for somebody else, out of date.
    """
    header, sealed, signature = _parts(file)
    try:
        told = json.loads(header)
        envelope = Envelope(
            id=str(told["id"]),
            sender=str(told["sender"]),
            reader=str(told["reader"]),
            made_at=_moment(told["made_at"]),
            expires_at=_moment(told["expires_at"]),
        )
        once = _bytes(str(told["once"]))
    except (ValueError, KeyError, TypeError):
        raise Broken("no_file") from None
    try:
        _public(envelope.sender)[0].verify(signature, _signed(header, sealed))
    except InvalidSignature:
        raise Broken("changed") from None
    mine = public_of(secret)
    if envelope.reader != mine:
        raise Broken("other_reader", theirs=fingerprint(envelope.reader), ours=fingerprint(mine))
    if now >= envelope.expires_at:
        raise Broken("expired", at=envelope.expires_at.date())
    try:
        shared = _private(secret)[1].exchange(X25519PublicKey.from_public_bytes(once))
        return envelope, ChaCha20Poly1305(_key(shared, header)).decrypt(_NONCE, sealed, header)
    except (InvalidTag, ValueError):
        raise Broken("changed") from None


def _parts(file: bytes) -> tuple[bytes, bytes, bytes]:
    if len(file) > LONGEST:
        raise Broken("no_file")
    try:
        told = json.loads(file)
        if told["form"] != FORM:
            raise Broken("no_file")
        return _bytes(told["header"]), _bytes(told["sealed"]), _bytes(told["signature"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Broken("no_file") from None


def _header(envelope: Envelope, once: bytes) -> bytes:
    told = {
        "id": envelope.id,
        "sender": envelope.sender,
        "reader": envelope.reader,
        "made_at": envelope.made_at.astimezone(UTC).isoformat(),
        "expires_at": envelope.expires_at.astimezone(UTC).isoformat(),
        "once": _text(once),
    }
    return json.dumps(told, sort_keys=True).encode()


def _signed(header: bytes, sealed: bytes) -> bytes:
    # With the length, so that no byte can move from one to the other.
    return FORM.encode() + len(header).to_bytes(8) + header + sealed


def _key(shared: bytes, header: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=FORM.encode() + header).derive(shared)


def _private(secret: str) -> tuple[Ed25519PrivateKey, X25519PrivateKey]:
    found = _bytes(secret, SECRET)
    return Ed25519PrivateKey.from_private_bytes(found[:32]), X25519PrivateKey.from_private_bytes(found[32:])


def _public(public: str) -> tuple[Ed25519PublicKey, X25519PublicKey]:
    found = _bytes(public, PUBLIC)
    try:
        return Ed25519PublicKey.from_public_bytes(found[:32]), X25519PublicKey.from_public_bytes(found[32:])
    except ValueError:
        raise Broken("no_key") from None


def _bytes(text: str, beginning: str = "") -> bytes:
    """Raises Broken for what is no key, if a beginning is given; ValueError for other text."""
    if not beginning:
        return base64.b64decode(text, altchars=b"-_", validate=True)
    if not re.fullmatch(re.escape(beginning) + r"[A-Za-z0-9_-]{86}==", text):
        raise Broken("no_key")
    return base64.b64decode(text.removeprefix(beginning), altchars=b"-_", validate=True)


def _text(given: bytes) -> str:
    return base64.urlsafe_b64encode(given).decode()


def _moment(given: str) -> datetime:
    found = datetime.fromisoformat(given)
    if found.tzinfo is None:
        raise ValueError("a time without its zone")
    return found
