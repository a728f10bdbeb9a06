"""What benefits stand on: mandates, admissions to the modules, measures, each with its guards."""

from datetime import timedelta

import pytest

from talentseal.accounts.models import OrganisationKind
from talentseal.agreements import admission
from talentseal.agreements.admission import AccessAgreementRefused
from talentseal.errors import NotPermitted
from talentseal.evidence.models import EvidenceRecord
from talentseal.partners import access, mandates
from talentseal.partners.access import AccessExists, NoFinancialEnterprise, OwnApplicationNeeded
from talentseal.partners.access_models import AccessState, MandateState, ModuleAccess
from talentseal.partners.access_schemas import ApplyForFinance
from talentseal.partners.mandates import MandateNotLive, MandateOver, MandateOverlaps, OutsideMandate
from talentseal.partners.modules import Module
from talentseal.policy import measures
from talentseal.policy.measure_models import MeasureState
from talentseal.policy.measures import MeasureBody, MeasureNotReturned
from talentseal.policy.service import OwnProposal
from talentseal.states import TransitionRefused
from tests.benefits.conftest import ON_THE_WAY, Shelf


def kind_of(shelf: Shelf, record_id: str | None) -> int:
    assert record_id is not None
    return shelf.act(lambda session, _now: session.get_one(EvidenceRecord, record_id).kind)


# Mandates


@pytest.mark.scenario(8)
def test_an_expired_mandate_opens_no_negotiation(sqlite_shelf: Shelf) -> None:
    sqlite_shelf.mandate()
    sqlite_shelf.world.clock.advance(days=366)

    with pytest.raises(MandateNotLive):
        sqlite_shelf.negotiating()


@pytest.mark.scenario(9)
def test_of_two_mandates_that_overlap_the_second_is_not_made_live(shelf: Shelf) -> None:
    first = shelf.mandate()
    draft = shelf.mandate_draft(starts_on=first.ends_on)
    second = shelf.do(mandates.draft, shelf.office.actor, draft)

    with pytest.raises(MandateOverlaps):
        shelf.activate(second)


def test_a_mandate_that_follows_the_live_one_is_made_live_ahead(sqlite_shelf: Shelf) -> None:
    first = sqlite_shelf.mandate()

    assert sqlite_shelf.mandate(starts_on=first.ends_on + timedelta(days=1)).state is MandateState.LIVE


def test_who_drafted_a_mandate_does_not_make_it_live(sqlite_shelf: Shelf) -> None:
    office = sqlite_shelf.office.actor
    row = sqlite_shelf.do(mandates.draft, office, sqlite_shelf.mandate_draft())

    with pytest.raises(OwnProposal):
        sqlite_shelf.do(mandates.activate, office, row.id)


def test_a_mandate_whose_term_is_over_is_not_made_live(sqlite_shelf: Shelf) -> None:
    row = sqlite_shelf.do(mandates.draft, sqlite_shelf.office.actor, sqlite_shelf.mandate_draft())
    sqlite_shelf.world.clock.advance(days=366)

    with pytest.raises(MandateOver):
        sqlite_shelf.activate(row)


def test_the_day_after_its_last_one_a_mandate_expires_once(sqlite_shelf: Shelf) -> None:
    sqlite_shelf.mandate()
    sqlite_shelf.world.clock.advance(days=366)
    day = sqlite_shelf.today

    assert sqlite_shelf.act(lambda session, now: mandates.apply_day(session, day, now)) == 1
    assert sqlite_shelf.act(lambda session, now: mandates.apply_day(session, day, now)) == 0


# The finance module


@pytest.mark.scenario(55)
def test_the_operator_cannot_apply_for_a_bank(sqlite_shelf: Shelf) -> None:
    command = ApplyForFinance(
        organisation=sqlite_shelf.bank.id, licence_type="金融许可证", licence_number="虚构B0001"
    )

    with pytest.raises(OwnApplicationNeeded):
        sqlite_shelf.do(access.apply, sqlite_shelf.operator.actor, command)


@pytest.mark.scenario(56)
@pytest.mark.parametrize("missing", ["licence_type", "licence_number"])
def test_an_application_without_its_licence_comes_back(sqlite_shelf: Shelf, missing: str) -> None:
    row = sqlite_shelf.applied(**{missing: None})
    assert row.state is AccessState.RETURNED

    assert sqlite_shelf.applied().id == row.id, "and goes on once it is complete"
    assert sqlite_shelf.examined(row).state is AccessState.EXAMINED


