"""No text calls evidence a notary's act or promises what a court makes of it; a few say that it is none."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import talentseal

BACKEND = Path(talentseal.__path__[0]).parent
CHINESE = ("公证", "司法", "法律效力", "法定效力", "证据效力", "证明力", "法院", "仲裁")
ENGLISH = ("notari", "legally binding", "legal force", "court", "judicial", "admissib")
PROMISES = re.compile("|".join(CHINESE + ENGLISH), re.IGNORECASE)
DENIALS = re.compile(
    "不是公证|并非公证|不等于公证|存证不作判断|任何法律效力；|any effect in law; |is not notari",
    re.IGNORECASE,
)
"""What a text that uses one of these words has to say: what evidence is not."""


def python_texts(path: Path) -> Iterator[str]:
    """What a person may read: string constants, but for docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def texts(path: Path) -> Iterator[str]:
    if path.suffix == ".py":
        yield from python_texts(path)
    else:
        without_comments = re.sub(
            r"/\*.*?\*/|\{#.*?#\}|^\s*//.*?$", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE
        )
        yield from without_comments.splitlines()


SOURCES = sorted(
    path
    for suffix in ("py", "html", "po", "js", "typ", "json")
    for path in BACKEND.rglob(f"*.{suffix}")
    if "node_modules" not in path.parts
)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(BACKEND)))
def test_no_text_promises_what_evidence_is_not(source: Path) -> None:
    promising = [text for text in texts(source) if PROMISES.search(text) and not DENIALS.search(text)]

    assert promising == []


def test_a_promise_would_be_found() -> None:
    promise = "经公证的存证具有法律效力"

    assert PROMISES.search(promise)
    assert not DENIALS.search(promise)
