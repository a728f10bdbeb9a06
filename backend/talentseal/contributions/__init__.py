"""Contribution value of third-party institutions and what they are rewarded with (Article 17)."""
