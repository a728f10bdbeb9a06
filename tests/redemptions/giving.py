"""A terminal that several processes can act at together; in a module that they can load by its name."""

from dataclasses import dataclass
from datetime import datetime

from talentseal.db import Database
from talentseal.redemptions import service
from talentseal.redemptions.schemas import Order
from talentseal.redemptions.service import NotRedeemed, Visit, until_decided
from tests.credentials.burning import Post


@dataclass(frozen=True, slots=True)
class Giver(Post):
    """A terminal that uses a benefit for whoever was presented."""

    benefit: str = ""

    def act(self, database: Database, shown: str, now: datetime) -> str | None:
        visit, order = Visit(self.credentials, self.place, shown), Order(benefit=self.benefit)
        met = until_decided(
            lambda: database.write(lambda session: service.redeem(session, self.actor, visit, order, now=now))
        )
        return met.refusal if isinstance(met, NotRedeemed) else None
