"""What sound goes over a trunk: what we can play, and what is only taken to be told. Pure."""

from collections.abc import Mapping

#: Those that we can play, the better first: as Asterisk names them, with the module that makes our sounds into each.
PLAYED = {"ulaw": "codec_ulaw.so", "alaw": "codec_alaw.so"}
#: Those that a call may offer and that we cannot play: an offer of nothing else is then a call that we see, and refuse.
SEEN = ("g722", "gsm", "g729", "ilbc", "opus")


def offered(endpoint: str) -> Mapping[str, object]:
    """What a request for a call to this endpoint (`0…@trunk`, or another) says of sound: to numbers what we can play.

    A telephone in the house is somebody else's endpoint, and the far end of the test call none of PJSIP's.
    """
    return {"variables": {"PJSIP_MEDIA_OFFER(audio)": ",".join(("!all", *PLAYED))}} if "@" in endpoint else {}
