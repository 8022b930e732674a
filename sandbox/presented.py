"""What a call of our PBX says of us, read from its INVITE, against what it is to say. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ivr.trunks.presented import Presented

_URI = re.compile(r"<?(?:sips?|tel):([^@>;]+)(?:@([^>;:]+))?")


@dataclass(frozen=True)
class Said:
    """The headers of one INVITE that tell who calls."""

    called: str
    sender: str  #: From
    asserted: Sequence[str]  #: P-Asserted-Identity
    privacy: str  #: Privacy
    other: str = ""  #: Remote-Party-ID, which nobody should need


def wrong(said: Iterable[Said], allowed: Sequence[Presented]) -> Iterator[str]:
    """A sentence for each call that is none of ours as `allowed` has us."""
    for each in said:
        if not any(list(complaints(each, one)) == [] for one in allowed):
            reasons = [", ".join(complaints(each, one)) for one in allowed]
            yield f"call to {each.called}: {' / '.join(reasons)}"


def complaints(said: Said, wanted: Presented) -> Iterator[str]:
    """What is not as it should be in one call."""
    user, host = _who(said.sender)
    if "anonymous" in said.sender.lower():
        yield f"anonymous: {said.sender}"
    if (user, host) != (wanted.user, wanted.host):
        yield f"From is {user}@{host}, not {wanted.user}@{wanted.host}"
    asserted = [_who(each) for each in said.asserted]
    if asserted != ([(wanted.number, wanted.host)] if wanted.asserted else []):
        yield f"P-Asserted-Identity is {asserted}"
    if said.privacy not in ("", "none"):
        yield f"Privacy is {said.privacy}"
    if said.other:
        yield f"Remote-Party-ID is {said.other}"


def _who(header: str) -> tuple[str, str]:
    found = _URI.search(header)
    return (found[1], found[2] or "") if found else ("", "")
