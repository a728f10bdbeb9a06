"""The verification page, as a stranger uses it: nothing but files, his own trust and a browser."""

import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdf
import pytest
import segno
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, FilePayload, Page, expect

from sealproof import bundle as bundles
from sealproof import trust as trust_files
from sealproof import verify
from sealproof.merkle import leaf_hash
from sealproof.note import VerifierKey
from talentseal.anchoring import epochs
from talentseal.credentials.tcr import ReceiptCheck
from talentseal.web.language import Language
from tests.browser.axe import axe
from tests.browser.conftest import Shot, Visits
from tests.browser.filming import holding_up
from tests.browser.keyboard import keyboard_reaches
from tests.browser.reflow import reflows
from tests.browser.running import Running
from tests.browser.screens import DESKTOP
from tests.browser.visit import Visit, begin
from tests.sealproof.altering import replaced
from tests.web.certificates import pdf_with
from tests.world import PDF

desktop_alone = pytest.mark.parametrize("screen", [DESKTOP], ids=str)
DOCUMENT = PDF.replace(b"1 0 obj", b"71 0 obj")
WORDS = {
    Language.ZH: {
        "passed": "核验通过",
        "failed": "核验不通过",
        "incomplete": "尚未全部核验",
        "malformed": "无法读取",
    },
    Language.EN: {
        "passed": "Everything holds",
        "failed": "This does not hold",
        "incomplete": "Not everything was checked",
        "malformed": "Not readable",
    },
}


@dataclass(frozen=True)
class Proven:
    """A FINAL agreement: its record's id, its bundle and certificate, and the trust file of its chain."""

    record: str
    bundle: bytes
    trust: bytes
    certificate: bytes

    @property
    def leaf(self) -> str:
        return leaf_hash(bundles.load(self.bundle).entry.encode()).hex()

    @property
    def check_code(self) -> str:
        """The TCR of a receipt, were the record one's."""
        return ReceiptCheck(bytes.fromhex(self.record), bytes.fromhex(self.leaf)).write()

    def altered(self, *place: str | int, to: Any) -> bytes:
        """The bundle with one value changed."""
        return json.dumps(replaced(json.loads(self.bundle), place, to)).encode()


@pytest.fixture(scope="module")
def proven(running: Running) -> Proven:
    _, record = running.final(plain=DOCUMENT)
    with running.service() as service:
        trust = service.notary.trust(service.database.read(epochs.newest)).dump()
    client = running.client(running.cast.bank)
    return Proven(record, client.bundle(record), trust, client.certificate(record))


def give(page: Page, **files: bytes) -> None:
    """Choose these files at once; the name's `_` is a dot."""
    payloads: list[FilePayload] = [
        {"name": name.replace("_", "."), "mimeType": "application/octet-stream", "buffer": raw}
        for name, raw in files.items()
    ]
    page.locator("[data-files]").set_input_files(payloads)
    expect(page.locator("[data-busy]")).to_be_hidden()


def verdict(page: Page) -> str:
    """The word of the banner, which has the focus after a drop."""
    return page.locator("[data-verdict]").get_attribute("data-verdict") or ""


def steps(page: Page) -> dict[int, str]:
    """Number → verdict of every step on the page."""
    found: dict[str, str] = page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('.verdicts li')].map((item) =>"
        " [item.value, item.className.replace('verdict-', '')]))"
    )
    return {int(number): word for number, word in found.items()}


def said_by_sealproof(raw: bytes, trust: bytes | None, document: bytes | None = None) -> dict[int, str]:
    report = verify.verify(
        raw, trust=trust_files.load(trust) if trust else None, document=document, chain=None
    )
    return {step.number: step.verdict.value for step in report.steps}


