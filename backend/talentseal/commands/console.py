"""What all commands share: the two languages, output for people or for programs, exit codes, API access.

Exit codes: 0 done · 1 refused, with the reason on one line · 2 wrong usage · 3 not reachable or busy, try
again.
"""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer

REFUSED: Final = 1
USAGE: Final = 2
UNREACHABLE: Final = 3


def speaks_english() -> bool:
    """Whether LC_ALL, LC_MESSAGES or LANG (the first that is set) asks for English. Chinese is the
    default.
    """
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if chosen := os.environ.get(name):
            return chosen.lower().startswith("en")
    return False


def words(zh: str, en: str) -> str:
    """The sentence in the user's language."""
    return en if speaks_english() else zh


def fail(zh: str, en: str, *, code: int = REFUSED) -> NoReturn:
    """One line on the error stream, and out."""
    print(words(zh, en), file=sys.stderr)
    raise typer.Exit(code)


def show(answer: Any, *, as_json: bool, text: str) -> None:
    """`answer` as one JSON document, or `text` for people."""
    print(json.dumps(answer, ensure_ascii=False, indent=1) if as_json else text)


def read_line_file(path: Path, what: str) -> str:
    """The one line of a secret's file. Exits when it cannot be read or others may read it."""
    try:
        readable = path.stat().st_mode & 0o077
        text = path.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        fail(
            f"无法读取{what}文件 {path}（{type(error).__name__}）。",
            f"Cannot read {path} ({type(error).__name__}).",
        )
    if readable:
        fail(
            f"文件 {path} 可被他人读取，请执行 chmod 600。",
            f"{path} is readable by others; run chmod 600 on it.",
        )
    return text


def passphrase(file: Path | None, *, confirm: bool) -> str:
    """From `file`, else from a prompt that shows nothing. Never from an argument, which others could see."""
    if file is not None:
        return read_line_file(file, "口令")
    answer: str = typer.prompt(
        words("密钥库口令", "Passphrase of the keystore"), hide_input=True, confirmation_prompt=confirm
    )
    return answer


Json = Annotated[bool, typer.Option("--json", help=words("以 JSON 输出。", "Print JSON."))]
Url = Annotated[
    str, typer.Option("--url", envvar="TALENTSEAL_URL", help=words("服务地址。", "Address of the service."))
]
ApiKeyFile = Annotated[
    Path,
    typer.Option(
        "--api-key-file",
        envvar="TALENTSEAL_API_KEY_FILE",
        help=words("存放 API 密钥的文件（0600）。", "File that holds the API key (0600)."),
    ),
]
Keystore = Annotated[
    Path, typer.Option("--keystore", help=words("密钥库文件（keystore V3）。", "Keystore V3 file."))
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        help=words("口令文件（0600）；不给则提示输入。", "Passphrase file (0600); else a prompt."),
    ),
]
DEFAULT_URL: Final = "http://127.0.0.1:8640"
