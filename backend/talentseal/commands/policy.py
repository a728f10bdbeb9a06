"""Commands of instruments and of the day: policy load, policy list, nightly."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from talentseal.commands.console import Json, show, words

policy = typer.Typer(no_args_is_help=True, help=words("规范性文件。", "Policy instruments."))


@policy.command("load", help=words("录入已印发的文件。", "Enter a published instrument."))
def load(
    file: Annotated[
        Path | None,
        typer.Argument(
            help=words("TOML 文件；不写则为 2023 年办法。", "TOML file; else the measures of 2023.")
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    from talentseal.accounts.roles import Actor
    from talentseal.commands.running import opened
    from talentseal.policy import loading, service

    text = loading.read(file or loading.MEASURES_2023)
    with opened() as (database, clock):
        now = clock.now()
        row, new = database.write(lambda session: service.enter(session, Actor.console(), text, now=now))
    answer = {"instrument": row.instrument, "number": row.number, "new": new}
    named = f"{row.title} · {text.document_number}"
    said = words(f"已录入：{named}", f"Entered: {named}")
    unchanged = words(f"已在册，未作改动：{named}", f"Already there, nothing changed: {named}")
    show(answer, as_json=as_json, text=said if new else unchanged)


@policy.command("list", help=words("列出全部版本及其状态。", "List every version with its state."))
def list_versions(as_json: Json = False) -> None:
    from talentseal.commands.running import opened
    from talentseal.policy import reading

    with opened() as (database, clock):
        now = clock.now()
        met = database.read(lambda session: reading.overview(session, now=now))
    lines = [
        f"{each.instrument} {each.number}  {each.state:<20} {each.effective_from} – {each.valid_through}  "
        f"{each.title} {each.document_number or ''}".rstrip()
        for each in met.versions
    ]
    show(met.model_dump(mode="json"), as_json=as_json, text="\n".join(lines))


def nightly(
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help=words("日期；不写则为今日。", "The day; else today.")),
    ] = None,
    as_json: Json = False,
) -> None:
    from talentseal.clock import legal_date
    from talentseal.commands.running import opened
    from talentseal.nightly import Nightly
    from talentseal.worker import NIGHTLY

    with opened() as (database, clock):
        now = clock.now()
        wanted: date = day.date() if day else legal_date(now)
        found = Nightly(database, NIGHTLY).run(wanted, now=now)
    text = "\n".join(f"{name}: {count}" for name, count in found.items())
    show({"day": wanted.isoformat(), **found}, as_json=as_json, text=text)


def mount(app: typer.Typer) -> None:
    """Put the commands on `app`."""
    app.add_typer(policy, name="policy")
    text = words(
        "办理某日到来所引起的事项，可重复运行。", "Bring what a day brings; may be repeated at will."
    )
    app.command("nightly", help=text)(nightly)
