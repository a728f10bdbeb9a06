"""The commands of `talentseal`, one file per subject; `cli.py` puts them together."""
