"""The catalogue: who may provide what, what a version stands on, how it comes and goes."""

from datetime import timedelta
from typing import Any

import pytest

from talentseal.accounts.models import OrganisationKind
from talentseal.accounts.roles import Actor, Role
from talentseal.benefits import reading, service
from talentseal.benefits.models import BenefitState, BenefitVersion, Category, Showing
from talentseal.benefits.refusals import (
    AccessMissing,
    AgreementMissing,
    BenefitExists,
    BenefitNotFound,
    BudgetMissing,
    CategoryRefused,
    MeasureMissing,
    NotReviewer,
    OutletForeign,
    OwnBenefit,
    RegulatedRefused,
    TermOver,
    VersionUnderway,
)
from talentseal.benefits.schemas import Wanted
from talentseal.errors import NotPermitted
from talentseal.partners import access
from talentseal.partners.mandates import MandateNotLive
from talentseal.policy.measure_models import MeasureState
from talentseal.policy.reading import InstrumentExpired
from talentseal.policy.tiers import Tier
from talentseal.states import TransitionRefused
from tests.benefits.conftest import Shelf, another
from tests.partners.counters import Manager
from tests.world import Member

WHY = "虚构的理由"


def now_of(shelf: Shelf, version: BenefitVersion) -> BenefitVersion:
    """The version as it is stored by now."""
    return shelf.act(lambda session, _now: session.get_one(BenefitVersion, version.id))


def in_review(shelf: Shelf, category: Category, **changes: Any) -> BenefitVersion:
    provider = shelf.provider_of(category)
    return shelf.send(shelf.drafted(category, **changes), provider)


@pytest.mark.parametrize("category", Category)
def test_a_benefit_of_each_category_is_published(sqlite_shelf: Shelf, category: Category) -> None:
    version = sqlite_shelf.published(category, tiers={Tier.HIGH_E: 3, Tier.YOUTH: None})

    assert version.state is BenefitState.PUBLISHED
    provider = sqlite_shelf.provider_of(category).actor
    view = sqlite_shelf.act(
        lambda session, _now: reading.version_view(session, provider, version.benefit_id, 1)
    )
    assert {line.tier: line.quota for line in view.tiers} == {Tier.HIGH_E: 3, Tier.YOUTH: None}
    assert [step.state for step in view.steps] == [
        BenefitState.DRAFT,
        BenefitState.REVIEW,
        BenefitState.PUBLISHED,
    ]


# Who provides what


@pytest.mark.scenario(58)
@pytest.mark.parametrize("category", [Category.FINANCIAL, Category.CONSUMPTION])
def test_a_bureau_provides_government_benefits_alone(sqlite_shelf: Shelf, category: Category) -> None:
    with pytest.raises(CategoryRefused):
        sqlite_shelf.drafted(category, provider=sqlite_shelf.bureau, agreement=None)


@pytest.mark.scenario(58)
@pytest.mark.parametrize("role", [Role.PARTNER, Role.OPERATOR, Role.THIRD_PARTY])
def test_nobody_but_a_bureau_provides_government_benefits(sqlite_shelf: Shelf, role: Role) -> None:
    member = sqlite_shelf.world.joined("虚构单位", role=role)

    with pytest.raises(CategoryRefused):
        sqlite_shelf.drafted(Category.GOVERNMENT, provider=member, measure=None)


def test_a_third_party_provides_no_financial_benefits(sqlite_shelf: Shelf) -> None:
    member = sqlite_shelf.world.joined("虚构商户", role=Role.THIRD_PARTY, kind=OrganisationKind.THIRD_PARTY)

    with pytest.raises(CategoryRefused):
        sqlite_shelf.drafted(Category.FINANCIAL, provider=member, agreement=None)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.LEADING_GROUP, Role.BIG_DATA_BUREAU])
def test_who_provides_nothing_drafts_nothing(sqlite_shelf: Shelf, role: Role) -> None:
    member = sqlite_shelf.world.joined("虚构机构", role=role, kind=OrganisationKind.GOVERNMENT)

    with pytest.raises(NotPermitted):
        sqlite_shelf.drafted(Category.CONSUMPTION, provider=member, agreement=None)


