"""Agreements, their stipulations, the signatures of all parties, amendment and termination."""
