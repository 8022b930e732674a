"""What is asked and how a walk through it goes: pure, without telephone, clock or database."""