def test_a_good_proof_with_its_document_own_trust_and_the_chain_itself_passes(
    visit: Visit, running: Running, proven: Proven, shot: Shot
) -> None:
    visit.may_reach(running.rpc)
    page = visit.open("/verify")
    give(page, agreement_seal_json=proven.bundle, agreement_pdf=DOCUMENT, trust_json=proven.trust)
    expect(page.locator("[data-verdict]")).to_be_focused()
    assert verdict(page) == "incomplete"

    page.locator("input[value=direct]").check()
    page.locator("[data-node]").fill(running.rpc)
    page.locator("[data-node]").press("Enter")
    expect(page.locator("[data-verdict]")).to_have_text(WORDS[visit.screen.language]["passed"])

    assert set(steps(page).values()) == {"passed"}
    assert len(steps(page)) == 14
    expect(page.locator(".relayed")).to_have_count(0)
    expect(page.locator("[data-announce]")).to_contain_text("14")
    expect(page.locator(".result")).to_contain_text("甲方")
    expect(page.locator(".result")).to_contain_text("受理后四十八小时内答复")
    expect(page.locator(".limits li")).to_have_count(5)
    shot(page, "passed")
    axe(page)
    keyboard_reaches(page)
    reflows(page)


def test_a_document_with_one_byte_changed_fails_and_shows_where(
    visit: Visit, proven: Proven, shot: Shot
) -> None:
    page = visit.open("/verify")

    give(page, agreement_seal_json=proven.bundle, agreement_pdf=b"X" + DOCUMENT[1:], trust_json=proven.trust)

    assert verdict(page) == "failed"
    assert [number for number, word in steps(page).items() if word == "failed"] == [7]
    expect(page.locator(".doubt")).to_be_visible()
    shot(page, "failed")
    axe(page)


@desktop_alone
def test_each_kind_of_altered_proof_gets_the_verdict_of_sealproof(visit: Visit, proven: Proven) -> None:
    value = json.loads(proven.bundle)
    zeros = "0x" + "00" * 32
    changes: list[tuple[tuple[str | int, ...], Any]] = [
        (("entry",), value["entry"].replace('"kind":10', '"kind":11')),
        (("entry",), value["entry"] + " "),
        (("disclosures",), [value["disclosures"][0], *value["disclosures"]]),
        (("disclosures",), [value["agreement"]["disclosures"][0]]),
        (("index",), value["index"] + 1),
        (("size",), value["size"] + 1),
        (("path",), value["path"][1:]),
        (("path", 0), value["path"][-1][::-1]),
        (("checkpoint",), value["checkpoint"].replace("— ", "— x", 1)),
        (("checkpoint",), value["checkpoint"][:-3] + "A=\n"),
        (("anchor", "block_hash"), zeros),
        (("anchor", "contract"), "0x5FbDB2315678afecb367f032d93F642f64180aa4"),
        (("anchor", "deployment_id"), zeros),
        (("agreement", "terms"), value["agreement"]["terms"].replace('"version":1', '"version":2')),
        (("agreement", "disclosures"), [*value["agreement"]["disclosures"][1:], "AAAA"]),
        (("agreement", "stipulations"), value["agreement"]["stipulations"][::-1]),
        (("agreement", "stipulations"), value["agreement"]["stipulations"][:1]),
        (("agreement", "statement", "version"), 2),
        (("agreement", "statement", "valid_through"), 1),
        (("agreement", "signatures"), value["agreement"]["signatures"][::-1]),
        (("agreement", "signatures", 0), "0x" + "11" * 65),
        (("agreement", "transaction_hash"), zeros),
        (("agreement",), None),
        (("v",), 2),
        (("extra",), 1),
    ]
    page, met = visit.open("/verify"), set()
    give(page, trust_json=proven.trust)

    for place, new in changes:
        raw = proven.altered(*place, to=new)
        give(page, altered_seal_json=raw)
        assert steps(page) == said_by_sealproof(raw, proven.trust), place
        met.add(verdict(page))
    assert met == {"failed", "malformed", "incomplete"}