def test_an_admission_to_the_finance_module_leaves_its_evidence(sqlite_shelf: Shelf) -> None:
    row = sqlite_shelf.finance_access()

    assert row.state is AccessState.ADMITTED
    assert kind_of(sqlite_shelf, row.record_id) == 14


def test_an_enterprise_has_one_open_application(shelf: Shelf) -> None:
    shelf.applied()

    with pytest.raises(AccessExists):
        shelf.applied()


def test_a_merchant_does_not_apply_for_the_finance_module(sqlite_shelf: Shelf) -> None:
    with pytest.raises(NoFinancialEnterprise):
        sqlite_shelf.applied(sqlite_shelf.merchant)


def test_nobody_is_admitted_unexamined(sqlite_shelf: Shelf) -> None:
    row = sqlite_shelf.applied()

    with pytest.raises(TransitionRefused):
        sqlite_shelf.admit(row)


def test_the_bureau_that_examines_does_not_admit(sqlite_shelf: Shelf) -> None:
    row = sqlite_shelf.examined(sqlite_shelf.applied())

    with pytest.raises(NotPermitted):
        sqlite_shelf.do(access.admit, sqlite_shelf.finance_bureau.actor, row.id)


def test_a_refused_enterprise_may_apply_anew(sqlite_shelf: Shelf) -> None:
    row = sqlite_shelf.examined(sqlite_shelf.applied())
    refused = sqlite_shelf.do(access.refuse, sqlite_shelf.office.actor, row.id, "虚构的理由")
    assert refused.state is AccessState.REFUSED

    assert sqlite_shelf.applied().id != row.id


def test_a_paused_admission_counts_for_nothing_until_it_goes_on(sqlite_shelf: Shelf) -> None:
    row, bank = sqlite_shelf.finance_access(), sqlite_shelf.bank
    is_admitted = access.is_admitted

    def admitted() -> bool:
        return sqlite_shelf.act(lambda session, _now: is_admitted(session, bank.id, Module.FINANCE))

    sqlite_shelf.do(access.pause, sqlite_shelf.office.actor, row.id, "虚构的理由")
    assert not admitted()
    again = sqlite_shelf.admit(row)
    assert admitted()
    assert again.record_id == row.record_id, "it was admitted once"


def test_only_the_organisation_itself_withdraws(sqlite_shelf: Shelf) -> None:
    row, other = sqlite_shelf.finance_access(), sqlite_shelf.merchant

    with pytest.raises(access.AccessNotFound):
        sqlite_shelf.do(access.withdraw, other.actor, row.id)
    assert sqlite_shelf.do(access.withdraw, sqlite_shelf.bank.actor, row.id).state is AccessState.WITHDRAWN


# The consumption module


def test_an_admission_to_the_consumption_module_leaves_its_evidence(sqlite_shelf: Shelf) -> None:
    row = sqlite_shelf.consumption_access()

    assert row.state is AccessState.ADMITTED
    assert kind_of(sqlite_shelf, row.record_id) == 14


def test_the_operator_negotiates_inside_its_mandate_alone(sqlite_shelf: Shelf) -> None:
    sqlite_shelf.mandate(OrganisationKind.UTILITY)

    with pytest.raises(OutsideMandate):
        sqlite_shelf.negotiating()


@pytest.mark.scenario(57)
def test_what_lies_outside_the_mandate_when_it_is_signed_is_not_admitted(sqlite_shelf: Shelf) -> None:
    former = sqlite_shelf.mandate(OrganisationKind.MERCHANT)
    row = sqlite_shelf.filed()
    sqlite_shelf.do(mandates.end, sqlite_shelf.office.actor, former.id, "虚构的理由")
    sqlite_shelf.mandate(OrganisationKind.UTILITY)

    with pytest.raises(OutsideMandate):
        sqlite_shelf.admit(row)


def negotiated(shelf: Shelf) -> ModuleAccess:
    shelf.mandated()
    return shelf.do(access.agree_terms, shelf.operator.actor, shelf.negotiating().id)


def test_an_agreement_that_is_not_evidenced_signs_no_admission(sqlite_shelf: Shelf) -> None:
    row = negotiated(sqlite_shelf)
    version = sqlite_shelf.world.signed(sqlite_shelf.merchant, sqlite_shelf.operator)

    with pytest.raises(AccessAgreementRefused):
        sqlite_shelf.do(admission.sign_access, sqlite_shelf.operator.actor, row.id, version.agreement_id)


