"""After an operator opened another epoch every proof is still handed out, each under the contract that can
hold it.
"""

from sealproof.report import Verdict
from sealproof.trust import Finality, FinalityPolicy
from sealproof.verify import verify
from talentseal.accounts.roles import Actor, Role
from talentseal.anchoring import epochs
from talentseal.audit import proofs
from talentseal.audit.proofs import Notary, Proof
from tests.world import Member, World


def notary(world: World) -> Notary:
    return Notary(world.signer.verifier_key, Finality(FinalityPolicy.DEPTH, 1), "test")


def proof(world: World, actor: Actor, record: str | None) -> Proof:
    return world.database.read(lambda session: proofs.proof_of(session, actor, record or "", notary(world)))


def contract_of(found: Proof) -> str | None:
    return found.bundle.anchor.identity().contract if found.bundle.anchor else None


def test_an_agreement_is_shown_under_the_contract_that_its_parties_signed_for(
    world: World, bank: Member, office: Member
) -> None:
    record = world.signed(bank, office).record_id
    world.settle()
    before = proof(world, bank.actor, record)
    signed_for = world.domain.contract
    world.open_another_epoch()

    after = proof(world, bank.actor, record)

    closed = world.database.read(lambda session: epochs.numbered(session, 1))
    report = verify(after.raw, trust=notary(world).trust(closed), document=None, chain=None)
    assert [step.number for step in report.steps if step.verdict is Verdict.FAILED] == []
    assert contract_of(after) == signed_for
    assert after.raw == before.raw


def test_an_agreement_of_the_new_epoch_is_shown_under_the_new_contract(
    world: World, bank: Member, office: Member
) -> None:
    world.signed(bank, office)
    world.settle()
    world.open_another_epoch()

    record = world.signed(bank, office, number="TS-2").record_id
    world.settle()

    assert contract_of(proof(world, bank.actor, record)) == world.domain.contract


def test_a_record_without_signatures_moves_to_the_newest_epoch(
    world: World, bank: Member, office: Member
) -> None:
    world.signed(bank, office)
    world.settle()
    auditor, former = world.member("审计机构", role=Role.AUDITOR), world.domain.contract
    opened = world.database.read(lambda session: epochs.numbered(session, 1)).record_id
    world.open_another_epoch()

    found = proof(world, auditor.actor, opened)

    assert contract_of(found) == world.domain.contract != former
