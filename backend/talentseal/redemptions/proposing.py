"""免申即享: what is proposed to a holder who is eligible now; he takes it by a click, or does not want it.

To take it is a redemption as any other, with the same checks, counts and evidence: only nobody served him and
nothing was shown. What he declines is not proposed again in that quota period, and can be had all the same.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor
from talentseal.benefits.models import Benefit
from talentseal.credentials.presenting import Credentials
from talentseal.db import connection_of, is_sqlite, table_of
from talentseal.errors import Conflict, NotFound
from talentseal.redemptions import facts, service
from talentseal.redemptions.facts import Bearer, Facts, Offer
from talentseal.redemptions.models import DeclinedProposal
from talentseal.redemptions.refusals import Refusal
from talentseal.redemptions.service import Redeemed
from talentseal.talents import codes, people


class NotProposed(NotFound):
    code = "benefit-not-proposed"
    zh = "没有这项可直接领取的权益。请在“我的权益”中查看现有权益。"
    en = "There is no such benefit to be taken here; see the present ones under “my benefits”."


class ProposalRefused(Conflict):
    """refusal: the check that failed, whose article and remedy the page shows beside the benefit."""

    code = "proposal-refused"
    zh = "现在不能领取，依据和办法见“我的权益”中该项的说明。"
    en = "It cannot be taken now; what that stands on and what helps is said beside it under “my benefits”."

    def __init__(self, refusal: Refusal) -> None:
        super().__init__()
        self.refusal = refusal


def confirm(
    session: Session, actor: Actor, credentials: Credentials, benefit: str, *, now: datetime
) -> Redeemed:
    """Take one unit of a proposed benefit. Only within a write.

    Raises NotPermitted, CodeNotFound, NotProposed, ProposalRefused; Outrun when it has to be done anew.
    """
    known, _offer = _known(session, actor, benefit, now)
    met = service.take(session, credentials, known, now=now)
    if isinstance(met, Refusal):
        raise ProposalRefused(met)
    return met


def decline(session: Session, actor: Actor, benefit: str, *, now: datetime) -> str:
    """Propose it no more in this quota period, whose key is answered. Repeating it changes nothing.

    Raises NotPermitted, CodeNotFound, NotProposed.
    """
    known, offer = _known(session, actor, benefit, now)
    row = {
        "talent_id": known.bearer.talent,
        "benefit_id": benefit,
        "period": offer.period,
        "declined_at": now,
    }
    insert = insert_sqlite if is_sqlite(session) else insert_postgresql
    connection_of(session).execute(insert(table_of(DeclinedProposal)).on_conflict_do_nothing(), row)
    return offer.period


def declined(session: Session, talent: str) -> frozenset[tuple[str, str]]:
    """(benefit, period) of everything that a holder did not want."""
    query = select(DeclinedProposal.benefit_id, DeclinedProposal.period)
    found = session.execute(query.where(DeclinedProposal.talent_id == talent))
    return frozenset((row.benefit_id, row.period) for row in found)


def _known(session: Session, actor: Actor, benefit: str, now: datetime) -> tuple[Facts, Offer]:
    """What is known of it for the holder, whose code is held: a suspension and this follow one another."""
    talent = people.of_account(session, actor)
    code = codes.live_of(session, talent.id, lock=True)
    provider = session.scalar(select(Benefit.organisation_id).where(Benefit.id == benefit))
    bearer = Bearer(talent.id, code.id, code.tier, code.state)
    known = facts.facts_of(session, bearer, facts.Place(provider or "", None), benefit, now=now)
    if known.offer is None or not known.offer.row.proactive:
        raise NotProposed
    return known, known.offer
