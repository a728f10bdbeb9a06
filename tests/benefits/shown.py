"""What pages of benefits and of what they stand on are to show, entered once for a whole run."""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from talentseal.accounts import credit_code
from talentseal.accounts import service as accounts
from talentseal.accounts.models import OrganisationKind
from talentseal.accounts.roles import PERMISSIONS, Actor, Role
from talentseal.accounts.schemas import AddOrganisation
from talentseal.benefits import budgeting, service
from talentseal.benefits.models import Category
from talentseal.benefits.schemas import BudgetInput, DraftBenefit, TierLine, VersionInput
from talentseal.clock import legal_date
from talentseal.partners import access
from talentseal.partners.access_schemas import ApplyForFinance
from talentseal.policy import measures
from talentseal.policy.measure_schemas import DraftMeasure
from talentseal.policy.tiers import Tier
from tests.talents.conftest import People

OFFICE = Actor("office-of-benefits", "0x" + "2" * 64, Role.TALENT_OFFICE, PERMISSIONS[Role.TALENT_OFFICE])


def shown(crowd: People, bank: Actor) -> dict[str, str]:
    """Names that addresses are filled with.

    benefit: a draft of the bank's with a budget. admission: its own. measure: a draft.
    """
    now = crowd.world.clock.now()
    today = legal_date(now)
    term: dict[str, Any] = {"starts_on": today, "ends_on": today + timedelta(days=90)}

    def write(session: Session) -> dict[str, str]:
        content = VersionInput(
            title="虚构理财讲座", text="凭人才码入场。", tiers=(TierLine(tier=Tier.YOUTH, quota=1),), **term
        )
        command = DraftBenefit(number="XG-SHOWN", category=Category.FINANCIAL, version=content)
        benefit = service.draft(session, bank, command, now=now).benefit_id
        budgeting.set_budget(session, bank, benefit, BudgetInput(limit_units=100, **term), now=now)
        return {
            "benefit": benefit,
            "admission": _admission(session, bank, crowd),
            "measure": _measure(session, crowd),
        }

    return crowd.world.database.write(write)


def _admission(session: Session, bank: Actor, crowd: People) -> str:
    known = access.listed(session, bank)
    if known:
        return known[0][0].id
    command = ApplyForFinance(
        organisation=bank.organisation_id, licence_type="金融许可证", licence_number="虚构B0001"
    )
    return access.apply(session, bank, command, now=crowd.world.clock.now()).id


def _measure(session: Session, crowd: People) -> str:
    now, body = crowd.world.clock.now(), "91410100MA9999999"
    added = AddOrganisation(
        name="虚构科技局（展示）",
        credit_code=body + credit_code.check_character(body),
        kind=OrganisationKind.GOVERNMENT,
    )
    bureau = accounts.add_organisation(session, Actor.console(), added, now=now)
    command = DraftMeasure(
        organisation=bureau.id, title="虚构措施", text="虚构内容。", effective_from=legal_date(now)
    )
    return measures.draft(session, OFFICE, command, now=now).id
