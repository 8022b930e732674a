"""Kenko Call: asks patients how they are, by keypad, on calls it places and on calls it receives."""
