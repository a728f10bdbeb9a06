"""What a vector is: why it stands here, its input, and the verdict ("accept" or the code of the refusal)."""

import base64
from typing import Any, TypeAlias

Case: TypeAlias = dict[str, Any]


def accept(why: str, **given: object) -> Case:
    return {"why": why, "input": given, "verdict": "accept"}


def refuse(code: str, why: str, **given: object) -> Case:
    return {"why": why, "input": given, "verdict": code}


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def b64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def flip(raw: bytes) -> bytes:
    """The same bytes with the last bit turned over."""
    return raw[:-1] + bytes([raw[-1] ^ 1])
