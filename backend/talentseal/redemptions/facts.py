"""What is known when somebody wants to use a benefit: read in two queries, whatever it is.

The queries are constants, made once: a redemption asks them all day at every counter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Date,
    Row,
    ScalarSelect,
    Select,
    String,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from talentseal.accounts.models import Organisation, OrganisationKind
from talentseal.accounts.roles import Actor
from talentseal.agreements.models import AgreementTermination, AgreementVersion
from talentseal.benefits import periods
from talentseal.benefits.models import (
    Benefit,
    BenefitOutlet,
    BenefitState,
    BenefitTier,
    BenefitVersion,
    Budget,
    Category,
    ExclusionUse,
    QuotaPeriod,
    QuotaUse,
    Showing,
)
from talentseal.clock import legal_date
from talentseal.credentials.card_models import TalentCard
from talentseal.credentials.card_states import CardState
from talentseal.credentials.models import Channel, Presentation
from talentseal.credentials.presenting import Shown
from talentseal.credentials.tc1 import OnlineToken
from talentseal.db import Ahead, Base, Instant, only_row, rows
from talentseal.evidence.models import ActState, RegistryAct
from talentseal.partners.access_models import AccessState, ModuleAccess
from talentseal.partners.counter import Counter
from talentseal.partners.models import Outlet, Terminal
from talentseal.partners.modules import Module
from talentseal.policy import reading
from talentseal.policy.effects import Deed
from talentseal.policy.models import InstrumentBasis, InstrumentVersion
from talentseal.policy.reading import Basis
from talentseal.policy.tiers import Tier
from talentseal.sanctions import restrictions
from talentseal.talents import consents
from talentseal.talents.consents import ASKED_FOR
from talentseal.talents.models import CodeState, TalentCode
from talentseal.talents.privacy_models import ConsentScope

_DEEDS: Final[Mapping[Category, Deed]] = MappingProxyType(
    {
        Category.GOVERNMENT: Deed.GOVERNMENT_REDEMPTION,
        Category.FINANCIAL: Deed.FINANCIAL_REDEMPTION,
        Category.CONSUMPTION: Deed.CONSUMPTION_REDEMPTION,
    }
)
_LIVE: Final = frozenset({BenefitState.PUBLISHED, BenefitState.EXHAUSTED})
"""States in which a version can be used: whether its budget is used up, the budget says."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who wants it: a holder, how he showed himself, and how his code stands now.

    showing, channel: None for the holder himself, signed in. static: what was shown can all be copied.
    offline: the token was minted to be shown without a network, good for what is of low risk alone. token:
    digest of the one that was burnt.
    """

    talent: str
    code: str
    tier: Tier
    state: CodeState
    presentation: str | None = None
    channel: Channel | None = None
    showing: Showing | None = None
    static: bool = False
    offline: bool = False
    card_frozen: bool = False
    token: bytes | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where: whose counter, and which outlet; None for the holder's own page."""

    organisation: str
    outlet: str | None


