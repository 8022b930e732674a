"""What everything else stands on. Pure."""
