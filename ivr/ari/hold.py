"""What a phone over ARI does when nobody listens: after a hold it says all again, a dead connection it ends."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

from ivr.ari.channel import Interrupted
from ivr.ari.player import AriPlayer
from ivr.digits import Entry, KeyRules
from ivr.prompts import Sound

P = ParamSpec("P")
R = TypeVar("R")
Player = TypeVar("Player", bound=AriPlayer)
Ask = Callable[[Player, Sequence[Sound], KeyRules], Coroutine[Any, Any, Entry]]


def again_after_hold(
    method: Callable[Concatenate[Player, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[Player, P], Coroutine[Any, Any, R]]:
    """A hold waits; then the whole is said or asked from its beginning."""

    async def again(self: Player, /, *args: P.args, **kwargs: P.kwargs) -> R:
        while True:
            await self.wait_out_hold()
            try:
                with self.speaking():
                    return await method(self, *args, **kwargs)
            except Interrupted:
                continue

    again.__doc__ = method.__doc__
    return again


def ends_without_sound(ask: Ask[Player]) -> Ask[Player]:
    """A silent entry, and not the first: see `AriPlayer.end_without_sound`."""

    async def heard(self: Player, sounds: Sequence[Sound], rules: KeyRules) -> Entry:
        entry = await ask(self, sounds, rules)
        if rules.first_key:
            await self.end_without_sound(entry)
        return entry

    heard.__doc__ = ask.__doc__
    return heard
