"""The practice network for the conversations."""

from tests.acceptance.conftest import asterisk, network, short_prompts

__all__ = ["asterisk", "network", "short_prompts"]