@desktop_alone
def test_a_proof_under_another_log_s_key_fails(visit: Visit, proven: Proven) -> None:
    other = trust_files.load(proven.trust)
    key = Ed25519PrivateKey.from_private_bytes(b"\x09" * 32).public_key().public_bytes_raw()
    wrong = trust_files.Trust(VerifierKey.of(other.log.name, key), other.chain, other.finality, "x").dump()
    page = visit.open("/verify")

    give(page, agreement_seal_json=proven.bundle, trust_json=wrong)

    assert steps(page) == said_by_sealproof(proven.bundle, wrong)
    assert steps(page)[5] == "failed"


def test_trust_and_chain_from_the_service_are_said_to_be_its_own_word(
    visit: Visit, proven: Proven, shot: Shot
) -> None:
    page = visit.open("/verify")
    give(page, agreement_seal_json=proven.bundle, agreement_pdf=DOCUMENT)
    assert steps(page)[5] == "not-checked"

    page.locator("input[value=service][name=trust]").check()
    page.locator("input[value=service][name=chain]").check()

    word = WORDS[visit.screen.language]["passed"]
    expect(page.locator("[data-verdict]")).to_have_text(word)
    expect(page.locator(".relayed")).to_have_count(4)
    own_word = "若本服务作假" if visit.screen.language is Language.ZH else "if the service lies"
    expect(page.locator("[data-banner]")).to_contain_text(own_word)
    shot(page, "relayed")


def test_a_certificate_brings_its_proof(visit: Visit, proven: Proven, shot: Shot) -> None:
    page = visit.open("/verify")

    give(page, certificate_pdf=proven.certificate, trust_json=proven.trust)

    expect(page.locator("[data-pieces]")).to_contain_text(f"{proven.record}.seal.json")
    expect(page.locator("[data-pieces]")).to_contain_text("certificate.pdf")
    assert steps(page) == said_by_sealproof(proven.bundle, proven.trust)
    shot(page, "certificate")


@desktop_alone
def test_of_the_proofs_in_a_history_one_is_chosen(visit: Visit, running: Running, proven: Proven) -> None:
    _, later = running.final()
    stranger = running.client(running.cast.bank).bundle(later)
    history = pdf_with({f"{later}.seal.json": stranger, f"{proven.record}.seal.json": proven.bundle})
    page = visit.open("/verify")

    give(page, history_pdf=history)
    expect(page.locator(".result")).to_contain_text(later)
    axe(page)
    page.locator("[data-proofs]").select_option(index=0)
    expect(page.locator("[data-proofs]")).to_be_focused()
    expect(page.locator(".result")).to_contain_text(proven.leaf)
    page = visit.open(f"/verify?record={proven.record}&leaf={proven.leaf}")
    expect(page.locator("[data-arrival=same]")).to_be_visible()
    give(page, history_pdf=history)

    expect(page.locator("[data-pieces] .piece-name")).to_contain_text(proven.record)
    assert verdict(page) == "incomplete"


@desktop_alone
def test_a_certificate_saved_anew_or_cut_is_named_and_not_guessed_at(visit: Visit, proven: Proven) -> None:
    page = visit.open("/verify")

    give(page, cut_pdf=proven.certificate[:-40])
    expect(page.locator("[data-pieces]")).to_contain_text("未能在这个 PDF 中查找证明")
    give(page, anew_pdf=proven.certificate.replace(b"xref\n0 ", b"xref\n1 "))
    expect(page.locator("[data-pieces]")).to_contain_text("重新保存")

    expect(page.locator("[data-verdict]")).to_have_count(0)
    expect(page.locator(".result h2")).to_have_text("只有协议文件，还不能核验")


def test_a_document_alone_shows_its_digests_and_what_is_needed(visit: Visit, shot: Shot) -> None:
    page = visit.open("/verify")

    give(page, agreement_pdf=DOCUMENT)

    expect(page.locator(".result h2")).to_be_focused()
    expect(page.locator(".result code")).to_have_count(2)
    shot(page, "alone")
    axe(page)


