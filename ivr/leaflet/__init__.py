"""The card beside a patient's telephone: who calls, when, and which keys to press."""
