"""Commands of instruments and of days: policy load, list, calendar import, list, after; nightly."""

import sys
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from talentseal.commands.console import Json, fail, show, words

if TYPE_CHECKING:
    from talentseal.policy.calendar_schemas import ImportNotice

policy = typer.Typer(no_args_is_help=True, help=words("规范性文件。", "Policy instruments."))
calendar_app = typer.Typer(no_args_is_help=True, help=words("工作日历。", "The working-day calendar."))


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


@calendar_app.command("import", help=words("录入放假安排。", "Import holiday notices."))
def import_notices(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help=words("TOML 文件；不写则为随版本提供的安排。", "TOML files; else those of the release.")
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    from talentseal.accounts.roles import Actor
    from talentseal.commands.running import opened
    from talentseal.policy import calendar

    notices = [_read_notice(file) for file in files or calendar.SHIPPED]
    answers = []
    with opened() as (database, clock):
        for notice in notices:
            write = partial(calendar.import_notice, actor=Actor.console(), command=notice, now=clock.now())
            row, new = database.write(write)
            answers.append({"year": row.year, "version": row.number, "new": new})
    news = {True: words("已录入", "imported"), False: words("已在册，未作改动", "already there, unchanged")}
    lines = [f"{each['year']}  {news[bool(each['new'])]}" for each in answers]
    show(answers, as_json=as_json, text="\n".join(lines))


@calendar_app.command(
    "list", help=words("列出各年的安排和尚缺的年份。", "List the notices and the years missing.")
)
def list_notices(as_json: Json = False) -> None:
    from talentseal.commands.running import opened
    from talentseal.policy import calendar

    with opened() as (database, clock):
        now = clock.now()
        met = database.read(lambda session: calendar.overview(session, now=now))
    lines = [f"{each.year}  {each.counts.issued_on}  {each.counts.document_number}" for each in met.years]
    lines += [f"{year}  {words('尚未录入', 'missing')}" for year in met.missing]
    show(met.model_dump(mode="json"), as_json=as_json, text="\n".join(lines))


@calendar_app.command(
    "after", help=words("某日之后第若干个工作日。", "The last day of a term of working days.")
)
def count_after(
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"])],
    working_days: Annotated[int, typer.Argument(min=1, max=366)],
    as_json: Json = False,
) -> None:
    from talentseal.commands.running import opened
    from talentseal.policy import calendar

    with opened() as (database, _clock):
        met = database.read(lambda session: calendar.working_days_after(session, day.date(), working_days))
    since = met.assumed_from.isoformat() if met.assumed_from else None
    assumed = words(f"（{since} 起只按周末推定）", f" (from {since} on by weekends alone)") if since else ""
    answer = {"day": met.day.isoformat(), "assumed_from": since}
    show(answer, as_json=as_json, text=f"{met.day}{assumed}")


def _read_notice(file: Path) -> "ImportNotice":
    """A notice's file; what is wrong with it, a line for each place, before it is refused as a whole."""
    from talentseal.policy import calendar

    try:
        return calendar.read_notice(file.read_bytes())
    except OSError as error:
        kind = type(error).__name__
        fail(f"无法读取 {file.name}（{kind}）。", f"Cannot read {file.name} ({kind}).")
    except calendar.NoticeFileRefused as refusal:
        for each in refusal.findings:
            print(f"{file.name}  {each.path}  {words(each.zh, each.en)}", file=sys.stderr)
        raise


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
    policy.add_typer(calendar_app, name="calendar")
    app.add_typer(policy, name="policy")
    text = words(
        "办理某日到来所引起的事项，可重复运行。", "Bring what a day brings; may be repeated at will."
    )
    app.command("nightly", help=text)(nightly)
