"""Sealed files: only the one they are for can read them, and not one byte may be another."""

import base64
import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ivr import sealed
from ivr.sealed import Broken, Envelope, fingerprint, make_secret, open_sealed, public_of, seal

OURS, THEIRS, STRANGER = (make_secret(bytes([each]) * 64) for each in (1, 2, 3))
MADE = datetime(2025, 1, 6, 3, 0, tzinfo=UTC)
ENVELOPE = Envelope("t-1", public_of(OURS), public_of(THEIRS), MADE, MADE + timedelta(days=7))
CONTENT = "見本 花子、体温 39.0".encode()
FILE = seal(CONTENT, ENVELOPE, OURS, bytes(range(32)))


def why(file: bytes, secret: str = THEIRS, now: datetime = MADE) -> str:
    with pytest.raises(Broken) as broken:
        open_sealed(file, secret, now)
    return broken.value.why


def test_the_reader_reads_what_was_sealed_and_nobody_sees_it() -> None:
    assert open_sealed(FILE, THEIRS, MADE) == (ENVELOPE, CONTENT)
    assert CONTENT not in FILE
    assert base64.urlsafe_b64encode(CONTENT)[:12] not in FILE
    assert seal(CONTENT, ENVELOPE, OURS, bytes(range(1, 33))) != FILE


def test_nobody_else_can_read_it() -> None:
    assert why(FILE, STRANGER) == "other_reader"
    assert why(FILE, OURS) == "other_reader"


@pytest.mark.parametrize(("days", "good"), [(0, True), (6.999, True), (7, False), (400, False)])
def test_it_is_good_for_its_days(days: float, good: bool) -> None:
    now = MADE + timedelta(days=days)
    if good:
        assert open_sealed(FILE, THEIRS, now)[1] == CONTENT
    else:
        assert why(FILE, now=now) == "expired"


def test_no_bit_can_be_changed_and_no_byte_cut_off() -> None:
    told = json.loads(FILE)
    for name in ("header", "sealed", "signature"):
        part = base64.urlsafe_b64decode(told[name])
        for at in range(len(part)):
            other = bytearray(part)
            other[at] ^= 1
            file = json.dumps(told | {name: base64.urlsafe_b64encode(other).decode()}).encode()
            # A bit of the header may make no header of it any more.
            assert why(file) in ({"changed", "no_file", "no_key"} if name == "header" else {"changed"}), (name, at)
    for length in range(len(FILE) - 2):
        assert why(FILE[:length]) == "no_file"


def test_a_stranger_cannot_put_their_name_on_it() -> None:
    """Signing what somebody else has encrypted: the key of the content hangs on the header, too."""
    told = json.loads(FILE)
    header = json.loads(base64.urlsafe_b64decode(told["header"]))
    mine = json.dumps(header | {"sender": public_of(STRANGER)}, sort_keys=True).encode()
    signing, _ = sealed._private(STRANGER)
    body = base64.urlsafe_b64decode(told["sealed"])
    told |= {
        "header": base64.urlsafe_b64encode(mine).decode(),
        "signature": base64.urlsafe_b64encode(signing.sign(sealed._signed(mine, body))).decode(),
    }
    assert why(json.dumps(told).encode()) == "changed"


def test_what_is_no_such_file_is_no_crash() -> None:
    rng = random.Random(1)
    told = json.loads(FILE)
    odd: list[Any] = [None, 5, [], {}, "", "====", "é", told, "[" * 10]
    files = [b"", b"null", b"[]", b"{}", b"[" * 100_000, b"\xff\xfe", b" " * (sealed.LONGEST + 1), rng.randbytes(500)]
    files += [json.dumps(told | {name: each}).encode() for name in told for each in odd]
    assert {why(each) for each in files} <= {"no_file", "changed", "no_key"}
    header = json.loads(base64.urlsafe_b64decode(told["header"]))
    for name in header:
        for each in odd:
            changed = base64.urlsafe_b64encode(json.dumps(header | {name: each}).encode()).decode()
            assert why(json.dumps(told | {"header": changed}).encode()) in {"no_file", "changed", "no_key"}


def test_digits_to_compare_on_the_telephone() -> None:
    digits = fingerprint(public_of(OURS))
    assert [len(each) for each in digits.split()] == [5] * 5
    assert digits.replace(" ", "").isdigit()
    assert len({fingerprint(public_of(make_secret(bytes([each]) * 64))) for each in range(50)}) == 50
    # Written out once: another way to make them would frighten everybody who compares.
    assert digits == "79483 35824 76567 77153 42671"


@pytest.mark.parametrize(
    "key", ["", "kenko1.", OURS, public_of(OURS)[:-1], public_of(OURS) + "=", "kenko1." + "é" * 86]
)
def test_what_is_no_public_key_is_refused(key: str) -> None:
    with pytest.raises(Broken) as broken:
        fingerprint(key)
    assert broken.value.why == "no_key"
    with pytest.raises(Broken):
        seal(CONTENT, replace(ENVELOPE, reader=key), OURS, bytes(32))


def test_a_public_key_is_no_secret_one() -> None:
    with pytest.raises(Broken) as broken:
        public_of(public_of(OURS))
    assert broken.value.why == "no_key"
