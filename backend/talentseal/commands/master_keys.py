"""`talentseal master-keys`: the versions of the keys behind codes, cards and offline proofs."""

from datetime import datetime, timedelta
from typing import Annotated

import typer

from talentseal.clock import SystemClock, legal_date
from talentseal.commands.console import Json, show, words

app = typer.Typer(
    no_args_is_help=True, help=words("凭证主密钥的版本。", "Versions of the credentials' master keys.")
)


@app.command("list", help=words("列出各版本，不显示密钥。", "List the versions, without their secrets."))
def every(as_json: Json = False) -> None:
    from talentseal.config import Settings
    from talentseal.credentials.master_keys import MasterKeys

    keys = MasterKeys.load(Settings().credential_keys_file).versions
    rows = [{"version": key.version, "first_day": key.first_day.isoformat()} for key in keys]
    text = "\n".join(
        words(f"第 {key.version} 版，自 {key.first_day} 起", f"version {key.version}, from {key.first_day}")
        for key in keys
    )
    show({"versions": rows}, as_json=as_json, text=text)


@app.command(
    "add", help=words("新增一个版本，之后重启各进程。", "Add a version, then restart every process.")
)
def add(
    first_day: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            formats=["%Y-%m-%d"],
            help=words(
                "启用之日（上海），默认明天；今天则使当日已出示的码即刻失效。",
                "Its first day (Shanghai), tomorrow unless given; today ends every code now on a screen.",
            ),
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    from talentseal.config import Settings
    from talentseal.credentials import master_keys

    now = SystemClock().now()
    day = first_day.date() if first_day else legal_date(now) + timedelta(days=1)
    added = master_keys.add(Settings().credential_keys_file, day, now)
    text = words(
        f"已新增第 {added.version} 版，{day} 起启用。请在此之前把密钥文件带到每台机器并重启。",
        f"Version {added.version} added, in use from {day}; until then bring the file to every machine "
        "and restart.",
    )
    show({"version": added.version, "first_day": day.isoformat()}, as_json=as_json, text=text)


@app.command(
    "remove", help=words("不再信任某一版本，之后重启各进程。", "Trust a version for nothing any more.")
)
def remove(
    version: Annotated[int, typer.Argument(help=words("版本号。", "Number of the version."))],
    as_json: Json = False,
) -> None:
    from talentseal.config import Settings
    from talentseal.credentials import master_keys

    master_keys.remove(Settings().credential_keys_file, version)
    text = words(
        f"已移除第 {version} 版。重启后，以其印制的卡码和离线凭证均不再有效。",
        f"Version {version} is gone; after a restart no card code and no offline proof made under it counts.",
    )
    show({"removed": version}, as_json=as_json, text=text)
