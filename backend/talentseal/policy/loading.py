"""Published texts as files: TOML with a version's dates, articles and proposed interpretations."""

import tomllib
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from talentseal.errors import Invalid
from talentseal.policy.schemas import EnterVersion

MEASURES_2023: Final = Path(__file__).with_name("measures-2023.toml")
"""The measures of 2023, article by article."""


class FileRefused(Invalid):
    code = "instrument-file-refused"
    zh = "文件 {file} 不可用（{place}：{reason}）。"
    en = "The file {file} cannot be used ({place}: {reason})."


def read(path: Path) -> EnterVersion:
    """A version as its file has it. Raises FileRefused, which names the field."""
    try:
        return EnterVersion.model_validate(tomllib.loads(path.read_text("utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise FileRefused(file=path.name, place=place, reason=first["msg"]) from error
    except (OSError, ValueError) as error:
        raise FileRefused(file=path.name, place="TOML", reason=type(error).__name__) from error