@dataclass(frozen=True, slots=True)
class Offer:
    """The version of the benefit that counts on that day, and everything about it that decides.

    quota: None without limit. tier_listed: whether the tier stands in the matrix. budget: None for none
    that day; budgeted: whether the benefit has budgets at all.
    """

    row: Row[Any]
    day: date
    period: str

    @property
    def version(self) -> str:
        return str(self.row.id)

    @property
    def category(self) -> Category:
        return Category(self.row.category)

    @property
    def is_published(self) -> bool:
        row = self.row
        return row.state in _LIVE and row.starts_on <= self.day <= row.ends_on and not row.shut_out

    @property
    def used(self) -> int:
        return int(self.row.used or 0)

    @property
    def remaining(self) -> int | None:
        """Units left in the period; None without limit. Beyond a lower tier's quota: none, no claw-back."""
        return None if self.row.quota is None else max(0, self.row.quota - self.used)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the checks look at. offer: None when there is no such benefit."""

    bearer: Bearer
    place: Place
    offer: Offer | None
    basis: Basis | None


def bearer_of(session: Session, counter: Counter, presentation: str, *, now: datetime) -> Bearer | None:
    """Whom a presentation established at this outlet not long ago; None when it holds no more.

    The code is held until the commit: a suspension and a redemption follow one another.
    """
    row = only_row(
        session,
        _BEARER,
        presentation=presentation,
        organisation=counter.organisation,
        outlet=counter.outlet,
        now=now,
    )
    if row is None:
        return None
    static = bool(row.second_factor_required)
    return Bearer(
        talent=row.talent_id,
        code=row.code_id,
        tier=row.tier,
        state=row.state,
        presentation=presentation,
        channel=row.channel,
        showing=_showing(row.channel, static=static),
        static=static,
        offline=row.offline,
        card_frozen=row.card_state is not None and row.card_state is not CardState.ACTIVE,
        token=row.token_digest,
    )


def just_shown(met: Shown) -> Bearer | None:
    """Who was established in this transaction, as he was when he showed himself; None when it was before."""
    shown = met.bearer
    if shown is None:
        return None
    return Bearer(
        talent=shown.talent,
        code=shown.code,
        tier=shown.tier,
        # Nobody else is established, and the code is held since.
        state=CodeState.ACTIVE,
        presentation=met.answer.presentation,
        channel=shown.channel,
        showing=_showing(shown.channel, static=shown.second_factor_required),
        static=shown.second_factor_required,
        offline=shown.offline,
        token=shown.burns,
    )


def _showing(channel: Channel, *, static: bool) -> Showing:
    if channel is not Channel.SWIPE:
        return Showing.CODE
    return Showing.STATIC_CARD if static else Showing.CARD


def facts_of(
    session: Session,
    bearer: Bearer,
    place: Place,
    benefit: str,
    *,
    now: datetime,
    asked: Ahead | None = None,
) -> Facts:
    """What is known of that benefit for that person there. asked: the same by his token, with which the write
    may have begun.
    """
    asked = asked or Ahead(_OFFER, {"benefit": benefit, **_about(bearer, place, now)})
    return next(iter(_known(session, asked, bearer, place)), Facts(bearer, place, None, None))


def ahead(actor: Actor, token: OnlineToken, benefit: str, *, now: datetime) -> Ahead:
    """What `facts_of` asks about whoever shows a genuine token at the device that calls."""
    return Ahead(
        _OFFER_BY_TOKEN,
        {
            "benefit": benefit,
            "code_ref": token.code_ref,
            "terminal": actor.account_id,
            "organisation": actor.organisation_id,
            **_when(now),
        },
    )


def offers_here(session: Session, bearer: Bearer, place: Place, *, now: datetime) -> list[Facts]:
    """What is known of every benefit that this outlet gives."""
    return _known(session, Ahead(_HERE, _about(bearer, place, now)), bearer, place)


def offers_anywhere(session: Session, bearer: Bearer, *, now: datetime) -> list[Facts]:
    """What is known of every published benefit, wherever it is given."""
    place = Place("", None)
    return _known(session, Ahead(_ANYWHERE, _about(bearer, place, now)), bearer, place)


def _known(session: Session, asked: Ahead, bearer: Bearer, place: Place) -> list[Facts]:
    day = asked.values["day"]
    found = rows(session, asked.statement, **asked.values)
    return [Facts(bearer, place, _offer(row, day), _basis(row)) for row in found]


def _basis(row: Row[Any]) -> Basis | None:
    if row.basis_version is None:
        return None
    return Basis(row.basis_version, row.basis_instrument, row.basis_number, row.basis_article)


def _offer(row: Row[Any], day: date) -> Offer:
    return Offer(row, day, periods.key_of(row.quota_period, day, row.number))


def _about(bearer: Bearer, place: Place, now: datetime) -> dict[str, Any]:
    return {
        "tier": bearer.tier,
        "talent": bearer.talent,
        "code": bearer.code,
        "organisation": place.organisation,
        "outlet": place.outlet,
        **_when(now),
    }


def _when(now: datetime) -> dict[str, Any]:
    day = legal_date(now)
    return {"now": now, "day": day, **_periods(day)}


@lru_cache(maxsize=8)
def _periods(day: date) -> Mapping[str, str]:
    """The keys of the calendar's periods, by the names of their parameters."""
    return {_key(each): periods.key_of(each, day, 0) for each in _CALENDAR}


