"""Measures a call through Kenko Call against the same call through the pure dialplan."""
