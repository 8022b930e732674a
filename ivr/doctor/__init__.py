"""`kenko-call doctor`: what is in order on this machine and what is to be done; facts are gathered, then judged."""
