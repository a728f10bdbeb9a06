"""Certificates: the proof inside and on paper, the same bytes every time, nothing for strangers, no wrong
glyph.
"""

import hashlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pypdf
import pytest
import typst
import zxingcpp

from sealproof import bundle as bundles
from sealproof import merkle
from sealproof.verify import verify
from talentseal.accounts.roles import Role
from talentseal.audit import certificate, corrections
from talentseal.audit.certificate import Certificate
from talentseal.audit.events import CorrectionReason
from talentseal.config import ChainType
from talentseal.evidence.sealing import Sealer
from talentseal.web import typesetting
from tests.api.conftest import Api
from tests.audit import png
from tests.audit.making import issuer
from tests.world import PDF, Member, World, stipulation

HISTORY = {"effective_from": date(2026, 11, 1)}


def reader(made: Certificate) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(made.pdf))


def words(made: Certificate) -> str:
    """All text without blanks, which typesetting puts where it likes."""
    return re.sub(r"[\s\u200b]", "", "".join(page.extract_text() for page in reader(made).pages))


def attachments(made: Certificate) -> dict[str, bytes]:
    return {name: contents[0] for name, contents in reader(made).attachments.items()}


def of_record(world: World, by: Member, record: str | None, **options: Any) -> Certificate:
    assert record is not None
    return certificate.of_record(world.database, by.actor, record, issuer(**options))


def of_agreement(world: World, by: Member, agreement: str) -> Certificate:
    return certificate.of_agreement(world.database, by.actor, agreement, issuer())


def amended(api: Api, receipt: dict[str, Any], *members: Member, **changes: Any) -> dict[str, Any]:
    """The next version, signed by all."""
    path = f"/agreements/{receipt['agreement']}/versions/{receipt['version']}/amendments"
    answer = api.call(members[0], "POST", path, json=api.body(*members, **changes))
    assert answer.status_code == 201, answer.text
    next_version: dict[str, Any] = answer.json()
    for member in members:
        next_version = api.sign(member, next_version).json()
    api.world.settle()
    return next_version


def terminated(api: Api, receipt: dict[str, Any], *members: Member) -> None:
    """The version's end, a second from now, signed by all."""
    path = f"/agreements/{receipt['agreement']}/versions/{receipt['version']}/termination"
    ends = (api.world.clock.now() + timedelta(seconds=1)).isoformat()
    command = {"reason": "双方协商一致", "notice": "已书面通知", "effective_at": ends}
    answer = api.call(members[0], "POST", path, json=command)
    assert answer.status_code == 200, answer.text
    digest = api.call(members[0], "GET", f"{path}/typed-data").json()["digest"]
    for member in members:
        given = {"signature": member.sign(digest)}
        assert api.call(member, "POST", f"{path}/signatures", json=given).status_code == 200
    api.world.settle()


Draw = Callable[[Callable[[], Certificate], int], list[bytes]]


@pytest.fixture
def draw(monkeypatch: pytest.MonkeyPatch) -> Draw:
    """Makes a certificate and gives its pages as PNG, from the very source and values of the PDF."""
    compile_pdf: Callable[..., Any] = typst.compile
    given: dict[str, Any] = {}

    def remember(source: bytes, **options: Any) -> Any:
        given.update(options, source=source)
        return compile_pdf(source, **options)

    monkeypatch.setattr(typst, "compile", remember)

    def drawn(make: Callable[[], Certificate], ppi: int) -> list[bytes]:
        make()
        options = {name: value for name, value in given.items() if name not in {"source", "pdf_standards"}}
        pages = compile_pdf(given["source"], format="png", ppi=ppi, **options)
        return pages if isinstance(pages, list) else [pages]

    return drawn