# What a version stands on


@pytest.mark.scenario(5)
@pytest.mark.parametrize("state", [MeasureState.PASSED_BY_JOINT_MEETING, MeasureState.SUBMITTED])
def test_a_government_benefit_needs_the_leading_groups_approval(
    sqlite_shelf: Shelf, state: MeasureState
) -> None:
    sqlite_shelf.instrument()
    measure = sqlite_shelf.measure_at(state, sqlite_shelf.office)

    with pytest.raises(MeasureMissing):
        sqlite_shelf.published(Category.GOVERNMENT, provider=sqlite_shelf.office, measure=measure.id)


def test_a_government_benefit_names_its_measure(sqlite_shelf: Shelf) -> None:
    with pytest.raises(MeasureMissing):
        sqlite_shelf.published(Category.GOVERNMENT, measure=None)


def test_a_bureau_publishes_nothing_on_the_measure_of_another(sqlite_shelf: Shelf) -> None:
    sqlite_shelf.instrument()
    foreign = sqlite_shelf.measure_at(MeasureState.APPROVED, sqlite_shelf.finance_bureau)

    with pytest.raises(MeasureMissing):
        sqlite_shelf.published(Category.GOVERNMENT, measure=foreign.id)


def test_a_government_benefit_needs_an_instrument_in_force(sqlite_shelf: Shelf) -> None:
    with pytest.raises(InstrumentExpired):
        sqlite_shelf.published(Category.GOVERNMENT, provider=sqlite_shelf.bureau)


def test_a_government_benefit_needs_a_budget_with_its_owner(sqlite_shelf: Shelf) -> None:
    version = in_review(sqlite_shelf, Category.GOVERNMENT)

    with pytest.raises(BudgetMissing):
        sqlite_shelf.publish(version, sqlite_shelf.office_2)


def test_whoever_promises_a_subsidy_names_who_bears_it(sqlite_shelf: Shelf) -> None:
    version = in_review(sqlite_shelf, Category.CONSUMPTION, subsidy_bp=5_000)

    with pytest.raises(BudgetMissing):
        sqlite_shelf.publish(version, sqlite_shelf.operator.actor)


@pytest.mark.parametrize(
    ("category", "provider"), [(Category.FINANCIAL, "bank"), (Category.CONSUMPTION, "merchant")]
)
def test_a_partner_needs_its_admission(sqlite_shelf: Shelf, category: Category, provider: str) -> None:
    member: Member = getattr(sqlite_shelf, provider)

    with pytest.raises(AccessMissing):
        sqlite_shelf.published(category, provider=member)


def test_a_paused_partner_publishes_nothing(sqlite_shelf: Shelf) -> None:
    row = sqlite_shelf.finance_access()
    sqlite_shelf.do(access.pause, sqlite_shelf.office.actor, row.id, WHY)

    with pytest.raises(AccessMissing):
        sqlite_shelf.published(Category.FINANCIAL, provider=sqlite_shelf.bank)


def test_the_operator_provides_unregulated_financial_benefits_alone(sqlite_shelf: Shelf) -> None:
    sqlite_shelf.mandated()
    operator, agreement = sqlite_shelf.operator, sqlite_shelf.agreement(sqlite_shelf.bank)
    given: dict[str, Any] = {"provider": operator, "agreement": agreement, "stipulation": 0}

    assert sqlite_shelf.published(Category.FINANCIAL, **given).state is BenefitState.PUBLISHED
    with pytest.raises(RegulatedRefused):
        sqlite_shelf.published(Category.FINANCIAL, regulated=True, **given)


def test_the_operator_provides_nothing_without_its_mandate(sqlite_shelf: Shelf) -> None:
    agreement = sqlite_shelf.agreement(sqlite_shelf.bank)

    with pytest.raises(MandateNotLive):
        sqlite_shelf.published(provider=sqlite_shelf.operator, agreement=agreement, stipulation=0)


