"""What a verified proof says, as a certificate prints it: JSON values, Beijing time, names in Chinese.

Everything here is read from the bundle. What the service adds of its own (states, when a signature came in)
is handed in, and the certificate says that it stands outside the proof.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast

import segno

from sealproof import checkpoint, cosignature, disclosure, entry
from sealproof.agreement import read_terms
from sealproof.bundle import SUFFIX, AgreementEvidence, WithheldStipulation
from sealproof.canonical import Json
from sealproof.disclosed import disclosed_fields
from sealproof.entry import Entry, Relation
from sealproof.fields import to_hex
from sealproof.merkle import leaf_hash
from sealproof.note import VerifierKey
from talentseal.audit.proofs import Proof
from talentseal.clock import SHANGHAI
from talentseal.evidence.status import RecordState
from talentseal.web.names import chinese
from talentseal.web.typesetting import Attachment

RELATIONS: Final[Mapping[Relation, str]] = {
    Relation.AMENDS: "变更",
    Relation.SUPERSEDES: "取代",
    Relation.CORRECTS: "更正",
    Relation.RETRACTS: "撤回",
    Relation.REVERSES: "冲正",
    Relation.CURES: "补正",
    Relation.RESOLVES: "处理",
    Relation.DECLARES: "载明",
    Relation.ERASES: "销毁内容",
}
_FIELDS: Final[Mapping[str, str]] = {
    "access": "接入编号",
    "acknowledged_for": "确认补正的单位编号",
    "act": "事项",
    "address": "密钥地址",
    "agreement": "协议标识",
    "answer": "解释",
    "article": "条",
    "breach": "违约事项编号",
    "chain_id": "链编号",
    "commitment": "条款摘要 SHA-256",
    "complaint": "投诉编号",
    "contract": "合约地址",
    "digest": "签署摘要 EIP-712",
    "effective_from": "生效日期",
    "epoch": "链期",
    "explanation": "说明",
    "genesis_hash": "创世区块",
    "instrument": "规范性文件标识",
    "leaf": "约定叶哈希",
    "licence_number": "许可证编号",
    "licence_type": "许可证种类",
    "measure": "措施编号",
    "module": "模块",
    "on": "起算日期",
    "organisation": "单位编号",
    "outcome": "结果",
    "position": "约定序号",
    "question": "问题",
    "reason": "原因",
    "reference": "文号",
    "role": "办理方",
    "source": "来源",
    "step": "事项",
    "text_sha256": "文本摘要 SHA-256",
    "valid_from": "生效时间",
    "valid_through": "最后有效日",
    "valid_until": "失效时间",
    "version": "版本",
}
"""What the fields of records are called; one that is not here is printed by its own name."""

_STEMS: Final = "甲乙丙丁戊己庚辛"

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One proof and what the service adds to it.

    closures: relation and record id of later records that close this one. received: when each organisation's
    signature came in.
    """

    proof: Proof
    state: RecordState
    closures: tuple[tuple[Relation, str], ...]
    received: Mapping[str, datetime]

    @property
    def entry(self) -> Entry:
        return entry.decode(self.proof.bundle.entry.encode())

    @property
    def file_name(self) -> str:
        return f"{self.entry.id}{SUFFIX}"

    def attachment(self) -> Attachment:
        """The bundle, byte for byte, as a file inside the PDF."""
        about = f"存证记录 {self.entry.id} 的证明 / proof bundle of this record"
        return Attachment(self.file_name, self.proof.raw.decode(), "application/json", about)

    def sealed_at(self, key: VerifierKey) -> datetime:
        """When the log signed the checkpoint, by the time that its own cosignature bears."""
        return cosignature.read(self.proof.bundle.checkpoint, key)


def moment(time: datetime) -> str:
    """A time to the second, in Beijing time."""
    local = time.astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M:%S}"


def second(time: int) -> str:
    """The same of seconds since 1970."""
    return moment(datetime.fromtimestamp(time, UTC))


