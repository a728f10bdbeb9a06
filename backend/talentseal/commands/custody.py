"""Keeping the log whole: `fsck`, `backup`, `restore` and `log adopt`."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from talentseal import backups
from talentseal.commands.opened import Opened, refusals
from talentseal.evidence import sealing
from talentseal.evidence.fsck import check_log

Folder = Annotated[Path, typer.Argument(help="folder of the backup / 备份目录")]
AsJson = Annotated[bool, typer.Option("--json", help="machine-readable output / 机器可读")]

log_app = typer.Typer(help="the log's own custody / 日志自身的保管", no_args_is_help=True)


def fsck(as_json: AsJson = False) -> None:
    """Read every stored value again and hold it against the log; exit 1 when anything differs.

    重新读取每个存储值并与日志比对；发现差异时退出码为 1。
    """
    with refusals(), Opened() as service:
        head, key = service.head_store.read(), service.signer.verifier_key
        found = service.database.snapshot(lambda session: list(check_log(session, head, key)))
    for finding in found:
        line = {"table": finding.table, "key": finding.key, "what": finding.what}
        typer.echo(json.dumps(line) if as_json else f"{finding.table} {finding.key}: {finding.what}")
    if not as_json:
        typer.echo(f"{len(found)} findings, {head.size} entries under the signed head", err=True)
    raise typer.Exit(1 if found else 0)


def backup(folder: Folder) -> None:
    """Write a verified snapshot of the database into a new folder; the head store stays outside.

    将经过校验的数据库快照写入新目录；链外头存储不包含在内。
    """
    with refusals(), Opened() as service:
        try:
            manifest = backups.back_up(service.database, folder, service.signer.verifier_key, _progress)
        except FileExistsError as error:
            raise typer.BadParameter(str(error)) from None
    typer.echo(f"{manifest.rows} rows, {manifest.size} entries, verified: {folder}")


def restore(folder: Folder) -> None:
    """Fill a new, empty database from a backup; exit 1, REWOUND, when it is older than the signed head.

    由备份恢复到新的空数据库；若早于最后签名的日志头则报告 REWOUND 并以 1 退出。
    """
    with refusals(), Opened() as service:
        head = service.head_store.read()
        rows = backups.restore(service.database, folder, service.signer.verifier_key, head, _progress)
    typer.echo(f"{rows} rows restored; the database stands at the last signed head or after it")


@log_app.command()
def adopt() -> None:
    """Rebuild a lost head store from the newest checkpoint, after reading every entry again.

    由最新检查点重建丢失的链外头存储（先重新读取全部条目）。
    """
    with refusals(), Opened() as service:
        head = sealing.adopt(service.database, service.head_store, service.signer)
    typer.echo(f"adopted the head of {head.size} entries")


def register(app: typer.Typer) -> None:
    """Mount these commands."""
    for command in (fsck, backup, restore):
        app.command()(command)
    app.add_typer(log_app, name="log")


def _progress(table: str, rows: int) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r{table}: {rows}\x1b[K", err=True, nl=False)
