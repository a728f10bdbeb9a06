"""What a holder keeps of a use: why it was refused, a proof that holds anywhere, and nothing for others."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import sealproof
from sealproof import bundle, checkpoint, disclosure, merkle, tiles
from talentseal.accounts.roles import Role
from talentseal.benefits.models import BenefitVersion, Category
from talentseal.chain.memory_chain import read_transaction
from talentseal.partners.models import Outlet
from talentseal.policy import reading
from talentseal.policy.effects import Deed
from talentseal.policy.tiers import Tier
from talentseal.redemptions.models import Redemption
from talentseal.redemptions.refusals import Refusal
from tests.api.conftest import Api
from tests.audit.traces import forms
from tests.credentials.counters import Phone
from tests.redemptions.market import Market, done, refused
from tests.talents.browsers import Browser

RESERVE = Tier.RESERVE
PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from sealproof.__main__ import main; sys.exit(main())"
)


def browser(site: Api, phone: Phone) -> Browser:
    return Browser(site).be(phone.talent.account_id)


def offline(bundle_file: Path, trust_file: Path) -> "subprocess.CompletedProcess[str]":
    """The verifier as anybody has it: Python alone, no network, no service."""
    script = str(Path(sealproof.__file__).parents[1])
    asked = ["verify", str(bundle_file), "--trust", str(trust_file)]
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROGRAM, script, *asked],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.scenario(70)
def test_a_lone_redemption_is_betrayed_by_neither_chain_nor_tiles(market: Market, tmp_path: Path) -> None:
    world = market.world
    version = market.shelf.published(tiers={RESERVE: 9})
    phone = market.guest(version)
    till = market.till(version)
    world.settle()
    site, sent = Api(world, tmp_path), len(world.chain.sent)
    # One alone, and then once more, so that two of one person can be laid side by side.
    rows = []
    for _ in range(2):
        rows.append(done(market.redeem(version, phone, till)))
        world.settle()

    note = site.call(None, "GET", "/log/checkpoint").text
    head = checkpoint.open_checkpoint(note, [world.signer.verifier_key])
    tile = site.call(None, "GET", f"/log/tile/0/000.p/{head.size}").content
    on_chain = [read_transaction(raw) for raw in world.chain.sent[sent:]]
    auditor = world.member("虚构审计", role=Role.AUDITOR)
    raw = site.call(auditor, "GET", f"/log/tile/entries/000.p/{head.size}").content
    entries = tiles.decode_entries(raw, head.size)[-2:]

    assert len(on_chain) == 2, "a head for each: only who anchors, sizes, roots and their consistency"
    assert tile == b"".join(map(merkle.leaf_hash, tiles.decode_entries(raw, head.size))), "hashes alone"
    assert site.call(None, "GET", "/log/tile/entries/000.p/1").status_code == 401
    public = note.encode() + tile + b"".join(each.payload for each in on_chain)
    for secret in secrets_of(market, phone, rows):
        for form in forms(secret):
            assert form not in public
            assert not any(form in entry for entry in entries)
    one, other = (json.loads(entry) for entry in entries)
    assert one["id"] != other["id"]
    assert not set(one["_sd"]) & set(other["_sd"]), "salted: equal fields have no equal digest"
    assert {key: one[key] for key in one if key not in {"id", "recorded_at", "_sd"}} == {
        key: other[key] for key in other if key not in {"id", "recorded_at", "_sd"}
    }, "what is in the clear says nothing of which use it was"


def secrets_of(market: Market, phone: Phone, rows: list[Redemption]) -> list[str]:
    """Whatever could betray which benefit, which place, or who."""
    code = market.crowd.code(phone.talent)
    version = market.read(lambda session: session.get_one(BenefitVersion, rows[0].version_id))
    outlet = market.read(lambda session: session.get_one(Outlet, str(rows[0].outlet_id)))
    who = [market.crowd.id_of(phone.talent), phone.talent.account_id, code.id, code.code_ref.hex(), code.tier]
    where = [market.shelf.merchant.id, market.shelf.merchant.name, outlet.id, outlet.name]
    what = [version.id, version.benefit_id, version.title]
    uses = [
        value
        for row in rows
        for value in (row.id, row.talent_ref, row.terminal_id, row.staff_id, row.presentation_id)
    ]
    return [str(each) for each in (*who, *where, *what, *uses)]


@pytest.mark.scenario(82)
def test_a_refused_holder_reads_the_article_the_version_and_what_helps_alone(
    market: Market, tmp_path: Path
) -> None:
    version = market.shelf.published(Category.GOVERNMENT, tiers={RESERVE: 1}, budget_units=1)
    refused_one, served_one = market.guest(version), market.guest(version)
    used = done(market.redeem(version, served_one))
    site = Api(market.world, tmp_path)

    assert refused(market.redeem(version, refused_one)) is Refusal.BUDGET_EXHAUSTED

    basis = market.read(
        lambda session: reading.providing(session, Deed.GOVERNMENT_REDEMPTION, market.shelf.today)
    )
    assert basis is not None
    page = browser(site, refused_one).get("/me/benefits").text
    assert "预算已用完" in page
    assert "（第 8 条）" in page
    assert f"依据第 {basis.number} 版办法、权益第 {version.number} 版。" in page
    assert "预算追加后可再办理。" in page
    told = json.dumps([page, market.refusals()[0].__dict__], default=str, ensure_ascii=False)
    for other in (used.id, used.talent_ref, used.talent_id, served_one.talent.account_id):
        assert other not in told, "that it was somebody is all that there is to know"
    assert "预算已用完" not in browser(site, served_one).get("/me/benefits").text
    assert "本期次数已用完" in browser(site, served_one).get("/me/benefits").text, "his own reason"


@pytest.mark.scenario(83)
def test_a_receipt_holds_offline_whole_or_with_a_field_hidden(market: Market, tmp_path: Path) -> None:
    version = market.shelf.published(tiers={RESERVE: 1}, value_fen=700)
    phone = market.guest(version)
    row = done(market.redeem(version, phone))
    market.world.settle()
    site, trust = Api(market.world, tmp_path), tmp_path / "trust.json"
    trust.write_bytes(site.trust.dump())
    mine, at = browser(site, phone), f"/me/receipts/{row.id}/bundle"
    shown = "disclose=at&disclose=partner&disclose=benefit"

    whole, part = (mine.get(f"{at}{query}").content for query in ("", f"?{shown}"))

    fields = {each.name for each in map(disclosure.read, bundle.load(whole).disclosures)}
    assert {"tier", "value_fen", "at", "partner", "benefit"} < fields
    assert {each.name for each in map(disclosure.read, bundle.load(part).disclosures)} == {
        "at", "partner", "benefit",
    }  # fmt: skip
    for raw in (whole, part):
        (tmp_path / "receipt.seal.json").write_bytes(raw)
        told = offline(tmp_path / "receipt.seal.json", trust)
        # 3: all that can be known without a node has passed; whether the head is on the chain needs one.
        assert (told.returncode, told.stderr) == (3, "")
        assert "[failed]" not in told.stdout
    hidden = json.dumps(json.loads(part), ensure_ascii=False)
    assert RESERVE.value not in hidden
    forged = json.loads(part)
    forged["disclosures"][0] = json.loads(whole)["disclosures"][0][:-4] + "AAAA"
    (tmp_path / "forged.seal.json").write_text(json.dumps(forged))
    assert offline(tmp_path / "forged.seal.json", trust).returncode == 1


@pytest.mark.scenario(84)
def test_the_receipt_of_somebody_else_is_not_found_and_the_attempt_is_noted(
    market: Market, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    version = market.shelf.published(tiers={RESERVE: 1})
    theirs, mine = market.guest(version), market.guest(version)
    row = done(market.redeem(version, theirs))
    market.world.settle()
    site = Api(market.world, tmp_path)
    stranger = browser(site, mine)
    capsys.readouterr()

    for path in ("", "/bundle", "/code.png"):
        assert stranger.get(f"/me/receipts/{row.id}{path}").status_code == 404
        assert browser(site, theirs).get(f"/me/receipts/{row.id}{path}").status_code == 200

    noted = [line for line in capsys.readouterr().out.splitlines() if "access.not-yours" in line]
    assert len(noted) == 3
    assert all(mine.talent.account_id in line and row.id in line for line in noted)
    assert stranger.get(f"/me/receipts/{'0' * 32}").text.replace("0" * 32, "") == stranger.get(
        f"/me/receipts/{row.id}"
    ).text.replace(row.id, ""), "as if there were none"
