"""The commands of AGI and what Asterisk replies, as tried on 22.10.1. Pure."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ivr.digits import KeyRules
from ivr.questionnaire.model import RecordRules

#: Every key that a telephone has.
KEYS = "0123456789*#"
#: A word that needs no quotes, and cannot be read as more than a word.
_PLAIN = re.compile(r"[A-Za-z0-9._/:*#=-]+")
_SAFE = re.compile(r"[^\"\\\r\n]*")


@dataclass(frozen=True)
class Reply:
    """What came of one command."""

    result: int  #: mostly a key (its ASCII code) or 0
    data: str = ""  #: what stood in brackets
    end: int = 0  #: where a sound was stopped, in samples
    failed: bool = False  #: it could not be done, or the caller has hung up: the next command tells

    @property
    def key(self) -> str:
        """The key that ended it; empty if none did: a recording that silence ended has the result 1 (22.10.1)."""
        key = chr(max(0, self.result))
        return key if key in KEYS else ""


def read_reply(said: Mapping[str, Any]) -> Reply | None:
    """The reply as panoramisk has read it; None: the caller has hung up."""
    # 511: not for a channel that is over. A HANGUP may come instead of any reply.
    if said.get("error") == "AGIResultHangup" or said.get("status_code") == 511:
        return None
    if "error" in said:
        return Reply(-1, failed=True)
    result, data = said["result"]
    end = said.get("endpos", ("0", ""))[0]
    return Reply(_number(result), data, max(0, _number(end)))


def _number(said: str) -> int:
    return int(said) if re.fullmatch(r"-?[0-9]+", said) else 0


def command(*words: str) -> str:
    """One line of AGI. Raises ValueError for a word that would be read as more."""
    if not all(_SAFE.fullmatch(word) for word in words):
        raise ValueError("a word that AGI would misread")
    return " ".join(word if _PLAIN.fullmatch(word) else f'"{word}"' for word in words)


def stopping(rules: KeyRules) -> str:
    """The keys that stop a prompt: while nothing was entered, an ignored key is ignored whatever else it is."""
    return "".join(key for key in KEYS if key not in rules.ignored)


def play(path: Path, keys: str, offset: int) -> str:
    """Play a sound, from so many samples on, until one of the keys is pressed. Other keys are lost."""
    return command("STREAM", "FILE", str(path.with_suffix("")), keys, str(offset))


def wait(seconds: float) -> str:
    """Wait for a key."""
    return command("WAIT", "FOR", "DIGIT", str(max(1, math.ceil(seconds * 1000))))


def record(path: Path, rules: KeyRules, limits: RecordRules) -> str:
    """Record what is said, until a key that counts or `#`, silence, the longest time or the end of the call."""
    keys = stopping(rules) + ("" if "#" in stopping(rules) else "#")
    longest, silence = str(round(limits.max_seconds * 1000)), str(round(limits.silence_seconds))
    return command("RECORD", "FILE", str(path.with_suffix("")), "wav", keys, longest, "0", f"s={silence}")


def dial(dialled: str, ring_seconds: float, caller: str) -> str:
    """Ring another telephone, named as Asterisk wants it, and join the caller to it.

    g: go on with us when the other side hangs up; r: the caller hears it ring; I: nobody's number is passed on later;
    f: what the other side sees.
    """
    shown = f"f({caller})" if caller else ""
    return command("EXEC", "Dial", f"{dialled},{math.ceil(ring_seconds)},grI{shown}")
