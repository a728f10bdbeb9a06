"""The main job step by step: commands that a partner or an auditor would type, and what they must answer.

A step that does not hold ends the walk; nothing is taken for granted because the step before it passed.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from eth_account.signers.local import LocalAccount

import sealproof
from talentseal.accounts.roles import Actor
from talentseal.agreements.states import AgreementState
from talentseal.anchoring import epochs
from talentseal.app import Service, build
from talentseal.client import Client, Version
from talentseal.clock import SHANGHAI
from talentseal.config import Settings
from talentseal.db import sqlite_driver
from talentseal.demonstration import giving, rules
from talentseal.demonstration.documents import write_agreement
from talentseal.demonstration.giving import Given
from talentseal.demonstration.scheme import Body
from talentseal.demonstration.stage import Stage
from talentseal.errors import TalentSealError
from talentseal.evidence.status import RecordState
from talentseal.partners import service as partners
from talentseal.partners.models import KeyState
from talentseal.redemptions.models import RedemptionState

PATIENCE_SECONDS = 60
VERDICTS_ZH = {"passed": "通过　", "failed": "不通过", "not-checked": "未核验"}
Tell = Callable[[str, str], None]


class StepFailed(TalentSealError):
    code = "demonstration-step-failed"
    zh = "演示步骤未通过：{why}"
    en = "A step of the demonstration did not hold: {why}"


@dataclass(frozen=True, slots=True)
class Artefacts:
    """The files that the walk leaves: what each of them is named by the README."""

    folder: Path

    @property
    def document(self) -> Path:
        return self.folder / "agreement.pdf"

    @property
    def bundle(self) -> Path:
        return self.folder / "agreement.seal.json"

    @property
    def receipt(self) -> Path:
        return self.folder / "receipt.seal.json"

    @property
    def tlog_proof(self) -> Path:
        return self.folder / "agreement.tlog-proof"

    @property
    def certificate(self) -> Path:
        return self.folder / "agreement.certificate.pdf"

    @property
    def trust(self) -> Path:
        return self.folder / "trust.json"


@dataclass(slots=True)
class Walk:
    """One walk over a stage. artefacts: a folder that exists. tell: (Chinese, English) line for each step."""

    stage: Stage
    artefacts: Artefacts
    tell: Tell
    step: int = field(default=0)

    def run(self) -> None:
        """The whole main job. Raises StepFailed at the first thing that does not hold."""
        self.register_keys()
        version = self.submit()
        self.sign(version)
        record = self.conclude(version)
        given = self.give(version)
        self.set_rule()
        self.fetch(version, record)
        if given is not None:
            self.fetch_receipt(given)
        self.stage.stop_service()
        self.verify()
        if given is not None:
            self.verify_receipt()
        self.alter_document()
        self.alter_database()

    def register_keys(self) -> None:
        """Each partner proves that it holds its key; the operator approves; the contract learns of it."""
        operator = self.stage.cast.operator
        waiting = [body for body in self.stage.cast.parties if not self._is_registered(body)]
        if not waiting:
            return
        self._announce("各方登记自己的签名密钥，运营机构批准", "The parties register their signing keys")
        for body in waiting:
            key = self._json("keys", "register", *_signing_with(body), *_as(body))
            if body is operator:
                # Nobody approves what he asked for: the operator's own key is the console's to approve.
                self._approve_at_console(key["organisation"], key["address"])
            else:
                self._json("keys", "approve", key["organisation"], key["address"], *_as(operator))

    def _approve_at_console(self, organisation: str, address: str) -> None:
        with self._service() as service:
            approve = partial(partners.approve_key, now=service.clock.now())
            service.database.write(lambda session: approve(session, Actor.console(), organisation, address))

    def submit(self) -> Version:
        """The bank submits the agreement with its document."""
        self._announce(
            "银行提交协议（真实 PDF）与约定", "The bank submits the agreement, a PDF, and its stipulations"
        )
        number = datetime.now(SHANGHAI).strftime("DEMO-%Y%m%d-%H%M%S")
        parties = self.stage.cast.parties
        bank = parties[0]
        lines = tuple(f"{role}：{body.name}" for role, body in zip(_ROLES, parties, strict=True))
        write_agreement(self.artefacts.document, number, lines)
        terms = self.artefacts.folder / "terms.json"
        terms.write_text(json.dumps(_terms(number, parties), ensure_ascii=False, indent=1), "utf-8")
        document = ("--document", str(self.artefacts.document))
        receipt = self._json("submit", str(terms), *document, *_as(bank))
        return Version(receipt["agreement"], receipt["version"])

    def sign(self, version: Version) -> None:
        """All sign on their own machines: the key never reaches the service."""
        self._announce(
            "各方各自核对文件并用自己的密钥签署", "All check the document and sign with their own keys"
        )
        receipts = [self._sign(body, version) for body in self.stage.cast.parties]
        signed, parties = receipts[-1]["signed"], receipts[-1]["parties"]
        self._require(signed == parties, f"signed {signed}/{parties}")

    def _sign(self, body: Body, version: Version) -> Any:
        document = ("--document", str(self.artefacts.document), "--yes")
        place = (version.agreement, "--version", str(version.number))
        return self._json("sign", *place, *document, *_signing_with(body), *_as(body))

    def conclude(self, version: Version) -> str:
        """The contract recovers both signatures; the log's head over the record is anchored and final."""
        self._announce(
            "合约核验全部签名；日志封存、锚定",
            "The contract recovers both signatures; log sealed and anchored",
        )
        with self._client(self.stage.cast.partners[0]) as client:
            settled = {AgreementState.EVIDENCED, AgreementState.IN_FORCE}
            self._await("the contract", lambda: client.agreement(version).state in settled)
            record = client.agreement(version).record or ""
            self._await("the anchor", lambda: client.record(record).state is RecordState.FINAL)
        return record

    def give(self, version: Version) -> Given | None:
        """The partners' benefits are published under the agreement, and the holder uses one of each; of one,
        a part comes back. None where he cannot, as in a folder that somebody played with.
        """
        self._announce(
            "银行与书店据此发布权益；人才出示人才码，各办一项，其中一项退回一份",
            "Bank and bookshop publish benefits under it; a talent shows his code and uses one of each, "
            "and a part of one comes back",
        )
        with self._service() as service:
            given = giving.give(service, version.agreement)
        if given is None:
            self.tell(
                "  虚构人才的人才码现不能使用，略过", "  passed over: the invented talent has no live code"
            )
            return None
        for each in given.receipts:
            self.tell(
                f"  回执 {each.id}：{each.title}，{each.quantity} 份，{each.state}，存证 {each.record}",
                f"  receipt {each.id}: {each.title}, {each.quantity} units, {each.state}, "
                f"record {each.record}",
            )
        states = sorted(each.state for each in given.receipts)
        expected = [RedemptionState.COMPLETED, RedemptionState.PARTIALLY_REVERSED]
        self._require(states == expected, f"expected {expected}, met {states}")
        return given

    def set_rule(self) -> None:
        """The three sides put a rule of suspension into force, each with its key; a case opens under it."""
        cast = self.stage.cast
        with self._service() as service:
            if rules.is_set(service.database):
                return
            self._announce(
                "人才办、大数据局、银行各以自己的密钥签署暂停规则，规则生效并立案一件",
                "Office, bureau and bank sign a rule of suspension, which comes into force; a case opens",
            )
            keys = [rules.key_of(body) for body in cast.sides]
            for body, key in zip(cast.sides, keys, strict=True):
                if not self._is_registered(body):
                    self._register(body, key)
            self._await("the keys", lambda: all(self._is_registered(body) for body in cast.sides))
            rules.set_rule(service.database, cast, keys, now=service.clock.now)

    def _register(self, body: Body, key: LocalAccount) -> None:
        """Through the API, as a program of the office would."""
        with self._client(body) as client:
            challenge = client.request_key(body.organisation, key.address).challenge
            client.prove_key(body.organisation, key.address, rules.signed(key, challenge))
        with self._client(self.stage.cast.operator) as operator:
            operator.approve_key(body.organisation, key.address)

    def fetch(self, version: Version, record: str) -> None:
        """Proof, certificate, checkpoint, keys: what an auditor is given, the trust file by another way than
        the proof.
        """
        self._announce(
            "取回证明、证书、检查点与信任文件", "Proof, certificate, checkpoint and trust file are handed out"
        )
        folder = self.artefacts.folder
        with self._client(self.stage.cast.partners[0]) as client:
            self.artefacts.bundle.write_bytes(client.bundle(record))
            self.artefacts.tlog_proof.write_text(client.tlog_proof(record), "utf-8")
            self.artefacts.certificate.write_bytes(client.agreement_certificate(version.agreement))
        shutil.copyfile(self.stage.folder / "deployment.json", folder / "deployment.json")
        checkpoint = json.loads(self.artefacts.bundle.read_text("utf-8"))["checkpoint"]
        (folder / "checkpoint").write_text(checkpoint, "utf-8")
        with self._service() as service:
            trust = service.notary.trust(service.database.read(epochs.newest))
        self.artefacts.trust.write_bytes(trust.dump())
        (folder / "log.vkey").write_text(f"{trust.log}\n", "utf-8")

    def fetch_receipt(self, given: Given) -> None:
        """The holder takes the proof of a receipt, of which he shows some fields and not others."""
        self._announce(
            "回执已上链；人才取回证明，只披露时间、单位与权益",
            "The receipts are on the chain; the talent takes a proof that shows date, partner, benefit",
        )
        with self._service() as service:
            final = partial(giving.are_final, service, given)
            self._await("the receipts' anchor", final)
            self.artefacts.receipt.write_bytes(giving.proof(service, given))

    def verify_receipt(self) -> None:
        """Whoever is shown the receipt verifies it without an account, the service still switched off."""
        self._announce("任何人无需账户核验回执", "Anyone verifies the receipt, without an account")
        report = self._sealproof(None, expected=0, bundle=self.artefacts.receipt)
        self._require(
            not any(step["verdict"] == "failed" for step in report["steps"]), "a step of the receipt failed"
        )

    def verify(self) -> None:
        """An auditor verifies with Python's standard library and the chain; the service is switched off."""
        self._announce(
            "服务已关闭；审计方仅凭 Python 与链核验",
            "The service is off; an auditor verifies with Python alone",
        )
        report = self._sealproof(self.artefacts.document, expected=0)
        self._require(all(step["verdict"] == "passed" for step in report["steps"]), "a step did not pass")

    def alter_document(self) -> None:
        """One byte of the document is altered."""
        self._announce("篡改文件中的一个字节", "One byte of the document is altered")
        raw = bytearray(self.artefacts.document.read_bytes())
        raw[len(raw) // 2] ^= 1
        altered = self.artefacts.folder / "agreement-altered.pdf"
        altered.write_bytes(raw)
        report = self._sealproof(altered, expected=1)
        failed = [step["number"] for step in report["steps"] if step["verdict"] == "failed"]
        self._require(failed == [7], f"expected step 7 alone to fail, met {failed}")
        self.tell("  已发现：摘要不符", "  caught: the digests differ")

    def alter_database(self) -> None:
        """One value in a copy of the database is altered, triggers and all out of the way."""
        self._announce("篡改数据库（副本）中的一条记录", "One value in a copy of the database is altered")
        copy = self.artefacts.folder / "altered.db"
        _alter_a_record(self.stage.folder / "talentseal.db", copy)
        environment = self.stage.environment | {"TALENTSEAL_DATABASE_URL": f"sqlite:///{copy}"}
        done = self._command(_talentseal("fsck"), environment)
        self._require(
            done.returncode == 1 and "evidence_record" in done.stdout, "fsck did not find the alteration"
        )
        self.tell(f"  已发现：{done.stdout.splitlines()[0]}", f"  caught: {done.stdout.splitlines()[0]}")
        copy.unlink()

    def _announce(self, zh: str, en: str) -> None:
        self.step += 1
        self.tell(f"{self.step}. {zh}", f"{self.step}. {en}")

    @contextmanager
    def _service(self) -> Iterator[Service]:
        """What the running service works on, for what has no command of its own."""
        settings = Settings(data_dir=self.stage.folder, chain_url=self.stage.chain.url, demonstration=True)
        service = build(settings)
        try:
            yield service
        finally:
            service.close()

    def _client(self, body: Body) -> Client:
        return Client(self.stage.url, body.api_key_file.read_text("utf-8").strip())

    def _is_registered(self, body: Body) -> bool:
        with self._client(body) as client:
            keys = client.keys(body.organisation)
        return any(key.state is KeyState.REGISTERED for key in keys)

    def _json(self, *arguments: str) -> Any:
        """Run a talentseal command, show it, and return its JSON answer."""
        shown = " ".join(arguments).replace(str(self.stage.folder), "…")
        self.tell(f"  $ talentseal {shown}", f"  $ talentseal {shown}")
        done = self._command(_talentseal(*arguments, "--json"), self.stage.environment)
        self._require(done.returncode == 0, done.stderr.strip() or f"exit {done.returncode}")
        return json.loads(done.stdout)

    def _sealproof(self, document: Path | None, *, expected: int, bundle: Path | None = None) -> Any:
        """Run the auditor's verifier on a bundle: isolated, without site packages, against the chain."""
        arguments = ["verify", str(bundle or self.artefacts.bundle), "--trust", str(self.artefacts.trust)]
        if document is not None:
            arguments += ["--document", str(document)]
        arguments += ["--rpc", self.stage.chain.url]
        shown = " ".join(["sealproof", *arguments]).replace(str(self.artefacts.folder), "…")
        self.tell(f"  $ {shown}", f"  $ {shown}")
        done = self._command([*_isolated_sealproof(), *arguments, "--json"], self.stage.environment)
        why = f"sealproof ended with {done.returncode}: {done.stderr.strip()}"
        self._require(done.returncode == expected, why)
        report = json.loads(done.stdout)
        for step in report["steps"]:
            self.tell(
                *(f"  {step['number']:>2} {step['verdict']:<8} {step[why]}" for why in ("why_zh", "why"))
            )
        return report

    def _command(
        self, command: Sequence[str], environment: dict[str, str]
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def _await(self, what: str, holds: Callable[[], bool]) -> None:
        """Wait, telling so every two seconds. Raises StepFailed after PATIENCE_SECONDS."""
        started = told = time.monotonic()
        while not holds():
            now = time.monotonic()
            self._require(now - started < PATIENCE_SECONDS, f"waited {PATIENCE_SECONDS} s for {what}")
            if now - told > 2:
                told = now
                self.tell(
                    f"  等待中（{now - started:.0f} 秒）…", f"  waiting for {what} ({now - started:.0f} s)…"
                )
            time.sleep(0.1)

    def _require(self, holds: bool, why: str) -> None:
        if not holds:
            raise StepFailed(why=why)


def _isolated_sealproof() -> list[str]:
    """The verifier started so that only the standard library and its own folder can be imported."""
    home = str(Path(sealproof.__file__).parent.parent)
    start = (
        f"import runpy, sys; sys.path.insert(0, {home!r}); runpy.run_module('sealproof', run_name='__main__')"
    )
    return [sys.executable, "-I", "-S", "-c", start]


def _talentseal(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "talentseal", *arguments]


def _as(body: Body) -> tuple[str, ...]:
    return ("--api-key-file", str(body.api_key_file))


def _signing_with(body: Body) -> tuple[str, ...]:
    return ("--keystore", str(body.keystore), "--passphrase-file", str(body.passphrase_file))


_ROLES: Final = ("甲方", "乙方", "丙方")


def _terms(number: str, parties: tuple[Body, Body, Body]) -> dict[str, Any]:
    today = datetime.now(SHANGHAI).date()
    bank, merchant, _operator = parties
    return {
        "number": number,
        "title": "人才金融与消费权益合作协议（演示）",
        "category": "CONSUMPTION_BENEFIT",
        "effective_from": today.isoformat(),
        "valid_through": date(today.year + 1, today.month, min(today.day, 28)).isoformat(),
        "parties": [
            {"organisation": body.organisation, "role": role}
            for role, body in zip(_ROLES, parties, strict=True)
        ],
        "stipulations": [
            {
                "clause": "第三条",
                "duty_holder": merchant.organisation,
                "beneficiary_tiers": ["HIGH_E", "YOUTH", "RESERVE"],
                "measure": "持人才码或人才卡购书享受九折",
                "period": "EVENT",
                "threshold": "每次",
                "remedy": "差额双倍退还",
            },
            {
                "clause": "第五条",
                "duty_holder": bank.organisation,
                "beneficiary_tiers": ["HIGH_E", "YOUTH", "RESERVE"],
                "measure": "金融咨询免费，48 小时内答复",
                "period": "EVENT",
                "threshold": "48 小时",
                "remedy": "由客户经理当面说明",
            },
        ],
    }


def _alter_a_record(source: Path, copy: Path) -> None:
    """Copy the database and change the kind of its newest numbered record, as someone with the file could."""
    copy.unlink(missing_ok=True)
    driver = sqlite_driver()
    original, altered = driver.connect(str(source)), driver.connect(str(copy))
    try:
        original.backup(altered)
        for (name,) in altered.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            altered.execute(f"DROP TRIGGER {name}")
        altered.execute(
            "UPDATE evidence_record SET kind = kind + 1 "
            "WHERE log_index = (SELECT max(log_index) FROM evidence_record)"
        )
        altered.commit()
    finally:
        original.close()
        altered.close()