@desktop_alone
def test_what_cannot_be_used_is_refused_by_name(visit: Visit, shot: Shot) -> None:
    page = visit.open("/verify")

    give(page, empty_pdf=b"", trust_json=b'{"v":1}', huge_pdf=b"0" * (10 * 1024 * 1024 + 1))
    refusals = page.locator("[data-refusals] li")
    expect(refusals).to_have_text(
        [re.compile("空文件"), re.compile("不是有效的信任文件"), re.compile("超过 10 MiB")]
    )
    axe(page)
    shot(page, "refused")
    give(page, proof_tlog=b"c2sp.org/tlog-proof@v1\nindex 0\n\n")
    expect(page.locator("[data-pieces]")).to_contain_text("C2SP")
    give(page, broken_seal_json=b"not json at all")
    assert verdict(page) == "malformed"
    page.locator("[data-remove=bundle]").click()
    expect(page.locator("[data-verdict]")).to_have_count(0)


@desktop_alone
def test_a_silent_node_leaves_the_chain_unchecked_and_the_banner_says_so(
    visit: Visit, running: Running, proven: Proven
) -> None:
    dead = "http://127.0.0.1:9/"
    visit.may_reach(running.rpc)
    visit.may_reach(dead)
    visit.expects_failed_request(dead)
    page = visit.open("/verify")
    give(page, agreement_seal_json=proven.bundle, trust_json=proven.trust)
    page.locator("input[value=direct]").check()

    page.locator("[data-node]").fill("127.0.0.1:9")
    page.locator("[data-act=ask]").click()
    expect(page.locator("[data-refusals]")).to_contain_text("无法使用")
    page.locator("[data-node]").fill(dead)
    page.locator("[data-act=ask]").click()

    expect(page.locator("[data-banner]")).to_contain_text("没有给出可用的回答")
    assert steps(page)[11] == "not-checked"


def test_a_qr_code_leads_to_what_the_log_says_and_asks_for_the_rest(
    visit: Visit, proven: Proven, shot: Shot
) -> None:
    page = visit.open(f"/verify?record={proven.record}&leaf={proven.leaf}")

    expect(page.locator("[data-arrival=same]")).to_be_visible()
    expect(page.locator("[data-verdict]")).to_have_text(WORDS[visit.screen.language]["incomplete"])
    expect(page.locator(".result")).to_contain_text(proven.leaf)
    shot(page, "arrived")
    axe(page)
    give(page, certificate_pdf=proven.certificate)
    assert steps(page) == said_by_sealproof(proven.bundle, None)


def show_picture(page: Page, text: str) -> None:
    """Choose a picture of a QR code that says `text`."""
    made = io.BytesIO()
    segno.make_qr(text).save(made, kind="png", scale=4)
    page.locator("[data-picture]").set_input_files(
        {"name": "code.png", "mimeType": "image/png", "buffer": made.getvalue()}
    )


def test_a_check_code_in_a_picture_leads_to_its_record(visit: Visit, proven: Proven, shot: Shot) -> None:
    page = visit.open("/verify")

    show_picture(page, proven.check_code)

    expect(page.locator("[data-arrival=same]")).to_be_visible()
    expect(page.locator(".result")).to_contain_text(proven.leaf)
    page.locator("#check-code").scroll_into_view_if_needed()
    shot(page, "found")


def test_a_check_code_is_seen_by_the_camera(
    browser: Browser, running: Running, proven: Proven, tmp_path: Path
) -> None:
    with holding_up(browser, proven.check_code, tmp_path) as filming:
        visit = begin(filming, DESKTOP, running.url)
        page = visit.open("/verify")

        page.get_by_role("button", name="摄像头").click()

        expect(page.locator("[data-arrival=same]")).to_be_visible()
        assert visit.close() == []


