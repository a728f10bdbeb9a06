"""Fixtures of the anchorer, for other people's nodes."""

from tests.anchoring.conftest import clock, serve

__all__ = ["clock", "serve"]