def test_an_agreement_with_another_partner_signs_no_admission(sqlite_shelf: Shelf) -> None:
    row, foreign = negotiated(sqlite_shelf), sqlite_shelf.agreement(sqlite_shelf.bank)

    with pytest.raises(AccessAgreementRefused):
        sqlite_shelf.do(admission.sign_access, sqlite_shelf.operator.actor, row.id, foreign)


def test_a_negotiation_that_was_given_up_may_be_opened_anew(sqlite_shelf: Shelf) -> None:
    row = negotiated(sqlite_shelf)
    sqlite_shelf.do(access.abandon, sqlite_shelf.operator.actor, row.id, "虚构的理由")

    assert sqlite_shelf.negotiating().id != row.id


def test_the_operator_does_not_admit_what_it_negotiated(sqlite_shelf: Shelf) -> None:
    sqlite_shelf.mandated()
    row = sqlite_shelf.filed()

    with pytest.raises(NotPermitted):
        sqlite_shelf.do(access.admit, sqlite_shelf.operator.actor, row.id)


# Measures


def test_a_measure_comes_into_force_on_its_day_and_leaves_its_evidence(sqlite_shelf: Shelf) -> None:
    tomorrow = sqlite_shelf.today + timedelta(days=1)
    row = sqlite_shelf.measure_at(MeasureState.APPROVED, effective_from=tomorrow)
    assert row.state is MeasureState.APPROVED
    assert kind_of(sqlite_shelf, row.record_id) == 51

    for brought in (1, 0):
        assert sqlite_shelf.act(lambda session, now: measures.apply_day(session, tomorrow, now)) == brought
    found = sqlite_shelf.act(lambda session, _now: measures.find(session, row.id))
    assert found.state is MeasureState.IN_FORCE


@pytest.mark.scenario(6)
def test_a_returned_measure_comes_again_as_another_version_and_both_are_kept(sqlite_shelf: Shelf) -> None:
    first = sqlite_shelf.measure_at(MeasureState.SUBMITTED)
    sqlite_shelf.move_measure(first, MeasureState.RETURNED)
    changed = sqlite_shelf.measure_draft(text="补贴减半。")

    second = sqlite_shelf.do(measures.redraft, sqlite_shelf.office.actor, first.id, changed)

    assert (second.measure, second.number) == (first.measure, 2)
    office = sqlite_shelf.office_2
    kept = sqlite_shelf.act(lambda session, _now: measures.listed(session, office))
    assert {(row.number, row.text) for row in kept} == {(1, first.text), (2, "补贴减半。")}


def test_a_measure_under_way_has_no_second_version(sqlite_shelf: Shelf) -> None:
    row = sqlite_shelf.measure_at(MeasureState.SUBMITTED)

    with pytest.raises(MeasureNotReturned):
        sqlite_shelf.do(measures.redraft, sqlite_shelf.office.actor, row.id, sqlite_shelf.measure_draft())


def test_who_drafted_a_measure_does_not_pass_it(sqlite_shelf: Shelf) -> None:
    row = sqlite_shelf.measure_at(MeasureState.ON_AGENDA)

    with pytest.raises(OwnProposal):
        sqlite_shelf.move_measure(row, MeasureState.PASSED_BY_JOINT_MEETING, sqlite_shelf.office.actor)


@pytest.mark.parametrize("to", [MeasureState.APPROVED, MeasureState.RETURNED, MeasureState.REJECTED])
def test_the_talent_office_does_not_decide_for_the_leading_group(
    sqlite_shelf: Shelf, to: MeasureState
) -> None:
    row = sqlite_shelf.measure_at(MeasureState.SUBMITTED)

    with pytest.raises(NotPermitted):
        sqlite_shelf.move_measure(row, to, sqlite_shelf.office_2)


def test_a_measure_is_carried_out_by_a_body_of_government(sqlite_shelf: Shelf) -> None:
    with pytest.raises(MeasureBody):
        sqlite_shelf.drafted_measure(sqlite_shelf.bank)


@pytest.mark.parametrize("skipped", ON_THE_WAY[:-1])
def test_no_step_of_a_measure_is_left_out(sqlite_shelf: Shelf, skipped: MeasureState) -> None:
    place = ON_THE_WAY.index(skipped)
    row = sqlite_shelf.measure_at(ON_THE_WAY[place - 1]) if place else sqlite_shelf.drafted_measure()

    with pytest.raises(TransitionRefused):
        sqlite_shelf.move_measure(row, ON_THE_WAY[place + 1])