def test_a_third_party_comes_in_under_an_admitted_partner(sqlite_shelf: Shelf) -> None:
    shop = sqlite_shelf.world.member("虚构奶茶店", role=Role.THIRD_PARTY, kind=OrganisationKind.THIRD_PARTY)
    agreement = sqlite_shelf.agreement(shop, sqlite_shelf.merchant)
    with pytest.raises(AccessMissing):
        sqlite_shelf.published(provider=shop, agreement=agreement, stipulation=0)

    sqlite_shelf.consumption_access()
    version = sqlite_shelf.published(provider=shop, agreement=agreement, stipulation=0)
    assert version.state is BenefitState.PUBLISHED


@pytest.mark.parametrize("changes", [{"agreement": None}, {"stipulation": None}, {"stipulation": 2}])
def test_a_benefit_stands_on_a_stipulation_of_an_agreement(
    sqlite_shelf: Shelf, changes: dict[str, Any]
) -> None:
    provider = sqlite_shelf.provider_of(Category.FINANCIAL)
    given: dict[str, Any] = {"agreement": sqlite_shelf.agreement(provider), "stipulation": 0, **changes}

    with pytest.raises(AgreementMissing):
        sqlite_shelf.published(Category.FINANCIAL, **given)


def test_an_agreement_of_others_carries_no_benefit(sqlite_shelf: Shelf) -> None:
    sqlite_shelf.provider_of(Category.CONSUMPTION)
    foreign = sqlite_shelf.agreement(sqlite_shelf.bank)

    with pytest.raises(AgreementMissing):
        sqlite_shelf.published(agreement=foreign, stipulation=0)


def test_an_agreement_that_only_begins_tomorrow_carries_no_benefit_today(sqlite_shelf: Shelf) -> None:
    bank = sqlite_shelf.provider_of(Category.FINANCIAL)
    later = sqlite_shelf.agreement(bank, effective_from=sqlite_shelf.today + timedelta(days=1))

    with pytest.raises(AgreementMissing):
        sqlite_shelf.published(Category.FINANCIAL, agreement=later, stipulation=0)


def test_a_version_whose_term_is_over_is_not_published(sqlite_shelf: Shelf) -> None:
    version = in_review(sqlite_shelf, Category.FINANCIAL, ends_on=sqlite_shelf.today)
    sqlite_shelf.world.clock.advance(days=1)

    with pytest.raises(TermOver):
        sqlite_shelf.publish(version, sqlite_shelf.operator.actor)


# Who reviews


def test_whoever_proposed_a_benefit_does_not_publish_it(sqlite_shelf: Shelf) -> None:
    sqlite_shelf.instrument()
    office = sqlite_shelf.office
    version = sqlite_shelf.drafted(Category.GOVERNMENT, provider=office)
    sqlite_shelf.budget(version, office)
    sqlite_shelf.do(service.send_to_review, sqlite_shelf.office_2, version.benefit_id, 1)

    for who in (office.actor, sqlite_shelf.office_2):
        with pytest.raises(OwnBenefit):
            sqlite_shelf.publish(version, who)
    assert sqlite_shelf.publish(version, another(office.actor, 3)).state is BenefitState.PUBLISHED


def test_the_talent_office_does_not_review_a_partners_benefits(sqlite_shelf: Shelf) -> None:
    version = in_review(sqlite_shelf, Category.FINANCIAL)

    with pytest.raises(NotReviewer):
        sqlite_shelf.publish(version, sqlite_shelf.office_2)


def test_the_operator_does_not_review_a_bureaus_benefits(sqlite_shelf: Shelf) -> None:
    version = in_review(sqlite_shelf, Category.GOVERNMENT)

    with pytest.raises(NotReviewer):
        sqlite_shelf.publish(version, sqlite_shelf.operator.actor)


