"""`talentseal run`: the demonstration from nothing to a running service, with the main job walked aloud."""

import signal
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from talentseal.commands.console import words

DEFAULT_PORT = 8640


def run(
    once: Annotated[
        bool, typer.Option("--once", help=words("走完流程即结束。", "End after the walk."))
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help=words("产物存放的文件夹。", "Folder for what the walk produces.")),
    ] = None,
    state: Annotated[
        Path, typer.Option("--state", help=words("状态文件夹。", "Folder of the state."))
    ] = Path(".state"),
    port: Annotated[
        int,
        typer.Option("--port", min=0, max=65535, help=words("端口；0 为任选。", "Port; 0 takes a free one.")),
    ] = DEFAULT_PORT,
) -> None:
    from talentseal.demonstration.stage import open_stage
    from talentseal.demonstration.walk import Artefacts, Walk

    # Told to end in any way, it takes the service and the chain with it.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda met, _frame: sys.exit(128 + met))
    stage = open_stage(state.resolve(), port, _tell)
    try:
        stage.start_service()
        with tempfile.TemporaryDirectory() as scratch:
            folder = (out or Path(scratch)).resolve()
            folder.mkdir(parents=True, exist_ok=True)
            Walk(stage, Artefacts(folder), _tell).run()
        _tell("全部步骤通过。", "Every step held.")
        if not once:
            stage.start_service()
            _tell(f"服务地址：{stage.url}（Ctrl-C 结束）", f"Serving at {stage.url} (Ctrl-C ends it)")
            stage.wait()
    finally:
        stage.close()


def mount(app: typer.Typer) -> None:
    """Put the command on `app`."""
    text = words(
        "启动本地链与服务，并演示主要流程。", "Start a local chain and the service, and walk the main job."
    )
    app.command("run", help=text)(run)


def _tell(zh: str, en: str) -> None:
    typer.echo(words(zh, en))
