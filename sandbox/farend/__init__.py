"""A far end of our own: SIP and RTP spoken by hand, so that it can send what no real telephone would."""
