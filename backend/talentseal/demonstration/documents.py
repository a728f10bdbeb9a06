"""The document that the invented partners agree on: a real PDF, made anew for each run."""

from datetime import UTC, datetime
from pathlib import Path

from talentseal.web.typesetting import typeset

SOURCE = Path(__file__).parent / "agreement.typ"


def write_agreement(path: Path, number: str, lines: tuple[str, ...]) -> None:
    """Write a one-page PDF: title, number and one line of text after another."""
    path.write_bytes(typeset(SOURCE, {"number": number, "lines": lines}, at=datetime.now(UTC)))
