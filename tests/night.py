"""What takes too long for every day and is left to the night: `scripts/test --long`."""

import os

import pytest

#: `scripts/test --long` says so.
LONG = bool(os.environ.get("KENKO_LONG"))
for_the_night = pytest.mark.skipif(not LONG, reason="for the night: scripts/test --long")
