"""The practice telephone network: a real Asterisk as our PBX and a second one as the carrier with its patients."""