@desktop_alone
def test_a_check_code_can_be_pasted_and_one_of_nothing_is_refused(visit: Visit, proven: Proven) -> None:
    page = visit.open("/verify")
    page.locator("#code").fill(f" {proven.check_code} ")
    page.locator("#code").press("Enter")
    expect(page.locator("[data-arrival=same]")).to_be_visible()

    page.locator("#code").fill("TC1:SOMETHING ELSE")
    page.locator("#code").press("Enter")
    assert page.locator("#code").evaluate("(field) => field.validity.patternMismatch")

    visit.expects_status(422, "/verify/receipt")
    page.locator("#code").fill(ReceiptCheck(bytes.fromhex(proven.record), bytes(32)).write())
    page.locator("#code").press("Enter")
    expect(page.locator("main")).to_contain_text("查不到")


@desktop_alone
def test_a_code_that_may_be_a_secret_goes_into_no_address(visit: Visit, proven: Proven) -> None:
    page = visit.open("/verify")

    show_picture(page, "TC1:ABC123")

    expect(page.locator("[data-finding] [role=alert]")).to_contain_text("没有向任何地方发送")
    assert page.url == f"{visit.url}/verify"
    show_picture(page, f"{visit.url}/verify?record={proven.record}&leaf={proven.leaf}")
    expect(page.locator("[data-arrival=same]")).to_be_visible()


@desktop_alone
def test_a_qr_code_of_another_leaf_is_not_believed(visit: Visit, running: Running, proven: Proven) -> None:
    _, other = running.final()
    stranger = running.client(running.cast.bank).bundle(other)
    page = visit.open(f"/verify?record={proven.record}&leaf={'0' * 64}")
    expect(page.locator("[data-arrival=other]")).to_be_visible()
    assert verdict(page) == "other-record"

    page = visit.open(f"/verify?record={proven.record}&leaf={proven.leaf}")
    expect(page.locator("[data-arrival=same]")).to_be_visible()
    give(page, other_seal_json=stranger)

    assert verdict(page) == "other-record"


@desktop_alone
def test_a_qr_code_of_nothing_or_in_pieces_is_named(visit: Visit) -> None:
    visit.expects_status(404, "/verify/records/")
    page = visit.open(f"/verify?record={'0' * 32}&leaf={'0' * 64}")
    expect(page.locator("[data-arrival=missing]")).to_be_visible()

    for query in ("record=12", f"leaf={'0' * 64}", f"record={'0' * 32}&leaf=xyz"):
        page = visit.open(f"/verify?{query}")
        expect(page.locator("[data-arrival=malformed]")).to_be_visible()


@desktop_alone
def test_a_record_that_is_not_sealed_yet_is_explained_by_its_promise(visit: Visit) -> None:
    visit.expects_status(409, "/verify/records/")
    refusal = {"code": "not-sealed-yet", "zh": "…", "en": "…"}
    visit.page.route("**/verify/records/*", lambda route: route.fulfill(status=409, body=json.dumps(refusal)))

    page = visit.open(f"/verify?record={'1' * 32}")

    expect(page.locator("[data-arrival=not-sealed]")).to_contain_text("承诺")


@desktop_alone
def test_the_result_can_be_copied_as_text_and_as_the_json_of_sealproof(visit: Visit, proven: Proven) -> None:
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visit.open("/verify")
    give(page, agreement_seal_json=proven.bundle, trust_json=proven.trust)

    page.locator("[data-act=copy-json]").click()
    expect(page.locator("[data-announce]")).to_have_text("已复制")
    copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
    page.locator("[data-act=copy]").click()
    expect(page.locator("[data-act=copy]")).to_have_text("已复制")
    text = page.evaluate("navigator.clipboard.readText()")

    report = verify.verify(proven.bundle, trust=trust_files.load(proven.trust), document=None, chain=None)
    assert copied == report.to_json()
    assert text.startswith("尚未全部核验 · ")
    assert "12. 上链锚定 [未核验]" in text
    assert "--" not in text


@desktop_alone
def test_the_report_prints_on_one_page(visit: Visit, proven: Proven) -> None:
    page = visit.open("/verify")
    give(page, agreement_seal_json=proven.bundle, agreement_pdf=DOCUMENT, trust_json=proven.trust)

    printed = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))

    assert len(printed.pages) == 1