def test_a_record_is_one_page_that_says_what_was_recorded_and_where_it_stands(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    receipt = api.signed(bank, office)
    world.settle()

    made = of_record(world, bank, receipt["record"])

    shown, written = bundles.load(attachments(made)[f"{receipt['record']}.seal.json"]), words(made)
    assert len(reader(made).pages) == 1
    assert shown.anchor is not None
    for expected in (
        "存证证书",
        receipt["record"],
        "人才专属贷款合作协议",
        "甲方：郑东银行",
        "乙方：人才集团",
        bank.address,
        office.address,
        hashlib.sha256(PDF).hexdigest(),
        hashlib.new("sm3", PDF).hexdigest(),
        merkle.leaf_hash(shown.entry.encode()).hex(),
        f"索引{shown.index}（自0起），共{shown.size}条",
        shown.anchor.block_hash,
        shown.anchor.transaction_hash,
        shown.anchor.genesis_hash,
        str(world.signer.verifier_key),
        "测试用的链",
        "已定局",
        "北京时间",
        "证明什么",
        "不证明什么",
        "sealproofverify",
        "https://evidence.example/verify",
        "第1页，共1页",
    ):
        assert expected in written


def test_the_bundle_inside_is_the_one_that_the_service_hands_out_and_it_verifies(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    receipt = api.signed(bank, office)
    world.settle()

    answer = api.call(bank, "GET", f"/evidence/{receipt['record']}/certificate")

    raw = api.call(bank, "GET", f"/evidence/{receipt['record']}/bundle").content
    name = f"{receipt['record']}.seal.json"
    assert answer.headers["content-type"] == "application/pdf"
    assert f'filename="{receipt["record"]}.certificate.pdf"' in answer.headers["content-disposition"]
    assert attachments(Certificate("", answer.content)) == {name: raw}
    assert verify(raw, trust=api.trust, document=PDF).exit_code == 3
    assert hashlib.sha256(raw).hexdigest() in words(Certificate("", answer.content))


def test_the_file_says_that_it_is_pdf_a_3b_and_of_the_checkpoints_time(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    receipt = api.signed(bank, office)
    world.settle()

    document = reader(of_record(world, bank, receipt["record"]))

    metadata = document.xmp_metadata
    assert metadata is not None
    said = metadata.rdf_root.toxml()
    assert "<pdfaid:part>3</pdfaid:part>" in said
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in said
    catalogue: Any = document.trailer["/Root"]
    (associated,) = (each.get_object() for each in catalogue["/AF"])
    assert associated["/AFRelationship"] == "/Data"
    assert catalogue["/Lang"] == "zh-CN"
    raw = attachments(of_record(world, bank, receipt["record"])).popitem()[1]
    assert document.metadata is not None
    assert document.metadata.creation_date == sealed_at(raw, world)


def sealed_at(raw: bytes, world: World) -> datetime:
    from sealproof import cosignature

    return cosignature.read(bundles.load(raw).checkpoint, world.signer.verifier_key)


def test_the_square_holds_the_address_that_verifies_the_record(
    api: Api, world: World, bank: Member, office: Member, draw: Draw
) -> None:
    receipt = api.signed(bank, office)
    world.settle()

    (page,) = draw(lambda: of_record(world, bank, receipt["record"]), 144)

    (code,) = zxingcpp.read_barcodes(png.read(page, 0.25).view())
    leaf = api.call(bank, "GET", f"/evidence/{receipt['record']}").json()["leaf_hash"]
    assert code.text == f"https://evidence.example/verify?record={receipt['record']}&leaf={leaf}"
    assert code.ec_level == "M"
    side = abs(code.position.top_right.x - code.position.top_left.x) / 144 * 25.4
    assert side >= 25


def test_the_same_evidence_gives_the_same_bytes_in_any_process_at_any_time(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    receipt = api.signed(bank, office)
    world.settle()
    here = [of_record(world, bank, receipt["record"]), of_agreement(world, bank, receipt["agreement"])]
    world.clock.advance(days=40)
    again = [of_record(world, bank, receipt["record"]), of_agreement(world, bank, receipt["agreement"])]
    url = world.database.url

    elsewhere = [made_elsewhere(url, bank, receipt, seed) for seed in ("1", "2")]

    digests = [hashlib.sha256(made.pdf).hexdigest() for made in here]
    assert [made.pdf for made in again] == [made.pdf for made in here]
    assert elsewhere == [digests, digests]


def made_elsewhere(url: str, by: Member, receipt: dict[str, Any], seed: str) -> list[str]:
    arguments = [url, by.id, by.actor.account_id, receipt["record"], receipt["agreement"]]
    command = [sys.executable, "-m", "tests.audit.making", *arguments]
    environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": f"UTC-{seed}"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_history_of_an_agreement_holds_every_version_its_end_and_their_proofs(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    first = api.signed(bank, office, **HISTORY)
    world.settle()
    second = amended(
        api,
        first,
        bank,
        office,
        title="第二版的名称",
        stipulations=(stipulation(bank.id, measure="当日答复"),),
        **HISTORY,
    )
    terminated(api, second, bank, office)

    answer = api.call(bank, "GET", f"/agreements/{first['agreement']}/certificate")

    made = Certificate("", answer.content)
    inside, written = attachments(made), words(made)
    assert answer.headers["content-disposition"].endswith('.certificate.pdf"')
    assert len(inside) == 3
    assert {f"{first['record']}.seal.json", f"{second['record']}.seal.json"} < set(inside)
    assert all(verify(raw, trust=api.trust).exit_code == 3 for raw in inside.values())
    for expected in (
        "协议签齐存证",
        "协议变更存证",
        "协议终止存证",
        "已被变更",
        "已终止",
        "双方协商一致",
        "第二版的名称",
    ):
        assert expected in written
    assert "第2版的约定" in written
    assert written.count("甲方：郑东银行") == 3
    assert "当日答复" in written


def test_the_stipulations_are_those_of_the_version_in_force(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    first = api.signed(bank, office, **HISTORY)
    world.settle()
    amended(api, first, bank, office, effective_from=date(2027, 6, 1))

    written = words(of_agreement(world, office, first["agreement"]))

    assert "第1版的约定" in written
    assert "该版本生效中" in written


def test_a_version_that_is_not_signed_by_all_is_no_part_of_the_history(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    first = api.signed(bank, office)
    world.settle()
    path = f"/agreements/{first['agreement']}/versions/1/amendments"
    api.call(bank, "POST", path, json=api.body(bank, office, title="尚未签署的名称"))

    made = of_agreement(world, bank, first["agreement"])

    assert len(attachments(made)) == 1
    assert "尚未签署的名称" not in words(made)


def test_strangers_are_refused_as_for_bundles(api: Api, world: World, bank: Member, office: Member) -> None:
    receipt = api.signed(bank, office)
    world.settle()
    stranger = world.member("路人公司")

    for path in (f"/evidence/{receipt['record']}", f"/agreements/{receipt['agreement']}"):
        mine = api.call(stranger, "GET", f"{path}/certificate")
        none = api.call(stranger, "GET", f"{path[:-4]}0000/certificate")
        assert (mine.status_code, mine.json()["code"]) == (none.status_code, none.json()["code"])
        assert mine.status_code == 404
        assert api.call(None, "GET", f"{path}/certificate").status_code == 401


def test_an_auditors_certificate_tells_nothing_of_the_content(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    receipt = api.signed(bank, office)
    world.settle()
    auditor = world.member("审计机构", role=Role.AUDITOR)

    made = of_record(world, auditor, receipt["record"])

    written = words(made)
    assert receipt["record"] in written
    for secret in ("郑东银行", "人才集团", "贷款", "ZD-2026-001", bank.address, receipt["agreement"]):
        assert secret not in written
        assert secret.encode() not in attachments(made).popitem()[1]


def test_what_is_not_there_yet_is_refused_by_name(api: Api, bank: Member, office: Member) -> None:
    proposed = api.submit(bank, bank, office)
    unsigned = api.call(bank, "GET", f"/agreements/{proposed['agreement']}/certificate")
    api.sign(bank, proposed)
    receipt = api.sign(office, proposed).json()

    unsealed = [
        api.call(bank, "GET", f"{path}/certificate")
        for path in (f"/evidence/{receipt['record']}", f"/agreements/{receipt['agreement']}")
    ]

    assert (unsigned.status_code, unsigned.json()["code"]) == (404, "not-evidenced-yet")
    assert {(each.status_code, each.json()["code"]) for each in unsealed} == {(409, "not-sealed-yet")}


def test_without_an_anchor_it_says_so(api: Api, world: World, bank: Member, office: Member) -> None:
    world.settle()
    world.chain.is_down = True
    receipt = api.signed(bank, office)
    Sealer(world.database, world.head_store, world.signer, world.clock, "test").tick()

    written = words(of_record(world, bank, receipt["record"]))

    assert "已封存" in written
    assert "尚未写入区块链" in written
    assert "日志的检查点已写入" not in written


def test_after_erasure_the_proof_is_printed_and_the_content_is_not(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    receipt = api.signed(bank, office)
    world.settle()
    keeper = world.member("人才办", role=Role.TALENT_OFFICE)
    answer = api.call(
        keeper, "POST", f"/evidence/{receipt['record']}/erasure", json={"reason": "RETENTION_ENDED"}
    )
    assert answer.status_code == 200
    world.settle()

    for made in (
        of_record(world, bank, receipt["record"]),
        of_agreement(world, bank, receipt["agreement"]),
    ):
        written = words(made)
        assert "内容已销毁" in written
        assert bank.address in written
        for content in ("郑东银行", "人才专属", "ZD-2026-001", "第三条", "四十八小时"):
            assert content not in written


def test_a_later_correction_stands_on_the_certificate_of_what_it_corrects(
    api: Api, world: World, bank: Member, office: Member
) -> None:
    receipt = api.signed(bank, office)
    world.settle()
    office_of_talents = world.member("管委会", role=Role.MANAGEMENT_COMMITTEE)
    now = world.clock.now()
    closing = world.database.write(
        lambda session: corrections.correct(
            session,
            office_of_talents.actor,
            receipt["record"],
            CorrectionReason.WRONG_CONTENT,
            "见附件",
            now=now,
        )
    )
    world.settle()

    corrected = words(of_record(world, bank, receipt["record"]))
    correction = words(of_record(world, bank, closing.id))

    assert f"更正{closing.id}" in corrected
    assert f"更正{receipt['record']}" in correction
    assert "见附件" in correction


@pytest.mark.parametrize(
    ("chain", "said"),
    [
        (ChainType.DEVELOPMENT, "单一节点，密钥公开"),
        (ChainType.PERMISSIONED, "成员若合谋"),
        (ChainType.PUBLIC, "链自己的时钟"),
    ],
)
def test_it_says_what_the_kind_of_chain_is_worth_who_runs_the_service_and_whether_it_is_a_show(
    sqlite_world: World, chain: ChainType, said: str
) -> None:
    world = sqlite_world
    bank, shop = world.member("郑东银行"), world.member("书店")
    world.member("虚构运营有限公司", role=Role.OPERATOR)
    version = world.signed(bank, shop)
    world.settle()

    real = words(of_record(world, bank, version.record_id, chain=chain))
    shown = words(of_record(world, bank, version.record_id, chain=chain, demonstration=True))

    assert said in real
    assert "运营机构虚构运营有限公司" in real
    assert "演示·单位、人物和协议均为虚构" in shown
    assert "演示·" not in real


@pytest.mark.scenario(94)
def test_it_promises_no_more_than_is_shown() -> None:
    text = certificate.SOURCE.read_text("utf-8")

    for word in ("公证", "司法", "法律", "法院", "效力", "notar", "legal", "court"):
        assert word not in text.lower()
    typesetting.check_glyphs(text.replace("\n", ""))


def test_rare_characters_are_printed_and_what_cannot_be_is_refused_by_name(
    api: Api, world: World, bank: Member
) -> None:
    rare = world.member("㛃䶮书店")
    receipt = api.signed(bank, rare)
    world.settle()
    impossible = world.member("𠮷野书店")
    other = api.signed(bank, impossible, plain=PDF + b"%")
    world.settle()

    printed = words(of_record(world, bank, receipt["record"]))
    refused = [
        api.call(bank, "GET", f"{path}/certificate")
        for path in (f"/evidence/{other['record']}", f"/agreements/{other['agreement']}")
    ]

    assert "㛃䶮书店" in printed
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (422, "glyph-missing")
        assert "U+20BB7" in answer.json()["zh"]
        assert "U+20BB7" in answer.json()["en"]
    assert api.call(bank, "GET", f"/evidence/{other['record']}/bundle").status_code == 200


def test_words_of_others_are_never_code_and_never_run_off_the_page(sqlite_world: World, draw: Draw) -> None:
    world = sqlite_world
    names = [
        "#panic(1) ] \\ \" ' $x$ `raw` @a <b> /* // *",
        "㛃" * 192,
        "x" * 192,
        "*_~ 乙",
        "丁",
        "戊",
        "己",
        "庚",
    ]
    members = [world.member(name) for name in names]
    many = tuple(
        stipulation(members[place % 8].id, clause=f"第{place}条 #]", measure="长" * 300, remedy="y" * 300)
        for place in range(100)
    )
    version = world.signed(*members, title="#panic(1)" + "题" * 190, number="n" * 100, stipulations=many)
    world.settle()

    record = of_record(world, members[0], version.record_id)
    history = of_agreement(world, members[0], version.agreement_id)

    assert names[0].replace(" ", "") in words(record)
    assert names[0].replace(" ", "") in words(history)
    assert "x" * 192 in words(record)
    assert len(reader(record).pages) <= 2
    pages = reader(history).pages
    assert len(pages) > 10
    for place, page in enumerate(pages, start=1):
        assert f"第{place}页，共{len(pages)}页" in re.sub(r"\s", "", page.extract_text())
    for drawn in draw(lambda: of_agreement(world, members[0], version.agreement_id), 20):
        picture = png.read(drawn)
        edge = int(picture.width * 16 / 210)
        assert all(set(row[:edge] + row[-edge:]) == {255} for row in picture.rows)


def test_eight_parties_with_names_of_a_usual_length_still_fit_one_page(sqlite_world: World) -> None:
    members = [
        sqlite_world.member(f"中原科技城第{place}演示单位有限责任公司") for place in "一二三四五六七八"
    ]
    version = sqlite_world.signed(*members)
    sqlite_world.settle()

    made = of_record(sqlite_world, members[0], version.record_id)

    assert len(reader(made).pages) == 1
