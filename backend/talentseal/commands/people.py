"""`talentseal people`: the keys under which people's data lie sealed."""

import sys
from typing import Annotated

import typer

from talentseal.commands.console import Json, show, words

app = typer.Typer(
    no_args_is_help=True, help=words("个人信息的加密密钥。", "Keys that seal what is kept of people.")
)


@app.callback()
def group() -> None:
    """A group even with one command, so that others can join it."""


@app.command(
    "reseal",
    help=words(
        "更换密钥：新增下一个 people-N.key，并用它重新加密全部个人信息。可随时中断、重复执行。",
        "Replace the key: add the next people-N.key and seal everything anew. May be repeated.",
    ),
)
def reseal(
    finish: Annotated[
        bool,
        typer.Option(
            "--finish",
            help=words("不新增密钥，只完成尚未完成的部分。", "Add no key; finish what is outstanding."),
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    from talentseal import resealing
    from talentseal.app import vault_of
    from talentseal.commands.running import opened
    from talentseal.config import Settings
    from talentseal.evidence.signing import create_secret

    settings = Settings()
    with opened(settings) as (database, _clock):
        vault = vault_of(settings)
        # What an earlier run left is finished under its own key first: each run adds one key at most.
        if not finish and not database.read(lambda session: resealing.outstanding(session, vault)):
            create_secret(settings.people_key_file(max(vault.keys) + 1))
        newest = vault_of(settings)
        rows = resealing.reseal(database, newest, _progress)
        left = database.read(lambda session: resealing.outstanding(session, newest))
    number = max(newest.keys)
    text = words(
        f"已用第 {number} 号密钥重新加密 {rows} 项，尚余 {left} 项。旧密钥请保留到无余项且备份过期之后。",
        f"{rows} contents sealed under key {number}, {left} outstanding. Keep the older key files until "
        "nothing is outstanding and no backup needs them.",
    )
    show({"key": number, "sealed": rows, "outstanding": left}, as_json=as_json, text=text)
    raise typer.Exit(1 if left else 0)


def _progress(table: str, rows: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{table}: {rows}\x1b[K", end="", file=sys.stderr)
