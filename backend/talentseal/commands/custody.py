"""Keeping the log whole: `fsck`, `backup`, `restore` and `log adopt`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from talentseal.commands.console import Json, fail, show, words

Folder = Annotated[Path, typer.Argument(help=words("备份文件夹。", "Folder of the backup."))]

log_app = typer.Typer(help=words("日志自身的保管。", "The log's own custody."), no_args_is_help=True)


def fsck(as_json: Json = False) -> None:
    from talentseal.agreements.fsck import check_agreements
    from talentseal.commands.running import serving
    from talentseal.evidence.fsck import check_log

    with serving() as service:
        head, key = service.head_store.read(), service.signer.verifier_key
        found = service.database.snapshot(
            lambda session: [*check_log(session, head, key), *check_agreements(session)]
        )
    rows = [{"table": finding.table, "key": finding.key, "what": finding.what} for finding in found]
    lines = [f"{finding.table} {finding.key}: {finding.what}" for finding in found]
    summary = words(
        f"已签名日志头之下 {head.size} 条，发现 {len(found)} 处差异。",
        f"{head.size} entries under the signed head, {len(found)} findings.",
    )
    show({"size": head.size, "findings": rows}, as_json=as_json, text="\n".join([*lines, summary]))
    raise typer.Exit(1 if found else 0)


def backup(folder: Folder, as_json: Json = False) -> None:
    from talentseal import backups
    from talentseal.commands.running import serving

    with serving() as service:
        try:
            manifest = backups.back_up(service.database, folder, service.signer.verifier_key, _progress)
        except FileExistsError:
            fail(
                f"{folder} 中已有备份，不会覆盖。",
                f"{folder} holds a backup already; it is never overwritten.",
            )
    text = words(
        f"已备份并校验：{manifest.rows} 行，日志 {manifest.size} 条。",
        f"Backed up and verified: {manifest.rows} rows, {manifest.size} entries.",
    )
    show({"folder": str(folder), "rows": manifest.rows, "size": manifest.size}, as_json=as_json, text=text)


def restore(folder: Folder, as_json: Json = False) -> None:
    from talentseal import backups
    from talentseal.commands.running import serving

    with serving() as service:
        head = service.head_store.read()
        rows = backups.restore(service.database, folder, service.signer.verifier_key, head, _progress)
    text = words(
        f"已恢复 {rows} 行，不落后于已签名的日志头。", f"{rows} rows restored, not behind the signed head."
    )
    show({"rows": rows}, as_json=as_json, text=text)


@log_app.command("adopt", help=words("由最新检查点重建丢失的链外头存储。", "Rebuild a lost head store."))
def adopt(as_json: Json = False) -> None:
    from talentseal.commands.running import serving
    from talentseal.evidence import sealing

    with serving() as service:
        head = sealing.adopt(service.database, service.head_store, service.signer)
    text = words(f"已采用 {head.size} 条的日志头。", f"Adopted the head of {head.size} entries.")
    show({"size": head.size}, as_json=as_json, text=text)


@log_app.command(
    "trust", help=words("输出信任文件：日志公钥、链、合约。", "Print the trust file: key, chain, contract.")
)
def trust(
    epoch: Annotated[
        int | None,
        typer.Option(min=1, help=words("较早的纪元，而非最新。", "An earlier epoch than the newest.")),
    ] = None,
) -> None:
    from talentseal.anchoring import epochs
    from talentseal.commands.running import serving

    with serving() as service:
        bound = service.database.read(
            lambda session: epochs.newest(session) if epoch is None else epochs.numbered(session, epoch)
        )
        sys.stdout.write(service.notary.trust(bound).dump().decode("utf-8"))


def mount(app: typer.Typer) -> None:
    """Put the commands on `app`."""
    described = (
        (fsck, "重读全部存储值并与日志比对。", "Read every stored value again and hold it against the log."),
        (backup, "写出经校验的数据库快照。", "Write a verified snapshot of the database."),
        (restore, "由备份恢复到新的空数据库。", "Fill a new, empty database from a backup."),
    )
    for command, zh, en in described:
        app.command(help=words(zh, en))(command)
    app.add_typer(log_app, name="log")


def _progress(table: str, rows: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{table}: {rows}\x1b[K", end="", file=sys.stderr)
