"""Organisations, the accounts that act for them, their roles and API keys."""
