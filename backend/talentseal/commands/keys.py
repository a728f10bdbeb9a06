"""`talentseal keys`: a partner's signing keys, and the operator's decision on them."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from talentseal.accounts.schemas import checksum_address
from talentseal.commands import keystores
from talentseal.commands.console import (
    DEFAULT_URL,
    ApiKeyFile,
    Json,
    Keystore,
    PassphraseFile,
    Url,
    fail,
    read_line_file,
    show,
    words,
)
from talentseal.partners.schemas import KeyView

app = typer.Typer(
    no_args_is_help=True, help=words("签名密钥：生成、查看、登记、批准、撤销。", "Signing keys.")
)

Organisation = Annotated[str, typer.Argument(help=words("机构编号（0x…）。", "Organisation id (0x…)."))]
Address = Annotated[str, typer.Argument(help=words("密钥地址（0x…）。", "Address of the key (0x…)."))]


@app.command("new", help=words("生成密钥库（keystore V3）。", "Create a keystore V3."))
def new(
    keystore: Annotated[Path, typer.Argument(help=words("要写入的文件。", "File to write."))],
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    address = keystores.create(keystore, passphrase_file)
    text = words(f"已生成 {keystore}，地址 {address}", f"Created {keystore}, address {address}")
    show({"keystore": str(keystore), "address": address}, as_json=as_json, text=text)


@app.command("show", help=words("显示密钥库的地址。", "Show a keystore's address."))
def show_address(
    keystore: Annotated[Path, typer.Argument(help=words("密钥库文件。", "The keystore."))],
    as_json: Json = False,
) -> None:
    address = keystores.address_of(keystore)
    show({"address": address}, as_json=as_json, text=address)


@app.command(
    "register",
    help=words("向服务申请登记密钥并证明持有。", "Ask for the key's registration and prove possession."),
)
def register(
    keystore: Keystore,
    api_key_file: ApiKeyFile,
    passphrase_file: PassphraseFile = None,
    url: Url = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    from talentseal.client import Client
    from talentseal.partners.service import personal_digest

    address = keystores.address_of(keystore)
    with Client(url, read_line_file(api_key_file, "API 密钥")) as client:
        organisation = client.me().organisation
        asked = client.request_key(organisation, address)
        signature = keystores.sign_digest(keystore, passphrase_file, personal_digest(asked.challenge))
        proven = client.prove_key(organisation, address, signature)
    text = words(f"{address} 已证明持有，待运营机构批准。", f"{address} is proven and waits for approval.")
    show(proven.model_dump(mode="json"), as_json=as_json, text=text)


@app.command("approve", help=words("批准密钥（运营机构）。", "Approve a key (operator)."))
def approve(
    organisation: Organisation,
    address: Address,
    api_key_file: Annotated[
        Path | None, typer.Option("--api-key-file", envvar="TALENTSEAL_API_KEY_FILE")
    ] = None,
    url: Url = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    _decide("approve", organisation, address, api_key_file, url=url, as_json=as_json)


@app.command("revoke", help=words("撤销密钥，立即生效。", "Revoke a key at once."))
def revoke(
    organisation: Organisation,
    address: Address,
    api_key_file: Annotated[
        Path | None, typer.Option("--api-key-file", envvar="TALENTSEAL_API_KEY_FILE")
    ] = None,
    url: Url = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    _decide("revoke", organisation, address, api_key_file, url=url, as_json=as_json)


@app.command("sign-in", help=words("对登录质询签名，用于网页登录。", "Sign a challenge of the sign-in page."))
def sign_in(
    challenge: Annotated[
        Path, typer.Argument(help=words("登录页下载的质询文件。", "The challenge that the page gave."))
    ],
    keystore: Keystore,
    passphrase_file: PassphraseFile = None,
    url: Url = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    from talentseal.accounts.key_sign_in import Challenge

    try:
        met = Challenge.parse(json.loads(challenge.read_text("utf-8")))
    except (OSError, ValueError):
        fail(f"{challenge} 不是登录质询文件。", f"{challenge} is no sign-in challenge.")
    if met.origin.rstrip("/") != url.rstrip("/"):
        # A site that lures people hands on a challenge that it got from here; here its holder sees for whom.
        fail(
            f"质询来自 {met.origin}，而非 {url}。若确认无误，请以 --url 指明。",
            f"The challenge is of {met.origin}, not of {url}; if that is right, name it with --url.",
        )
    if met.address != keystores.address_of(keystore):
        fail(
            f"质询的地址是 {met.address}，与密钥库不符。", f"The challenge is for {met.address}, another key."
        )
    signature = keystores.sign_digest(keystore, passphrase_file, met.digest())
    show({"address": met.address, "signature": signature}, as_json=as_json, text=signature)


@app.command(
    "sign-rule", help=words("离线核对并签署暂停规则。", "Check and sign a rule of suspension, offline.")
)
def sign_rule(
    rule: Annotated[
        Path,
        typer.Argument(help=words("签署页下载的待签文件。", "The file to sign, from the page of signing.")),
    ],
    keystore: Keystore,
    out: Annotated[
        Path, typer.Option("--out", help=words("写入签名的文件。", "File to write the signature to."))
    ],
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    from pydantic import ValidationError

    from talentseal.partners.service import personal_digest
    from talentseal.sanctions.schemas import StatementView

    try:
        met = StatementView.model_validate_json(rule.read_text("utf-8"))
    except (OSError, ValidationError):
        fail(f"{rule} 不是待签的暂停规则。", f"{rule} is no rule of suspension to be signed.")
    if not met.is_whole():
        # Whoever hands on another text than the one that is hashed wants something else signed than is read.
        fail(
            "待签文字与规则内容不符，请勿签署。",
            "The statement does not fit the rule's text; do not sign it.",
        )
    address = keystores.address_of(keystore)
    _check_signer(address, met.signers)
    signature = keystores.sign_digest(keystore, passphrase_file, personal_digest(met.statement))
    written = {"rule": met.rule, "version": met.version, "signer": address, "signature": signature}
    _write_signature(out, written)
    text = words(
        f"已签署《{met.text.title}》第 {met.version} 版，签名在 {out}。",
        f"Signed version {met.version} of {met.text.title}; the signature is in {out}.",
    )
    show(written, as_json=as_json, text=text)


@app.command(
    "sign-settlement", help=words("离线核对并签署结算单。", "Check and sign a settlement statement, offline.")
)
def sign_settlement(
    statement: Annotated[
        Path,
        typer.Argument(help=words("签署页下载的待签文件。", "The file to sign, from the page of signing.")),
    ],
    keystore: Keystore,
    out: Annotated[
        Path, typer.Option("--out", help=words("写入签名的文件。", "File to write the signature to."))
    ],
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    from pydantic import ValidationError

    from talentseal.partners.service import personal_digest
    from talentseal.redemptions.settlement_schemas import SettlementStatementView

    try:
        met = SettlementStatementView.model_validate_json(statement.read_text("utf-8"))
    except (OSError, ValidationError):
        fail(f"{statement} 不是待签的结算单。", f"{statement} is no settlement statement to be signed.")
    if not met.is_whole():
        fail(
            "待签文字与结算单内容不符，请勿签署。",
            "The statement does not fit the settlement's text; do not sign it.",
        )
    address = keystores.address_of(keystore)
    _check_signer(address, met.signers)
    signature = keystores.sign_digest(keystore, passphrase_file, personal_digest(met.statement))
    written = {
        "settlement": met.settlement,
        "statement": met.number,
        "signer": address,
        "signature": signature,
    }
    _write_signature(out, written)
    text = words(
        f"已签署 {met.period} 结算单第 {met.number} 版，签名在 {out}。",
        f"Signed statement {met.number} of the settlement of {met.period}; the signature is in {out}.",
    )
    show(written, as_json=as_json, text=text)


def _check_signer(address: str, signers: list[str]) -> None:
    if address not in signers:
        fail(
            f"密钥 {address} 不是贵单位现行有效的密钥。",
            f"Key {address} is no valid key of your organisation.",
        )


def _write_signature(out: Path, written: dict[str, Any]) -> None:
    try:
        out.write_text(json.dumps(written, indent=1) + "\n", "utf-8")
    except OSError as error:
        fail(f"无法写入 {out}（{error.strerror}）。", f"Cannot write {out} ({error.strerror}).")


def _decide(
    act: str, organisation: str, address: str, api_key_file: Path | None, *, url: str, as_json: bool
) -> None:
    """Through the API with a key, else at the server's console on its own database."""
    if api_key_file is not None:
        from talentseal.client import Client

        with Client(url, read_line_file(api_key_file, "API 密钥")) as client:
            decide = client.approve_key if act == "approve" else client.revoke_key
            met = decide(organisation, address)
    else:
        met = _at_the_console(act, organisation, address)
    text = words(f"{address}：{met.state}", f"{address}: {met.state}")
    show(met.model_dump(mode="json"), as_json=as_json, text=text)


def _at_the_console(act: str, organisation: str, address: str) -> KeyView:
    from talentseal.accounts.roles import Actor
    from talentseal.commands.running import opened
    from talentseal.partners import service

    with opened() as (database, clock):
        decide = service.approve_key if act == "approve" else service.revoke_key
        spelled, now = checksum_address(address), clock.now()
        return database.write(
            lambda session: KeyView.of(decide(session, Actor.console(), organisation, spelled, now=now))
        )
