"""What a command on the operator's machine opens: the settings' database, head store and log key."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import typer
from pydantic import ValidationError

from talentseal.config import Settings
from talentseal.db import Database
from talentseal.errors import TalentSealError
from talentseal.evidence.headstore import HeadStore
from talentseal.evidence.signing import LogSigner, load_signer


class Opened:
    """The service's storage, opened for one command and closed after it."""

    def __init__(self) -> None:
        self.settings = Settings()
        self.signer: LogSigner = load_signer(self.settings.origin, self.settings.log_key_file)
        self.head_store = HeadStore(self.settings.head_store)
        self.database = Database(self.settings.database)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.database.close()


def in_chinese() -> bool:
    """The language of messages: English when LC_ALL, LC_MESSAGES or LANG begins with `en`, else Chinese."""
    chosen = next(
        (os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "zh"
    )
    return not chosen.startswith("en")


@contextmanager
def refusals() -> Iterator[None]:
    """Show a refusal as one line with its code and end with exit 1; wrong settings end with exit 2."""
    try:
        yield
    except TalentSealError as error:
        sentence = error.sentence_zh if in_chinese() else error.sentence_en
        typer.echo(f"{error.code}: {sentence}", err=True)
        sys.exit(1)
    except ValidationError as error:
        for problem in error.errors():
            typer.echo(f"settings: TALENTSEAL_{problem['loc'][0]}: {problem['msg']}", err=True)
        sys.exit(2)
