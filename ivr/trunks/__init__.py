"""The lines to the provider: who we are on them."""
