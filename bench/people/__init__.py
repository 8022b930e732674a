"""Whether old, slow, hard-of-hearing and confused people get through a call: simulated people on the real engine."""