def day(time: int) -> str:
    """The legal day of seconds since 1970."""
    local = datetime.fromtimestamp(time, SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日"


def evidence(exhibit: Exhibit, key: VerifierKey, verify_url: str) -> Values:
    """The record and its place: number, leaf, checkpoint, anchor, and the square to scan."""
    bundle, recorded = exhibit.proof.bundle, exhibit.entry
    head = checkpoint.open_checkpoint(bundle.checkpoint, [key])
    leaf = leaf_hash(bundle.entry.encode()).hex()
    address = f"{verify_url}?record={recorded.id}&leaf={leaf}"
    anchor = bundle.anchor
    return {
        "record": recorded.id,
        "kind": chinese().kind(recorded.kind),
        "state": chinese().states[exhibit.state],
        "recorded_at": moment(recorded.recorded_at),
        "refers_to": []
        if recorded.relation is None
        else [(RELATIONS[recorded.relation], recorded.refers_to)],
        "closures": [(RELATIONS[relation], record) for relation, record in exhibit.closures],
        "leaf": leaf,
        "index": bundle.index,
        "size": head.size,
        "root": head.root.hex(),
        "sealed_at": moment(exhibit.sealed_at(key)),
        "anchor": None if anchor is None else anchor.to_json(),
        "file": exhibit.file_name,
        "file_sha256": hashlib.sha256(exhibit.proof.raw).hexdigest(),
        "address": address,
        "qr": square(address),
    }


def square(text: str) -> str:
    """A QR code as SVG, error correction M, with the quiet zone of the standard (4 modules)."""
    return str(segno.make_qr(text, error="m", boost_error=False).svg_inline(border=4, omitsize=True))


def fields(exhibit: Exhibit) -> list[tuple[str, str]]:
    """The record's own fields that the holder may see: name and value, in alphabetical order."""
    shown = disclosed_fields(exhibit.proof.bundle.disclosures, exhibit.entry.digests, "disclosures")
    return [(_FIELDS.get(name, name), _written(value)) for name, value in sorted(shown.items())]


def _written(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def agreement(exhibit: Exhibit, known: Mapping[str, Values] | None = None) -> Values | None:
    """What the parties signed; None when the proof does not show it.

    known: parties by organisation as another proof of the same agreement names them, for terms that do not.
    """
    shown = exhibit.proof.bundle.agreement
    if shown is None:
        return None
    terms = read_terms(shown).shown
    return {
        "id": to_hex(shown.statement.agreement_id),
        "version": shown.statement.version,
        "number": terms.get("number"),
        "title": terms.get("title"),
        "category": chinese().categories.get(str(terms.get("category"))),
        "effective_from": day(shown.statement.effective_from),
        "valid_through": day(shown.statement.valid_through),
        "document": terms.get("document"),
        "commitment": to_hex(shown.signed.commitment),
        "transaction": shown.transaction_hash,
        "termination": _termination(shown, terms),
        "parties": _parties(shown, {**(known or {}), **named_parties(terms)}, exhibit.received),
        "erased": not shown.disclosures,
    }


def _termination(shown: AgreementEvidence, terms: Mapping[str, Json]) -> Values | None:
    if shown.termination is None:
        return None
    return {
        "effective_at": second(shown.termination.effective_at),
        "reason": terms.get("reason"),
        "notice": terms.get("notice"),
    }


def _parties(
    shown: AgreementEvidence, named: Mapping[str, Values], received: Mapping[str, datetime]
) -> list[Values]:
    """Every party with its address; its name and part as far as they are shown."""
    parties = []
    for party in shown.signed.parties:
        organisation = to_hex(party.organisation)
        at = received.get(organisation)
        parties.append(
            {
                "organisation": organisation,
                "name": None,
                "role": None,
                "credit_code": None,
                **named.get(organisation, {}),
                "signer": party.signer,
                "received_at": None if at is None else moment(at),
            }
        )
    return sorted(parties, key=lambda party: _rank(party["role"]))


def _rank(role: str | None) -> int:
    """甲方 before 乙方, as every agreement lists them; what has no such part keeps the statement's order."""
    place = _STEMS.find(role[0]) if role else -1
    return place if place >= 0 else len(_STEMS)


def named_parties(terms: Mapping[str, Json]) -> dict[str, Values]:
    """The parties that the terms name, by organisation."""
    listed = cast("list[Values]", terms.get("parties") or [])
    return {str(each["organisation"]): dict(each) for each in listed}


def stipulations(shown: AgreementEvidence) -> list[Values]:
    """Every stipulation in clause order; of one that is withheld or destroyed, its leaf hash."""
    named = named_parties(read_terms(shown).shown)
    rows: list[Values] = []
    for item in shown.stipulations:
        if isinstance(item, WithheldStipulation):
            rows.append({"leaf": item.leaf.hex()})
            continue
        content = cast("Values", disclosure.read(item).value)
        holder = named.get(content["duty_holder"], {}).get("name", content["duty_holder"])
        tiers = "、".join(chinese().tiers[tier] for tier in content["beneficiary_tiers"])
        period = chinese().periods[content["period"]]
        rows.append({**content, "leaf": None, "duty_holder": holder, "tiers": tiers, "period": period})
    return rows
