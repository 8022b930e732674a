"""Who we are on a line: what From, P-Asserted-Identity and Privacy say on every call of ours. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Presented:
    """What the provider, and behind it the called telephone, is told of us. Privacy is never asked for."""

    number: str  #: ours, which the called person is to see
    user: str  #: in From before the @
    host: str  #: in From after it; empty: Asterisk's own address
    asserted: bool  #: whether the number stands in P-Asserted-Identity

    @property
    def shown(self) -> str:
        """What the called person sees, if the provider passes on what it is told."""
        return self.number if self.asserted else self.user


def presented(number: str, host: str, domain: str = "", from_user: str = "") -> Presented:
    """Who we are on a trunk: our number in From, or, where From holds the provider's name for us, asserted.

    `host` is the provider's server; `domain` is its domain if it has another name. Without a host of the provider's
    Asterisk 22.10.1 would write `anonymous.invalid` for a call whose number it takes for withheld.
    """
    return Presented(number, from_user or number, domain or host, bool(from_user) and from_user != number)


def of_endpoint(settings: Mapping[str, str], number: str) -> Presented:
    """The same of a PJSIP endpoint as Asterisk says that it runs with, for calls that present `number`."""
    user = settings.get("from_user") or number
    return Presented(number, user, settings.get("from_domain", ""), settings.get("send_pai") in ("true", "yes"))


def number_for(endpoint: str, numbers: Mapping[str, str]) -> str:
    """The number that a call to this endpoint (`0…@trunk`, or a telephone of our staff) presents.

    `numbers`: trunk -> ours, the first trunk's first. Empty only if nothing is known of any trunk.
    """
    trunk = endpoint.partition("@")[2]
    return numbers.get(trunk) or next(iter(numbers.values()), "")