_CALENDAR: Final = tuple(each for each in QuotaPeriod if each is not QuotaPeriod.TERM)


def _key(period: QuotaPeriod) -> str:
    return f"in_{period.value.lower()}"


_BEARER: Final = (
    select(
        Presentation.code_id,
        Presentation.channel,
        Presentation.second_factor_required,
        Presentation.token_digest,
        Presentation.offline,
        TalentCode.talent_id,
        TalentCode.tier,
        TalentCode.state,
        TalentCard.state.label("card_state"),
    )
    .join(TalentCode, TalentCode.id == Presentation.code_id)
    .outerjoin(TalentCard, TalentCard.id == Presentation.card_id)
    .where(
        Presentation.id == bindparam("presentation"),
        Presentation.organisation_id == bindparam("organisation"),
        Presentation.outlet_id == bindparam("outlet"),
        Presentation.expires_at > bindparam("now", type_=Instant()),
    )
    .with_for_update(read=True, of=TalentCode)
)


@dataclass(frozen=True, slots=True)
class _Asker:
    """Where a query finds who wants it, and whose counter it is: parameters, or columns of what is `joined`
    on a condition.
    """

    talent: Any
    code: Any
    tier: Any
    outlet: Any
    organisation: Any
    joined: tuple[tuple[type[Base], ColumnElement[bool]], ...] = ()


_ADMITTED: Final = ModuleAccess.state == AccessState.ADMITTED
_DAY: Final = bindparam("day", type_=Date())
_NOW: Final = bindparam("now", type_=Instant())


def _period() -> ColumnElement[str]:
    """The key under which the version counts on that day."""
    term = literal("V").concat(BenefitVersion.number)
    whens: Any = [(BenefitVersion.quota_period == each, bindparam(_key(each))) for each in _CALENDAR]
    return case(*whens, else_=term)


def _agreement() -> ScalarSelect[str]:
    """The agreement's version in force that day: the newest signed by all and begun.

    Whether it is final on the chain was asked when the benefit was published. A chain that is away or was
    reset stops no redemption, so it is not asked again; of two that could be in force, the final one counts.
    """
    ended = exists().where(
        AgreementTermination.version_id == AgreementVersion.id,
        AgreementTermination.signed_at.is_not(None),
        AgreementTermination.effective_at <= _NOW,
    )
    return (
        select(AgreementVersion.id)
        .join(RegistryAct, RegistryAct.digest == AgreementVersion.digest)
        .where(
            AgreementVersion.agreement_id == BenefitVersion.agreement_id,
            AgreementVersion.signed_at.is_not(None),
            AgreementVersion.returned_at.is_(None),
            RegistryAct.state != ActState.REFUSED,
            AgreementVersion.effective_from <= _DAY,
            AgreementVersion.valid_through >= _DAY,
            ~ended,
        )
        .order_by((RegistryAct.state == ActState.FINAL).desc(), AgreementVersion.version.desc())
        .limit(1)
        .correlate(BenefitVersion)
        .scalar_subquery()
    )


