"""Whom to ring, and when. Knows persons, attempts and outcomes; never a channel."""
