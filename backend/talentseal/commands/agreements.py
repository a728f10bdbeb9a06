"""`talentseal submit | sign | status | fetch | return | terminate`: a partner's work on agreements."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from pydantic import BaseModel, ValidationError

from talentseal.commands import keystores
from talentseal.commands.console import (
    DEFAULT_URL,
    USAGE,
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

if TYPE_CHECKING:
    from sealproof.eip712 import Domain
    from talentseal.agreements.checking import Checked
    from talentseal.agreements.documents import Digests
    from talentseal.agreements.schemas import AgreementView
    from talentseal.client import Client, Version

Model = TypeVar("Model", bound=BaseModel)

Agreement = Annotated[str, typer.Argument(help=words("协议编号（0x…）。", "Agreement id (0x…)."))]
Number = Annotated[int, typer.Option("--version", min=1, help=words("版本号。", "Version."))]
TermsFile = Annotated[
    Path,
    typer.Argument(
        help=words("协议要素 JSON 文件。", "JSON file with number, title, parties, stipulations …")
    ),
]
DocumentFile = Annotated[
    Path, typer.Option("--document", help=words("协议文件（PDF 或 .docx）。", "The document (PDF or .docx)."))
]

AgreedTerms = Annotated[
    Path | None,
    typer.Option(
        "--terms", help=words("己方约定的要素，逐项比对。", "What was agreed; compared field by field.")
    ),
]
TrustFile = Annotated[
    Path | None,
    typer.Option("--trust", help=words("信任文件：链与合约。", "Trust file: chain and contract.")),
]
OfTermination = Annotated[
    bool, typer.Option("--termination", help=words("签署终止。", "Sign the termination."))
]
WithoutAsking = Annotated[bool, typer.Option("--yes", help=words("不再询问。", "Do not ask."))]


def submit(
    terms: TermsFile,
    document: DocumentFile,
    *,
    api_key_file: ApiKeyFile,
    hash_only: Annotated[
        bool, typer.Option("--hash-only", help=words("只提交摘要，文件不离开本机。", "Send digests only."))
    ] = False,
    amends: Annotated[
        str, typer.Option("--amends", help=words("变更的版本：编号:版本。", "Amends AGREEMENT:VERSION."))
    ] = "",
    url: Url = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    from talentseal.agreements.schemas import DocumentDigests, HashOnlySubmission, UploadedSubmission
    from talentseal.client import Client

    digests, written = _examined(document), _read_terms(terms)
    base = _parsed_version(amends) if amends else None
    with Client(url, read_line_file(api_key_file, "API 密钥")) as client:
        if hash_only:
            carried = DocumentDigests(
                sha256=digests.sha256, sm3=digests.sm3, size=digests.size, media_type=digests.media_type
            )
            receipt = client.submit(_valid(HashOnlySubmission, {**written, "document": carried}), amends=base)
        else:
            receipt = client.upload(_valid(UploadedSubmission, written), document, amends=base)
    given = f"{receipt.signed}/{receipt.parties}"
    text = words(
        f"协议 {receipt.agreement} 第 {receipt.version} 版：{receipt.state}（{given}）",
        f"{receipt.agreement} version {receipt.version}: {receipt.state} ({given})",
    )
    show(receipt.model_dump(mode="json"), as_json=as_json, text=text)


def sign(
    agreement: Agreement,
    keystore: Keystore,
    document: DocumentFile,
    *,
    api_key_file: ApiKeyFile,
    version: Number = 1,
    terms: AgreedTerms = None,
    trust: TrustFile = None,
    termination: OfTermination = False,
    yes: WithoutAsking = False,
    passphrase_file: PassphraseFile = None,
    url: Url = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    from talentseal.client import Client, Version

    address, place = keystores.address_of(keystore), Version(agreement, version)
    with Client(url, read_line_file(api_key_file, "API 密钥")) as client:
        view = client.agreement(place)
        checked = _checked(view, document, address, terms=terms, trust=trust, termination=termination)
        _confirm(checked, yes=yes)
        signature = keystores.sign_digest(keystore, passphrase_file, checked.digest)
        receipt = client.sign(place, signature, termination=termination)
    text = words(
        f"已签署。状态：{receipt.state}（{receipt.signed}/{receipt.parties}）",
        f"Signed. State: {receipt.state} ({receipt.signed}/{receipt.parties})",
    )
    show(receipt.model_dump(mode="json"), as_json=as_json, text=text)


def sign_file(
    file: Annotated[
        Path,
        typer.Argument(
            help=words("签署页下载的待签文件（JSON）。", "The file to sign, from the page of signing (JSON).")
        ),
    ],
    document: DocumentFile,
    keystore: Keystore,
    out: Annotated[
        Path, typer.Option("--out", help=words("写入签名的文件。", "File to write the signature to."))
    ],
    *,
    terms: AgreedTerms = None,
    trust: TrustFile = None,
    termination: OfTermination = False,
    yes: WithoutAsking = False,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    from talentseal.agreements.schemas import AgreementView, SignatureFile

    address, view = keystores.address_of(keystore), _valid(AgreementView, _read_terms(file))
    checked = _checked(view, document, address, terms=terms, trust=trust, termination=termination)
    _confirm(checked, yes=yes)
    signature = keystores.sign_digest(keystore, passphrase_file, checked.digest)
    written = SignatureFile(digest="0x" + checked.digest.hex(), signer=address, signature=signature)
    try:
        out.write_text(written.model_dump_json(indent=1) + "\n", "utf-8")
    except OSError as error:
        fail(f"无法写入 {out}（{error.strerror}）。", f"Cannot write {out} ({error.strerror}).")
    text = words(
        f"签名已写入 {out}。请在签署页上选择该文件。",
        f"The signature is in {out}; choose it on the page of signing.",
    )
    show(written.model_dump(mode="json"), as_json=as_json, text=text)


def _checked(
    view: "AgreementView",
    document: Path,
    address: str,
    *,
    terms: Path | None,
    trust: Path | None,
    termination: bool,
) -> "Checked":
    """What may be signed of a version, everything recomputed here. Exits or raises LocalMismatch."""
    from talentseal.agreements import checking
    from talentseal.agreements.schemas import Submission

    domain = _domain(trust)
    agreed = None if terms is None else _valid(Submission, _without_transport(_read_terms(terms)))
    checked = checking.check_agreement(
        view, _examined(document), signer=address, domain=domain, agreed=agreed
    )
    return checking.check_termination(view, signer=address, domain=domain) if termination else checked


def status(
    agreement: Agreement,
    *,
    api_key_file: ApiKeyFile,
    version: Number = 1,
    url: Url = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    from talentseal.client import Client, Version

    with Client(url, read_line_file(api_key_file, "API 密钥")) as client:
        view = client.agreement(Version(agreement, version))
    signed = sum(party.signed for party in view.parties)
    evidence = view.record_state or words("尚无", "none yet")
    lines = (
        words(f"状态：{view.state}", f"State: {view.state}"),
        words(f"已签署：{signed}/{len(view.parties)}", f"Signed: {signed}/{len(view.parties)}"),
        words(f"存证：{evidence}", f"Evidence: {evidence}"),
    )
    show(view.model_dump(mode="json"), as_json=as_json, text="\n".join(lines))


def fetch(
    agreement: Agreement,
    *,
    api_key_file: ApiKeyFile,
    out: Annotated[Path, typer.Option("--out", help=words("存放的文件夹。", "Folder to write to."))] = Path(),
    version: Number = 1,
    url: Url = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    from talentseal.client import Client, Version

    place = Version(agreement, version)
    with Client(url, read_line_file(api_key_file, "API 密钥")) as client:
        view = client.agreement(place)
        if view.record is None:
            fail(
                "各方尚未全部签署，没有可取的证明。",
                "Not all parties have signed: there is no proof to fetch yet.",
            )
        name = f"agreement-{agreement[2:18]}-v{version}"
        files = {
            out / f"{name}.seal.json": client.bundle(view.record),
            out / f"{name}.tlog-proof": client.tlog_proof(view.record).encode(),
        }
        if view.document_kept:
            suffix = "pdf" if view.document.media_type.value.endswith("pdf") else "docx"
            files[out / f"{name}.{suffix}"] = client.document(place)
        if (certificate := _certificate(client, view.record)) is not None:
            files[out / f"{name}.certificate.pdf"] = certificate
    out.mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        path.write_bytes(content)
    names = [str(path) for path in files]
    show({"files": names}, as_json=as_json, text="\n".join(names))


def _certificate(client: "Client", record: str) -> bytes | None:
    """The certificate; None, with a line that says why, when it cannot be printed. The proof is not held up
    by that.
    """
    from talentseal.client import ServiceRefused

    try:
        return client.certificate(record)
    except ServiceRefused as refused:
        if refused.code != "glyph-missing":
            raise
        print(words(refused.zh, refused.en), file=sys.stderr)
        return None


def return_version(
    agreement: Agreement,
    reason: Annotated[str, typer.Option("--reason", help=words("理由。", "Reason."))],
    *,
    api_key_file: ApiKeyFile,
    version: Number = 1,
    url: Url = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    from talentseal.client import Client, Version

    with Client(url, read_line_file(api_key_file, "API 密钥")) as client:
        receipt = client.return_version(Version(agreement, version), reason)
    show(receipt.model_dump(mode="json"), as_json=as_json, text=receipt.state)


def terminate(
    agreement: Agreement,
    reason: Annotated[str, typer.Option("--reason", help=words("理由。", "Reason."))],
    notice: Annotated[str, typer.Option("--notice", help=words("通知方式与时间。", "How notice was given."))],
    effective_at: Annotated[
        datetime,
        typer.Option("--effective-at", formats=["%Y-%m-%dT%H:%M:%S%z"], help="2027-01-31T23:59:59+0800"),
    ],
    *,
    api_key_file: ApiKeyFile,
    version: Number = 1,
    url: Url = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    from talentseal.agreements.schemas import TerminationInput
    from talentseal.client import Client, Version

    command = _valid(TerminationInput, {"reason": reason, "notice": notice, "effective_at": effective_at})
    with Client(url, read_line_file(api_key_file, "API 密钥")) as client:
        receipt = client.terminate(Version(agreement, version), command)
    text = words("终止申请已建立，待各方签署。", "The termination is drawn up and waits for all signatures.")
    show(receipt.model_dump(mode="json"), as_json=as_json, text=text)


def mount(app: typer.Typer) -> None:
    """Put the commands on `app`."""
    described = (
        ("submit", submit, "提交协议。", "Submit an agreement."),
        ("sign", sign, "核对后用本机密钥签署。", "Check, then sign with the key on this machine."),
        ("sign-file", sign_file, "离线核对并签署，签名写入文件。", "Check and sign offline, into a file."),
        ("status", status, "查看协议状态。", "Show an agreement's state."),
        ("fetch", fetch, "取回证明与文件。", "Fetch proof and document."),
        ("return", return_version, "退回或拒签。", "Return or decline."),
        ("terminate", terminate, "发起终止。", "Draw up a termination."),
    )
    for name, command, zh, en in described:
        app.command(name, help=words(zh, en))(command)


def _examined(document: Path) -> "Digests":
    from talentseal.agreements.documents import examine

    try:
        with document.open("rb") as file:
            return examine(file)
    except OSError as error:
        fail(f"无法读取 {document}（{error.strerror}）。", f"Cannot read {document} ({error.strerror}).")


def _read_terms(terms: Path) -> dict[str, Any]:
    try:
        written = json.loads(terms.read_text("utf-8"))
    except (OSError, ValueError) as error:
        fail(
            f"无法读取 {terms}（{type(error).__name__}）。", f"Cannot read {terms} ({type(error).__name__})."
        )
    if not isinstance(written, dict):
        fail(f"{terms} 应为 JSON 对象。", f"{terms} has to hold a JSON object.", code=USAGE)
    return written


def _without_transport(written: dict[str, Any]) -> dict[str, Any]:
    """The terms without what only says how the document travels."""
    return {name: value for name, value in written.items() if name not in {"keep_document", "document"}}


def _valid(model: type[Model], written: dict[str, Any]) -> Model:
    try:
        return model.model_validate(written)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or model.__name__
        fail(
            f"要素有误：{place}：{first['msg']}",
            f"The terms are wrong at {place}: {first['msg']}",
            code=USAGE,
        )


def _parsed_version(text: str) -> "Version":
    from talentseal.client import Version

    agreement, _, number = text.rpartition(":")
    if not number.isdecimal():
        fail("--amends 的格式为 编号:版本。", "--amends takes AGREEMENT:VERSION.", code=USAGE)
    return Version(agreement, int(number))


def _domain(trust: Path | None) -> "Domain | None":
    if trust is None:
        return None
    from sealproof import trust as trust_file
    from sealproof.errors import ProofError

    try:
        chain = trust_file.load(trust.read_bytes()).chain
    except (OSError, ProofError) as error:
        fail(f"信任文件 {trust} 不可用：{error}", f"The trust file {trust} cannot be used: {error}")
    return chain.domain if chain else None


def _confirm(checked: "Checked", *, yes: bool) -> None:
    """Show what is about to be signed, and ask."""
    if yes:
        return
    shown = {"terms": dict(checked.content), "stipulations": list(checked.stipulations)}
    typer.echo(json.dumps(shown, ensure_ascii=False, indent=1), err=True)
    if not typer.confirm(words("以上内容与本地文件一致，签署？", "This agrees with your document. Sign it?")):
        fail("未签署。", "Not signed.")