def test_the_lone_file_verifies_from_disk_with_the_network_off(
    visit: Visit, proven: Proven, tmp_path: Path, shot: Shot
) -> None:
    page = visit.open("/verify")
    with page.expect_download() as saving:
        page.locator("a[download]").click()
    file = tmp_path / saving.value.suggested_filename
    saving.value.save_as(file)
    visit.context.set_offline(True)

    page.goto(file.as_uri())
    give(page, certificate_pdf=proven.certificate, agreement_pdf=DOCUMENT, trust_json=proven.trust)

    assert steps(page) == said_by_sealproof(proven.bundle, proven.trust, DOCUMENT)
    expect(page.locator("[data-verdict]")).to_have_text(WORDS[visit.screen.language]["incomplete"])
    shot(page, "lone")
    axe(page)
    reflows(page)
    other = Language.EN if visit.screen.language is Language.ZH else Language.ZH
    page.locator("[data-speak]").click()
    expect(page.locator("[data-verdict]")).to_have_text(WORDS[other]["incomplete"])
    assert page.locator("html").get_attribute("lang") == other.value
    give(page, agreement_pdf=b"X" + DOCUMENT[1:])
    assert steps(page)[7] == "failed"


@desktop_alone
def test_the_page_and_the_lone_file_can_be_read_in_the_dark(
    visits: Visits, proven: Proven, shot: Shot
) -> None:
    visit = visits(dark=True)
    page = visit.open("/verify")
    give(page, agreement_seal_json=proven.bundle, agreement_pdf=DOCUMENT + b"0", trust_json=proven.trust)

    shot(page, "dark")
    axe(page)


CHOOSES = """async ([base, raw, statements]) => {
  const { Desk } = await import(`${base}/verify/desk.js`);
  const { Service } = await import(`${base}/verify/service.js`);
  const encoder = new TextEncoder();
  const service = new Service(Object.keys(statements).sort().reverse().map((epoch) => {
    const { contract, deployment_block_hash: deployment } = JSON.parse(statements[epoch]).chain;
    return { epoch, contract, deployment };
  }));
  service.trust = async (epoch) => encoder.encode(statements[epoch]);
  const desk = new Desk(service);
  desk.choices.trust = "service";
  await desk.take([new File([raw], "agreement.seal.json")]);
  const { epoch, report } = await desk.check();
  return [epoch, report.outcome];
}"""


@desktop_alone
def test_the_statement_of_the_epoch_that_a_proof_belongs_to_is_taken(visit: Visit, proven: Proven) -> None:
    mine = json.loads(proven.trust)
    later = replaced(mine, ("chain", "contract"), "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512")
    statements = {"1": json.dumps(mine), "2": json.dumps(later)}
    page = visit.open("/verify")
    base = (page.locator('script[src$="/verify.js"]').get_attribute("src") or "").removesuffix("/verify.js")

    anchored = page.evaluate(CHOOSES, [base, proven.bundle.decode(), statements])
    unanchored = page.evaluate(CHOOSES, [base, proven.altered("anchor", to=None).decode(), statements])

    assert anchored == ["1", "incomplete"]
    assert unanchored == ["1", "incomplete"]


@desktop_alone
def test_files_can_be_dropped_and_one_that_misses_does_not_replace_the_page(
    visit: Visit, proven: Proven
) -> None:
    page = visit.open("/verify")
    make = (
        "(text) => { const t = new DataTransfer(); t.items.add(new File([text], 'a.seal.json')); return t; }"
    )
    dropped = page.evaluate_handle(make, proven.bundle.decode())

    page.dispatch_event(".choices", "drop", {"dataTransfer": dropped})
    expect(page.locator("[data-pieces] li")).to_have_count(0)
    page.dispatch_event("[data-dropzone]", "drop", {"dataTransfer": dropped})

    expect(page.locator("[data-verdict]")).to_be_focused()
    assert steps(page) == said_by_sealproof(proven.bundle, None)
