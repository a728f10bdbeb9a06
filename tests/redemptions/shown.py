"""What pages of redemptions are to show: a benefit of the bank, used once by the invented holder."""

from datetime import timedelta

from sqlalchemy.orm import Session

from talentseal.accounts.roles import PERMISSIONS, Actor, Role
from talentseal.benefits import service as catalogue
from talentseal.benefits.models import Category
from talentseal.benefits.schemas import DraftBenefit, TierLine, VersionInput
from talentseal.clock import legal_date
from talentseal.credentials import presenting
from talentseal.credentials.master_keys import MasterKeys
from talentseal.credentials.presenting import Credentials, Established, Sent
from talentseal.partners.counter import AtBrowser
from talentseal.policy.tiers import Tier
from talentseal.redemptions import service
from talentseal.redemptions.schemas import Order
from talentseal.redemptions.service import Redeemed, Visit
from talentseal.talents import consents
from talentseal.talents.privacy_models import ConsentScope
from talentseal.talents.privacy_schemas import GiveConsent
from tests.credentials.counters import Phone
from tests.talents.conftest import People

OPERATOR = Actor("operator-of-benefits", "0x" + "3" * 64, Role.OPERATOR, PERMISSIONS[Role.OPERATOR])
TITLE = "虚构茶歇券"


def given(
    crowd: People, bank: Actor, outlet: str, holder: Actor, keys: MasterKeys, *, agreement: str
) -> dict[str, str]:
    """Names that addresses are filled with: `presentation` of the holder there, and his `redemption`."""
    credentials = Credentials(keys, crowd.vault)
    offered = published(crowd, bank, agreement)
    presentation = established(crowd, bank, outlet, holder, credentials)
    visit, now = Visit(credentials, AtBrowser(outlet), presentation), crowd.world.clock.now()
    order = Order(benefit=offered, value_fen=1_800)
    met = crowd.world.database.write(lambda session: service.redeem(session, bank, visit, order, now=now))
    assert isinstance(met, Redeemed), met
    return {"presentation": presentation, "redemption": met.row.id, "offered": offered}


def published(crowd: People, bank: Actor, agreement: str) -> str:
    """The id of a published benefit of the bank's under that agreement."""
    now, benefit = crowd.world.clock.now(), drafted(crowd, bank, agreement)

    def write(session: Session) -> str:
        catalogue.send_to_review(session, bank, benefit, 1, now=now)
        return catalogue.publish(session, OPERATOR, benefit, 1, now=now).benefit_id

    return crowd.world.database.write(write)


def drafted(crowd: People, bank: Actor, agreement: str) -> str:
    """The id of a draft of the bank's under that agreement."""
    now = crowd.world.clock.now()

    def write(session: Session) -> str:
        content = VersionInput(
            title=TITLE,
            text="凭人才码领取一份茶歇（虚构）。",
            starts_on=legal_date(now),
            ends_on=legal_date(now) + timedelta(days=90),
            tiers=tuple(TierLine(tier=tier, quota=20) for tier in Tier),
            agreement=agreement,
            stipulation=0,
        )
        command = DraftBenefit(
            number=f"XG-GIVEN-{agreement[2:8]}", category=Category.FINANCIAL, version=content
        )
        return catalogue.draft(session, bank, command, now=now).benefit_id

    return crowd.world.database.write(write)


def established(crowd: People, bank: Actor, outlet: str, holder: Actor, credentials: Credentials) -> str:
    """The id of a presentation of the holder, who consents to being served by the bank."""
    now, world = crowd.world.clock.now(), crowd.world
    consent = GiveConsent(
        organisation=bank.organisation_id, scope=ConsentScope.SERVICE, notice_version=consents.NOTICE_VERSION
    )
    phone = Phone(world, holder, keys=credentials.keys).sign_in()
    phone.bind()
    sent = Sent(phone.mint().text, "")

    def write(session: Session) -> str:
        consents.give(session, holder, consent, now=now)
        met = presenting.present(session, bank, credentials, AtBrowser(outlet), sent, now=now)
        assert isinstance(met, Established), met
        return met.presentation

    return world.database.write(write)
