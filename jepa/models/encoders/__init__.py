"""Encoders: networks from frames to features, each under a name."""