def _covered(outlet: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the outlet is one of those listed; without a list, whether it is the provider's."""
    listed = exists().where(BenefitOutlet.version_id == BenefitVersion.id)
    this = exists().where(BenefitOutlet.version_id == BenefitVersion.id, BenefitOutlet.outlet_id == outlet)
    own = exists().where(Outlet.id == outlet, Outlet.organisation_id == Benefit.organisation_id)
    return or_(this, and_(~listed, own))


def _consented(asker: _Asker) -> ColumnElement[bool]:
    """Whether the holder consents to the organisation's serving him, or it needs no consent."""
    needless = [Organisation.kind == kind for kind in OrganisationKind if kind not in ASKED_FOR]
    return or_(*needless, consents.holds(asker.talent, asker.organisation, ConsentScope.SERVICE))


def _shut_out() -> ColumnElement[bool]:
    """Whether the provider pauses in the benefit's module or has left it (Article 18)."""
    module = case((Benefit.category == Category.FINANCIAL, Module.FINANCE), else_=Module.CONSUMPTION)
    its = and_(ModuleAccess.organisation_id == Benefit.organisation_id, ModuleAccess.module == module)
    state = ModuleAccess.state
    gone = exists().where(its, or_(state == AccessState.PAUSED, state == AccessState.WITHDRAWN))
    return and_(Benefit.category != Category.GOVERNMENT, gone, ~exists().where(its, _ADMITTED))


_DECIDING: Final = (
    "id",
    "benefit_id",
    "number",
    "state",
    "title",
    "starts_on",
    "ends_on",
    "showings",
    "quota_period",
    "value_fen",
    "value_limit_fen",
    "subsidy_bp",
    "low_risk",
    "proactive",
    "exclusion_group",
    "agreement_id",
    "stipulation_position",
    "reversal_minutes",
)
"""What of a version decides, or is told of a redemption."""


def _offers(asker: _Asker) -> Select[Any]:
    """Versions that have begun, with everything that decides."""
    version, any_day = BenefitVersion, aliased(Budget)
    found = (
        select(
            *(getattr(version, name) for name in _DECIDING),
            Benefit.category,
            Organisation.name.label("partner"),
            BenefitTier.version_id.is_not(None).label("tier_listed"),
            BenefitTier.quota,
            QuotaUse.used,
            ExclusionUse.benefit_id.label("excluded_by"),
            Budget.id.label("budget"),
            Budget.limit_units,
            Budget.used_units,
            Budget.limit_fen,
            Budget.used_fen,
            exists().where(any_day.benefit_id == version.benefit_id).label("budgeted"),
            AgreementVersion.id.label("agreement"),
            AgreementVersion.survives_instrument,
            AgreementVersion.record_id.label("agreement_record"),
            _covered(asker.outlet).label("covered"),
            _consented(asker).label("consented"),
            restrictions.rests(
                asker.code,
                partner=asker.organisation,
                category=Benefit.category,
                benefit=Benefit.id,
                now=_NOW,
            ).label("rests"),
            _shut_out().label("shut_out"),
        )
        .join(Benefit, Benefit.id == version.benefit_id)
        .join(Organisation, Organisation.id == asker.organisation)
    )
    for table, condition in asker.joined:
        found = found.join(table, condition)
    return _based(
        _counted(found, asker)
        .outerjoin(AgreementVersion, AgreementVersion.id == _agreement())
        .where(_has_begun(version))
    )


def _counted(offers: Select[Any], asker: _Asker) -> Select[Any]:
    """The same with the tier's line in the matrix, what is used of quota and exclusion group, and the day's
    budget, where there are such.
    """
    version, period = BenefitVersion, _period()
    matrix = and_(
        BenefitTier.version_id == version.id,
        BenefitTier.tier == asker.tier,
        BenefitTier.starts_on <= _DAY,
        BenefitTier.ends_on >= _DAY,
    )
    quota = and_(
        QuotaUse.talent_id == asker.talent,
        QuotaUse.benefit_id == version.benefit_id,
        QuotaUse.period == period,
    )
    exclusion = and_(
        ExclusionUse.talent_id == asker.talent,
        ExclusionUse.exclusion_group == version.exclusion_group,
        ExclusionUse.period == period,
        ExclusionUse.used > 0,
    )
    budget = and_(Budget.benefit_id == version.benefit_id, Budget.starts_on <= _DAY, Budget.ends_on >= _DAY)
    return (
        offers.outerjoin(BenefitTier, matrix)
        .outerjoin(QuotaUse, quota)
        .outerjoin(ExclusionUse, exclusion)
        .outerjoin(Budget, budget)
    )


def _based(offers: Select[Any]) -> Select[Any]:
    """The same with the article of a measure in force that each benefit stands on, where there is one."""
    deeds: Any = [(Benefit.category == category, literal(deed)) for category, deed in _DEEDS.items()]
    deed = case(*deeds)
    article = and_(InstrumentBasis.version_id == InstrumentVersion.id, InstrumentBasis.deed == deed)
    return (
        offers.add_columns(
            InstrumentVersion.id.label("basis_version"),
            InstrumentVersion.instrument.label("basis_instrument"),
            InstrumentVersion.number.label("basis_number"),
            InstrumentBasis.article.label("basis_article"),
        )
        .outerjoin(InstrumentVersion, InstrumentVersion.id == reading.providing_version(deed))
        .outerjoin(InstrumentBasis, article)
    )


def _has_begun(version: Any) -> ColumnElement[bool]:
    # Not by IN, which would be written anew for each query.
    state = version.state
    return and_(state != BenefitState.DRAFT, state != BenefitState.REVIEW, version.starts_on <= _DAY)


_OUTLET: Final = bindparam("outlet", type_=String())
_AT_COUNTER: Final = _Asker(
    bindparam("talent", type_=String()),
    bindparam("code", type_=String()),
    bindparam("tier", type_=BenefitTier.tier.type),
    _OUTLET,
    bindparam("organisation", type_=String()),
)
_BY_TOKEN: Final = replace(
    _AT_COUNTER,
    talent=TalentCode.talent_id,
    code=TalentCode.id,
    tier=TalentCode.tier,
    outlet=Terminal.outlet_id,
    joined=(
        (TalentCode, TalentCode.code_ref == bindparam("code_ref")),
        (Terminal, Terminal.account_id == bindparam("terminal")),
    ),
)


def _of_benefit(offers: Select[Any]) -> Select[Any]:
    """Of that benefit the newest version that has begun."""
    asked = offers.where(BenefitVersion.benefit_id == bindparam("benefit"))
    return asked.order_by(BenefitVersion.number.desc()).limit(1)


_OFFER: Final = _of_benefit(_offers(_AT_COUNTER))
_OFFER_BY_TOKEN: Final = _of_benefit(_offers(_BY_TOKEN))


def _published(offers: Select[Any]) -> Select[Any]:
    """Of each benefit the newest version that has begun, as long as it is published."""
    other = aliased(BenefitVersion)
    newest = (
        select(func.max(other.number))
        .where(other.benefit_id == BenefitVersion.benefit_id, _has_begun(other))
        .correlate(BenefitVersion)
        .scalar_subquery()
    )
    return offers.where(
        BenefitVersion.number == newest,
        BenefitVersion.state.in_(list(_LIVE)),
        BenefitVersion.ends_on >= _DAY,
    ).order_by(Benefit.category, BenefitVersion.title, BenefitVersion.id)


_HERE: Final = _published(_offers(_AT_COUNTER).where(_covered(_OUTLET))).add_columns(BenefitVersion.text)
_ANYWHERE: Final = _published(
    _offers(replace(_AT_COUNTER, organisation=Benefit.__table__.c.organisation_id))
).add_columns(BenefitVersion.text)


def gives_a_benefit(organisation: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Whether that organisation has a benefit that talents can use today, in a query of its own: published,
    the budget not used up, not shut out of its module, under an agreement in force. Binds `day` and `now`.
    """
    found = select(BenefitVersion.id).join(Benefit, Benefit.id == BenefitVersion.benefit_id)
    return (
        _published(found)
        .where(
            Benefit.organisation_id == organisation,
            BenefitVersion.state == BenefitState.PUBLISHED,
            _agreement().is_not(None),
            ~_shut_out(),
        )
        .order_by(None)
        .correlate(Organisation)
        .exists()
    )
