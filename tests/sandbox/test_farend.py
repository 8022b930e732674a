"""What the far end of our own reads and writes: the examples of the RFCs."""

import pytest

from sandbox import sound
from sandbox.farend import sdp
from sandbox.farend.message import address, challenge_response, digest, is_authorized, parameter, parse, render
from sandbox.farend.stream import key_packets

INVITE = (
    b"INVITE sip:0900@127.0.0.3:5060;user=phone SIP/2.0\r\n"
    b"v: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1;rport\r\n"
    b'f: "A; B" <sip:05000000100@example.jp;x=1>;tag=abc\r\n'
    b"P-Asserted-Identity: <sip:05000000100@example.jp>,\r\n <tel:+815000000100>\r\n"
    b"i: call-1\r\nCSeq: 7 INVITE\r\nl: 2\r\n\r\nhi"
)


def test_a_request_is_read() -> None:
    read = parse(INVITE)
    assert (read.method, read.code, read.uri) == ("INVITE", 0, "sip:0900@127.0.0.3:5060;user=phone")
    assert (read.user, read.call_id, read.sequence, read.branch, read.body) == ("0900", "call-1", 7, "z9hG4bK1", b"hi")
    assert address(read.get("From")) == "sip:05000000100@example.jp;x=1"
    assert parameter(read.get("From"), "tag") == "abc"
    assert read.all("p-asserted-identity") == ["<sip:05000000100@example.jp>, <tel:+815000000100>"]


def test_a_response_is_read_and_belongs_to_its_request() -> None:
    read = parse(render("SIP/2.0 486 Busy Here", (("CSeq", "3 BYE"),), b"x"))
    assert (read.code, read.method, read.body, read.get("Content-Length")) == (486, "BYE", b"x", "1")


@pytest.mark.parametrize("datagram", [b"", b"\r\n\r\n", b"\x00\x00", b"GET / HTTP/1.1\r\n\r\n"])
def test_what_is_no_sip_is_refused(datagram: bytes) -> None:
    with pytest.raises(ValueError, match="no SIP"):
        parse(datagram)


def test_the_digest_of_rfc_2617() -> None:
    extra = ("00000001", "0a4f113b", "auth")
    nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
    made = digest("Mufasa", "Circle Of Life", "testrealm@host.com", nonce, "GET", "/dir/index.html", extra)
    assert made == "6629fae49393a05397450978507c4ef1"


def test_a_password_is_proved_and_another_is_not() -> None:
    proof = challenge_response('Digest realm="r", nonce="n", algorithm=MD5', "REGISTER", "sip:r", "user", "right")
    assert is_authorized(proof, "REGISTER", "right")
    assert not is_authorized(proof, "REGISTER", "wrong")
    assert not is_authorized(proof, "INVITE", "right")
    assert not is_authorized("Digest", "INVITE", "right")


def test_a_description_is_read_as_it_was_written() -> None:
    made = sdp.describe("127.0.0.3", 4000, ["PCMA", "G722"], 97, "sendonly")
    assert sdp.read(made) == sdp.Media("127.0.0.3", 4000, (8, 9, 97), 97, "sendonly")
    assert sdp.read(b"") is None


def test_a_key_is_held_as_long_as_it_says() -> None:
    packets = key_packets(0.12)
    assert [each.end for each in packets] == [False] * 6 + [True] * 3
    assert (packets[0].marker, packets[-1].at, packets[-1].length) == (True, 0.12, 0.12)


def test_a_law_there_and_back_is_almost_the_same() -> None:
    spoken = sound.murmur(0.5)
    back = spoken.translate(sound.mu_to_a()).translate(sound.A_TO_MU)
    there, again = sound.to_linear(spoken), sound.to_linear(back)
    pairs = list(zip(memoryview(there).cast("h"), memoryview(again).cast("h"), strict=True))
    assert max(abs(one - other) for one, other in pairs) <= 512
    assert any(abs(one) > 4000 for one, _ in pairs)
