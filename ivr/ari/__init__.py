"""Drives Asterisk over ARI. The only place that knows ARI; it must not know storage, configuration or scheduler."""
