"""`talentseal register import`: the big-data bureau shares numbers that talents' papers are compared with."""

from pathlib import Path
from typing import Annotated

import typer

from talentseal.commands.console import (
    DEFAULT_URL,
    REFUSED,
    ApiKeyFile,
    Json,
    Url,
    read_line_file,
    show,
    words,
)

app = typer.Typer(no_args_is_help=True, help=words("部门共享数据。", "Data that other offices share."))


@app.command("import", help=words("导入 CSV（kind,number）。", "Import a CSV (kind,number)."))
def import_register(
    file: Annotated[Path, typer.Argument(help=words("CSV 文件，UTF-8。", "CSV file in UTF-8."))],
    *,
    api_key_file: ApiKeyFile,
    url: Url = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    from talentseal.client import Client

    with Client(url, read_line_file(api_key_file, "API key")) as client:
        report = client.import_register(file.read_bytes())
    lines = [
        words(f"新增 {report.added}，已有 {report.known}", f"added {report.added}, known {report.known}"),
        *(
            words(f"第 {row.line} 行：{row.fault.value}", f"line {row.line}: {row.fault.value}")
            for row in report.refused
        ),
    ]
    show(report.model_dump(mode="json"), as_json=as_json, text="\n".join(lines))
    if report.refused:
        raise typer.Exit(REFUSED)