def test_a_partner_reviews_nothing(sqlite_shelf: Shelf) -> None:
    version = in_review(sqlite_shelf, Category.FINANCIAL)

    with pytest.raises(NotPermitted):
        sqlite_shelf.publish(version, another(sqlite_shelf.bank.actor))


def test_a_draft_is_published_by_nobody(sqlite_shelf: Shelf) -> None:
    version = sqlite_shelf.drafted(Category.FINANCIAL)

    with pytest.raises(TransitionRefused):
        sqlite_shelf.publish(version, sqlite_shelf.operator.actor)


def test_a_version_that_was_given_back_is_a_draft_again(sqlite_shelf: Shelf) -> None:
    version = in_review(sqlite_shelf, Category.FINANCIAL)

    back = sqlite_shelf.do(service.give_back, sqlite_shelf.operator.actor, version.benefit_id, 1, WHY)

    assert back.state is BenefitState.DRAFT
    assert sqlite_shelf.send(version, sqlite_shelf.bank).state is BenefitState.REVIEW


def test_each_sees_what_waits_for_his_own_review(sqlite_shelf: Shelf) -> None:
    partners = in_review(sqlite_shelf, Category.FINANCIAL)
    bureaus = in_review(sqlite_shelf, Category.GOVERNMENT)

    assert awaiting(sqlite_shelf, sqlite_shelf.operator.actor) == [partners.benefit_id]
    assert awaiting(sqlite_shelf, sqlite_shelf.office.actor) == [bureaus.benefit_id]


def awaiting(shelf: Shelf, actor: Actor) -> list[str]:
    """The benefits that wait for the actor's review."""
    wanted = Wanted(awaits_review=True)
    found, _next = shelf.act(lambda session, _now: reading.page_of(session, actor, wanted))
    return [each.benefit for each in found]


# Versions and their life


def test_a_version_that_begins_today_replaces_the_former_one_at_once(sqlite_shelf: Shelf) -> None:
    first = sqlite_shelf.published(Category.FINANCIAL)
    second = revised(sqlite_shelf, first)

    assert now_of(sqlite_shelf, first).state is BenefitState.EXPIRED
    assert (second.number, second.state) == (2, BenefitState.PUBLISHED)


def test_a_version_that_begins_later_replaces_the_former_one_on_its_first_day(sqlite_shelf: Shelf) -> None:
    first = sqlite_shelf.published(Category.FINANCIAL)
    second = revised(sqlite_shelf, first, starts_on=sqlite_shelf.today + timedelta(days=1))
    assert now_of(sqlite_shelf, first).state is BenefitState.PUBLISHED

    sqlite_shelf.world.clock.advance(days=1)
    assert turn_day(sqlite_shelf) == 1
    assert turn_day(sqlite_shelf) == 0
    assert now_of(sqlite_shelf, first).state is BenefitState.EXPIRED
    assert now_of(sqlite_shelf, second).state is BenefitState.PUBLISHED


def test_the_day_after_its_last_one_a_version_expires(sqlite_shelf: Shelf) -> None:
    version = sqlite_shelf.published(Category.FINANCIAL, ends_on=sqlite_shelf.today)
    assert turn_day(sqlite_shelf) == 0

    sqlite_shelf.world.clock.advance(days=1)
    assert turn_day(sqlite_shelf) == 1
    assert now_of(sqlite_shelf, version).state is BenefitState.EXPIRED


def test_a_paused_version_goes_on_when_its_reviewer_says_so(sqlite_shelf: Shelf) -> None:
    version, bank = sqlite_shelf.published(Category.FINANCIAL), sqlite_shelf.bank

    assert sqlite_shelf.do(service.pause, bank.actor, version.benefit_id, 1, WHY).state is BenefitState.PAUSED
    with pytest.raises(NotPermitted):
        sqlite_shelf.do(service.resume, bank.actor, version.benefit_id, 1)
    again = sqlite_shelf.do(service.resume, sqlite_shelf.operator.actor, version.benefit_id, 1)
    assert again.state is BenefitState.PUBLISHED


