"""Where the pages of cards are served: a talent's desk with the words of cards."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from talentseal.accounts.access import Db, Now, WebActor
from talentseal.credentials.cards import CardNotFound
from talentseal.credentials.master_keys import MasterKeys
from talentseal.credentials.presenting import Credentials
from talentseal.errors import TalentSealError
from talentseal.talents.desk import Desk
from talentseal.web.forms import named, said
from talentseal.web.pages import Pages

_IDENTIFIER_LENGTH = 32


@dataclass(frozen=True, slots=True)
class CardDesk(Desk):
    """One request of somebody who holds or issues cards."""

    def said(self, refusal: TalentSealError) -> str:
        """The refusal in the person's language, states by their names."""
        site: Pages = self.request.app.state.pages
        words: Any = site.words(self.request, "cards/words.html")
        met = {str(each) for each in refusal.params.values()}
        return named(
            said(refusal, self.request),
            {name: words.STANDINGS[name] for name in met & words.STANDINGS.keys()},
        )

    @property
    def keys(self) -> MasterKeys:
        """What printed codes are made with."""
        credentials: Credentials = self.request.app.state.credentials
        return credentials.keys


async def _desk(request: Request, database: Db, actor: WebActor, now: Now) -> CardDesk:
    return CardDesk(request, database, request.app.state.vault, actor, now)


async def _card(card: str) -> str:
    if len(card) != _IDENTIFIER_LENGTH or not set(card) <= set("0123456789abcdef"):
        raise CardNotFound
    return card


AtCardDesk = Annotated[CardDesk, Depends(_desk)]
CardId = Annotated[str, Depends(_card)]
