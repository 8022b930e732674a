"""How log lines look: a sentence, and fields that monitoring matches on. Never digits, names or numbers."""

import logging
import sys

#: Fields that our log calls may carry, in the order in which they are written.
FIELDS = ("action", "call", "attempt", "outcome", "reason")


class _Fields(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        fields = " ".join(f"{name}={getattr(record, name)}" for name in FIELDS if hasattr(record, name))
        first, newline, rest = line.partition("\n")
        return f"{first} {fields}".rstrip() + newline + rest


def log_to_stderr(level: int = logging.INFO) -> None:
    """Send all log lines to stderr, for the service's journal."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Fields("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # aiohttp's access lines would carry request paths, and those the numbers we dial.
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
