"""Makes and checks the sound files of prompts/: script, speech, telephone chain, checks. A call never needs it."""
