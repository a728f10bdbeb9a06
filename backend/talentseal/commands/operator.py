"""The operator's commands: init, serve, worker, db, organisations, accounts, chain, doctor."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from talentseal.accounts.models import OrganisationKind
from talentseal.accounts.roles import Permission, Role
from talentseal.anchoring.models import Scope
from talentseal.clock import SystemClock
from talentseal.commands.console import REFUSED, USAGE, Json, fail, show, words

db = typer.Typer(no_args_is_help=True, help=words("数据库。", "Database."))
organisations = typer.Typer(no_args_is_help=True, help=words("机构。", "Organisations."))
accounts = typer.Typer(no_args_is_help=True, help=words("账户与 API 密钥。", "Accounts and API keys."))
chain = typer.Typer(no_args_is_help=True, help=words("链与纪元。", "Chain and epochs."))


@db.command("upgrade", help=words("升级数据库结构。", "Bring the tables to the newest version."))
def upgrade(as_json: Json = False) -> None:
    from talentseal.commands.running import opened

    with opened() as (database, _):
        database.upgrade()
    show({"upgraded": True}, as_json=as_json, text=words("数据库已是最新。", "The database is up to date."))


def init(as_json: Json = False) -> None:
    """Create the data folder, the keys and the database, as far as they are missing."""
    from talentseal.app import create_keys
    from talentseal.commands.running import opened
    from talentseal.config import Settings

    settings = Settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    made = [str(path) for path in create_keys(settings, now=SystemClock().now())]
    with opened(settings) as (database, _):
        database.upgrade()
    text = "\n".join(made) or words("均已存在，未作改动。", "Everything was there already.")
    show({"created": made}, as_json=as_json, text=text)


def serve(
    embedded: Annotated[
        bool, typer.Option(help=words("同进程运行封存与锚定。", "Seal and anchor in this process."))
    ] = True,
) -> None:
    """Answer requests until told to stop."""
    import uvicorn

    from talentseal.app import build, create_app
    from talentseal.commands.running import chain_of, set_up_logs, settle, worker_of
    from talentseal.config import Settings

    settings = Settings()
    set_up_logs(settings)
    service = build(settings)
    try:
        worker = worker_of(service) if embedded else None
        app = create_app(service, worker=worker, chain=lambda: chain_of(service))
        settle()
        uvicorn.run(app, host=settings.host, port=settings.port, log_config=None, server_header=False)
    finally:
        service.close()


def work() -> None:
    """Seal and anchor until told to stop."""
    import signal
    import threading

    from talentseal.app import build
    from talentseal.commands.running import set_up_logs, worker_of
    from talentseal.config import Settings

    settings = Settings()
    set_up_logs(settings)
    service = build(settings)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        worker = worker_of(service)
        worker.start()
        stopping.wait()
        worker.stop()
    finally:
        service.close()


@organisations.command("add", help=words("登记机构。", "Enter an organisation."))
def add_organisation(
    name: Annotated[str, typer.Option(help=words("名称。", "Name."))],
    credit_code: Annotated[
        str, typer.Option(help=words("统一社会信用代码。", "Unified social credit code."))
    ],
    kind: Annotated[OrganisationKind, typer.Option(help=words("类别。", "Kind."))],
    bureau_code: Annotated[
        str | None,
        typer.Option(
            help=words(
                "部门代码，仅政府部门，如 SCI_TECH。", "Of a government bureau alone, such as SCI_TECH."
            )
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    from talentseal.accounts import service
    from talentseal.accounts.roles import Actor
    from talentseal.accounts.schemas import AddOrganisation, OrganisationView
    from talentseal.commands.running import opened

    entered = {"name": name, "credit_code": credit_code, "kind": kind, "bureau_code": bureau_code}
    command = validated(AddOrganisation, entered)
    with opened() as (database, clock):
        now = clock.now()
        met = database.write(
            lambda session: OrganisationView.of(
                service.add_organisation(session, Actor.console(), command, now=now)
            )
        )
    show(met.model_dump(mode="json"), as_json=as_json, text=met.id)


@organisations.command("list", help=words("列出机构。", "List the organisations."))
def list_organisations(as_json: Json = False) -> None:
    from talentseal.accounts import service
    from talentseal.accounts.roles import Actor
    from talentseal.accounts.schemas import OrganisationView
    from talentseal.commands.running import opened

    with opened() as (database, _):
        rows = database.read(
            lambda session: [
                OrganisationView.of(row)
                for row in service.organisations(session, Actor.console(), after="", limit=10_000)
            ]
        )
    text = "\n".join(
        f"{row.id}  {row.kind:<12} {row.name}{f' ({row.bureau_code})' if row.bureau_code else ''}"
        for row in rows
    )
    show([row.model_dump(mode="json") for row in rows], as_json=as_json, text=text)


@accounts.command("add", help=words("建立账户并发放 API 密钥。", "Enter an account and give it an API key."))
def add_account(
    organisation: Annotated[str, typer.Option(help=words("机构编号。", "Organisation id."))],
    role: Annotated[Role, typer.Option(help=words("角色。", "Role."))],
    name: Annotated[str, typer.Option(help=words("账户名称。", "Name of the account."))],
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            "--api-key-file", help=words("密钥写入该文件（0600）。", "Write the key to this file (0600).")
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    from sqlalchemy.orm import Session

    from talentseal.accounts import api_keys, service
    from talentseal.accounts.roles import Actor
    from talentseal.accounts.schemas import AccountView, AddAccount
    from talentseal.commands.running import opened

    command = validated(AddAccount, {"organisation": organisation, "role": role, "name": name})
    minted = api_keys.mint()
    with opened() as (database, clock):
        now = clock.now()

        def write(session: Session) -> AccountView:
            account = service.add_account(session, Actor.console(), command, now=now)
            service.add_api_key(session, Actor.console(), account.id, minted, None, now=now)
            return AccountView.of(account)

        met = database.write(write)
    _hand_over(minted, api_key_file, {"account": met.id}, as_json=as_json)


@accounts.command("key", help=words("为账户再发一个 API 密钥。", "Give an account a further API key."))
def add_key(
    account: Annotated[str, typer.Argument(help=words("账户编号。", "Account id."))],
    scope: Annotated[
        list[Permission] | None, typer.Option(help=words("限定权限，可多次。", "Restrict to; may repeat."))
    ] = None,
    api_key_file: Annotated[Path | None, typer.Option("--api-key-file")] = None,
    as_json: Json = False,
) -> None:
    from talentseal.accounts import api_keys, service
    from talentseal.accounts.roles import Actor
    from talentseal.commands.running import opened

    minted = api_keys.mint()
    with opened() as (database, clock):
        now = clock.now()
        database.write(
            lambda session: service.add_api_key(session, Actor.console(), account, minted, scope, now=now).id
        )
    _hand_over(minted, api_key_file, {"account": account}, as_json=as_json)


def _hand_over(minted: Any, file: Path | None, answer: dict[str, str], *, as_json: bool) -> None:
    """Show the key, or write it to its file, this one time."""
    answer = {**answer, "api_key_id": minted.id}
    if file is None:
        answer["api_key"] = minted.text
    else:
        try:
            file.touch(mode=0o600, exist_ok=False)
            file.write_text(minted.text + "\n", "ascii")
        except OSError as error:
            fail(
                f"无法写入 {file}（{error.strerror}）；请撤销密钥 {minted.id}。",
                f"Cannot write {file}; revoke {minted.id}.",
            )
        answer["api_key_file"] = str(file)
    show(answer, as_json=as_json, text="\n".join(f"{name}: {value}" for name, value in answer.items()))


@accounts.command(
    "invite",
    help=words("邀请账户的使用者登录，显示一次性邀请码。", "Invite an account's person; prints a code."),
)
def invite(
    account: Annotated[str, typer.Argument(help=words("账户编号。", "Account id."))],
    name: Annotated[str, typer.Option(help=words("登录名。", "Sign-in name."))],
    as_json: Json = False,
) -> None:
    from pydantic import BaseModel

    from talentseal.accounts import invitations
    from talentseal.accounts.roles import Actor
    from talentseal.accounts.schemas import SignInName
    from talentseal.accounts.second_factor import SecretBox
    from talentseal.commands.running import opened
    from talentseal.config import Settings
    from talentseal.evidence.signing import read_secret

    class Wanted(BaseModel):
        name: SignInName

    wanted, settings = validated(Wanted, {"name": name}), Settings()
    code, box = invitations.new_code(), SecretBox(read_secret(settings.sign_in_key_file, length=32))
    with opened(settings) as (database, clock):
        now = clock.now()
        expires = database.write(
            lambda session: (
                invitations.invite(
                    session, Actor.console(), account, wanted.name, code=code, box=box, now=now
                ).expires_at
            )
        )
    page, ends = f"{settings.address}/invitation", f"{expires:%Y-%m-%d %H:%M} UTC"
    answer = {"account": account, "code": code, "expires": expires.isoformat(), "page": page}
    text = words(
        f"邀请码 {code}，{ends} 前在 {page} 使用一次。请亲手交给本人。",
        f"Code {code}, to be used once at {page} before {ends}. Hand it over in person.",
    )
    show(answer, as_json=as_json, text=text)


@accounts.command(
    "sign-in-key",
    help=words(
        "指定账户以哪个签名密钥登录；不给地址则取消。", "Let a signing key sign an account in; none ends it."
    ),
)
def sign_in_key(
    account: Annotated[str, typer.Argument(help=words("账户编号。", "Account id."))],
    address: Annotated[
        str | None, typer.Argument(help=words("密钥地址（0x…）。", "Address of the key (0x…)."))
    ] = None,
    as_json: Json = False,
) -> None:
    from pydantic import BaseModel

    from talentseal.accounts import own
    from talentseal.accounts.schemas import Address
    from talentseal.commands.running import opened

    class Wanted(BaseModel):
        address: Address | None

    wanted = validated(Wanted, {"address": address}).address
    with opened() as (database, _):
        database.write(lambda session: own.assign_signing_address(session, account, wanted))
    text = words(
        "已保存。密钥须为该机构有效的签名密钥。", "Saved; the key has to be a valid one of its organisation."
    )
    show({"account": account, "address": wanted}, as_json=as_json, text=text)


@accounts.command("revoke-key", help=words("撤销 API 密钥，立即生效。", "Revoke an API key at once."))
def revoke_key(
    key: Annotated[str, typer.Argument(help=words("密钥编号。", "Key id."))], as_json: Json = False
) -> None:
    from talentseal.accounts import service
    from talentseal.accounts.roles import Actor
    from talentseal.commands.running import opened

    with opened() as (database, clock):
        now = clock.now()
        database.write(lambda session: service.revoke_api_key(session, Actor.console(), key, now=now))
    show({"revoked": key}, as_json=as_json, text=words("已撤销。", "Revoked."))


@accounts.command("disable", help=words("停用账户，立即生效。", "Disable an account at once."))
def disable(
    account: Annotated[str, typer.Argument(help=words("账户编号。", "Account id."))], as_json: Json = False
) -> None:
    from talentseal.accounts import service
    from talentseal.accounts.roles import Actor
    from talentseal.commands.running import opened

    with opened() as (database, clock):
        now = clock.now()
        database.write(lambda session: service.disable_account(session, Actor.console(), account, now=now))
    show({"disabled": account}, as_json=as_json, text=words("已停用。", "Disabled."))


@accounts.command("permissions", help=words("列出各角色的权限。", "Print the permission matrix."))
def permissions(as_json: Json = False) -> None:
    from talentseal.accounts.roles import PERMISSIONS

    matrix = {role.value: sorted(granted) for role, granted in PERMISSIONS.items()}
    text = "\n".join(f"{role}: {', '.join(granted)}" for role, granted in matrix.items())
    show(matrix, as_json=as_json, text=text)


@chain.command("status", help=words("链、纪元与各通道的状态。", "State of chain, epoch and lanes."))
def chain_status(as_json: Json = False) -> None:
    from sqlalchemy.orm import Session

    from talentseal.anchoring import conditions, epochs
    from talentseal.audit.proofs import identity
    from talentseal.commands.running import opened
    from talentseal.evidence import status

    def read(session: Session) -> dict[str, Any]:
        epoch, log = epochs.newest(session), status.log_status(session)
        return {
            "epoch": None if epoch is None else {"number": epoch.id, **identity(epoch).to_json()},
            "conditions": {
                scope.value: {"condition": met.condition.value, "reason": met.reason}
                for scope, met in conditions.all_standings(session).items()
            },
            "signed_size": log.signed_size,
            "anchored_size": log.anchored_size,
            "final_size": log.final_size,
        }

    with opened() as (database, _):
        met = database.read(read)
    show(met, as_json=as_json, text=json.dumps(met, ensure_ascii=False, indent=1))


@chain.command(
    "open-epoch", help=words("以部署记录开启新纪元。", "Open an epoch on the recorded deployment.")
)
def open_epoch(as_json: Json = False) -> None:
    from talentseal.anchoring import epochs
    from talentseal.commands.running import connected, deployed, opened
    from talentseal.config import Settings

    settings = Settings()
    identity, block = deployed(settings)
    with opened(settings) as (database, clock):
        connection = connected(settings, identity.contract, block)
        number = epochs.open_epoch(database, connection, identity, block, "console", now=clock.now())
    text = words(f"已开启第 {number} 纪元，工作进程随即跟进。", f"Epoch {number} is open; workers follow.")
    show({"epoch": number}, as_json=as_json, text=text)


@chain.command("resume", help=words("排查后恢复停止的通道。", "Resume what was stopped, after a look."))
def resume(scope: Annotated[Scope, typer.Argument()], as_json: Json = False) -> None:
    from talentseal.anchoring import epochs
    from talentseal.anchoring.service import Anchorer
    from talentseal.commands.running import connected, opened, senders_of
    from talentseal.config import Settings

    settings = Settings()
    with opened(settings) as (database, clock):
        epoch = database.read(epochs.current)
        connection = connected(settings, epoch.contract, epoch.deployment_block_number)
        senders = senders_of(settings, epoch.chain_id, epoch.contract)
        Anchorer(database, connection, senders, clock).resume(scope)
    show({"resumed": scope.value}, as_json=as_json, text=words("已恢复。", "Resumed."))


def doctor(as_json: Json = False) -> None:
    """Look at everything the service stands on, and say in plain words what is wrong. Exit 1 when something
    is.
    """
    from talentseal.commands.checkup import findings

    found = findings()
    lines = [f"{'✓' if each.well else '✗'} {each.name}: {words(each.zh, each.en)}" for each in found]
    answer = [{"name": each.name, "well": each.well, "zh": each.zh, "en": each.en} for each in found]
    show(answer, as_json=as_json, text="\n".join(lines))
    if not all(each.well for each in found):
        raise typer.Exit(REFUSED)


def validated(model: Callable[..., Any], written: dict[str, Any]) -> Any:
    """A command model of what was typed. Exits with a usage error that names the field."""
    from pydantic import ValidationError

    try:
        return model(**written)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        fail(f"{place}：{first['msg']}", f"{place}: {first['msg']}", code=USAGE)


def mount(app: typer.Typer) -> None:
    """Put the commands on `app`."""
    app.command("init", help=words("建立数据目录、密钥与数据库。", "Create data folder, keys and database."))(
        init
    )
    app.command("serve", help=words("启动服务。", "Run the service."))(serve)
    app.command("worker", help=words("运行封存与锚定。", "Run sealing and anchoring."))(work)
    app.command("doctor", help=words("检查运行环境。", "Check what the service stands on."))(doctor)
    app.add_typer(db, name="db")
    app.add_typer(organisations, name="organisations")
    app.add_typer(accounts, name="accounts")
    app.add_typer(chain, name="chain")