def test_a_paused_version_does_not_go_on_without_what_it_stands_on(sqlite_shelf: Shelf) -> None:
    version, operator = sqlite_shelf.published(Category.CONSUMPTION), sqlite_shelf.operator.actor
    sqlite_shelf.do(service.pause, operator, version.benefit_id, 1, WHY)
    merchant = sqlite_shelf.merchant
    sqlite_shelf.do(access.withdraw, merchant.actor, access_of(sqlite_shelf, merchant))

    with pytest.raises(AccessMissing):
        sqlite_shelf.do(service.resume, operator, version.benefit_id, 1)


def test_a_withdrawn_version_is_over(sqlite_shelf: Shelf) -> None:
    version, bank = sqlite_shelf.published(Category.FINANCIAL), sqlite_shelf.bank
    sqlite_shelf.do(service.withdraw, bank.actor, version.benefit_id, 1, WHY)

    with pytest.raises(TransitionRefused):
        sqlite_shelf.do(service.pause, bank.actor, version.benefit_id, 1, WHY)
    assert now_of(sqlite_shelf, version).ended_at is not None


def test_a_number_is_one_benefit_of_its_provider(shelf: Shelf) -> None:
    shelf.drafted(Category.FINANCIAL, number="XG-1")

    with pytest.raises(BenefitExists):
        shelf.drafted(Category.FINANCIAL, number="XG-1")


def test_while_a_version_is_reviewed_no_other_is_drafted(sqlite_shelf: Shelf) -> None:
    version = in_review(sqlite_shelf, Category.FINANCIAL)
    content = sqlite_shelf.content(Category.FINANCIAL, sqlite_shelf.bank)

    with pytest.raises(VersionUnderway):
        sqlite_shelf.do(service.revise, sqlite_shelf.bank.actor, version.benefit_id, content)


def test_a_draft_is_written_anew(sqlite_shelf: Shelf) -> None:
    version = sqlite_shelf.drafted(Category.FINANCIAL)
    content = sqlite_shelf.content(
        Category.FINANCIAL, sqlite_shelf.bank, title="另一虚构权益", showings=(Showing.CODE,)
    )

    again = sqlite_shelf.do(service.revise, sqlite_shelf.bank.actor, version.benefit_id, content)

    assert (again.id, again.number, again.title, again.showings) == (version.id, 1, "另一虚构权益", "CODE")


def test_the_benefits_of_others_do_not_exist(sqlite_shelf: Shelf) -> None:
    version = sqlite_shelf.drafted(Category.FINANCIAL)

    with pytest.raises(BenefitNotFound):
        sqlite_shelf.do(service.send_to_review, sqlite_shelf.merchant.actor, version.benefit_id, 1)


def test_only_ones_own_open_outlets_are_named(sqlite_shelf: Shelf) -> None:
    world = sqlite_shelf.world
    own, other = Manager(world, sqlite_shelf.bank), Manager(world, sqlite_shelf.merchant)
    mine, foreign, closed = own.open(), other.open(), own.open("已关闭的网点")
    own.close(closed)

    sqlite_shelf.drafted(Category.FINANCIAL, outlets=(mine.id,))
    for outlet in (foreign, closed):
        with pytest.raises(OutletForeign):
            sqlite_shelf.drafted(Category.FINANCIAL, outlets=(outlet.id,))


def revised(shelf: Shelf, first: BenefitVersion, **changes: Any) -> BenefitVersion:
    """The next version of the bank's benefit, published."""
    content = shelf.content(Category.FINANCIAL, shelf.bank, **changes)
    second = shelf.do(service.revise, shelf.bank.actor, first.benefit_id, content)
    return shelf.publish(shelf.send(second, shelf.bank), shelf.operator.actor)


def turn_day(shelf: Shelf) -> int:
    day = shelf.today
    return shelf.act(lambda session, now: service.apply_day(session, day, now))


def access_of(shelf: Shelf, member: Member) -> str:
    """The id of its one admission."""
    (found,) = shelf.act(lambda session, _now: access.listed(session, member.actor))
    return found[0].id
