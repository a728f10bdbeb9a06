"""The document that the invented partners agree on: a real PDF, made anew for each run."""

from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

FONT = "STSong-Light"
"""A font that PDF readers bring themselves, so that none is embedded."""

LEFT, TOP, LEADING = 72, 760, 24


def write_agreement(path: Path, number: str, lines: tuple[str, ...]) -> None:
    """Write a one-page PDF: title, number and one line of text after another."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    page = Canvas(str(path), pagesize=A4)
    page.setTitle(number)
    page.setFont(FONT, 18)
    page.drawString(LEFT, TOP, "金融与消费权益合作协议（演示，当事人均为虚构）")
    page.setFont(FONT, 12)
    for position, line in enumerate((f"编号：{number}", *lines), start=2):
        page.drawString(LEFT, TOP - position * LEADING, line)
    page.save()
