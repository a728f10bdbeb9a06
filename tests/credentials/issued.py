"""What pages of cards are to show, entered once for a whole run."""

from talentseal.accounts.roles import Actor
from talentseal.credentials import card_reading
from tests.credentials.card_hands import Holder, Issuer
from tests.talents.conftest import People
from tests.world import Member


def issued(crowd: People, bank: Actor, holder: Actor) -> dict[str, str]:
    """Names that addresses are filled with.

    card: one that the holder has in use. made: one of somebody else that is to be delivered.
    """
    issuer, talent = Issuer(crowd, member=Member(bank, None, "")), Holder(crowd, holder)
    now = crowd.world.clock.now()
    known = crowd.world.database.read(
        lambda session: card_reading.own_cards(session, holder, crowd.vault, now=now)
    )
    card = known[0].id if known else talent.active(issuer).id
    another = issuer.approve(issuer.take_up(Holder(crowd).ask(issuer)[0]))
    return {"card": card, "made": issuer.personalise(another).id}
