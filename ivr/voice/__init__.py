"""Makes the finished sound files of prompts/: speech, telephone chain, checks. The service never imports it."""
