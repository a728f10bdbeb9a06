"""Commands and read models of talent cards: the holder's, the issuer's and the terminal's."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from talentseal.accounts.schemas import Command, Name, OrganisationId, clean_text
from talentseal.credentials.card_models import CardForm, CardProof, DeclineCategory, DeliveryWay
from talentseal.credentials.card_states import CardStanding, CardState
from talentseal.credentials.profiles import LONGEST
from talentseal.credentials.references import holds_bank_card_number
from talentseal.partners.schemas import Identifier
from talentseal.policy.tiers import Tier

MOST_ISSUERS: Final = 20


def _no_account_number(text: str) -> str:
    if holds_bank_card_number(text):
        raise PydanticCustomError(
            "reference_is_card_number",
            "this looks like a bank card number, which is never kept",
        )
    return text


Sentence = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(clean_text)]
Reference = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,63}$", strip_whitespace=True),
    AfterValidator(_no_account_number),
    Field(description="Up to 64 letters, digits and . _ / -; no account number"),
]
Presentable = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST), Field(description="As scanned or typed")
]


class SetOffer(Command):
    """Say what card one's organisation offers."""

    name: Name
    description: Sentence
    form: Literal[CardForm.PHYSICAL] = CardForm.PHYSICAL
    proof: CardProof
    is_open: bool = Field(description="Whether talents may ask for one now")


class OfferView(BaseModel):
    """A card that an organisation offers. issuer: the organisation's id."""

    issuer: str
    issuer_name: str
    name: str
    description: str
    form: CardForm
    proof: CardProof
    is_open: bool


class OwnOffer(BaseModel):
    """What my organisation offers; null before it said so."""

    offer: OfferView | None


class RequestCards(Command):
    """Ask issuers for a card each.

    agreed: that each of them sees the holder's name and telephone until his card is delivered; the separate
    consent to that issuer, without which nothing is asked.
    """

    issuers: Annotated[tuple[OrganisationId, ...], Field(min_length=1, max_length=MOST_ISSUERS)]
    agreed: Literal[True]

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        if len(set(self.issuers)) < len(self.issuers):
            raise PydanticCustomError("issuer_twice", "each issuer is asked once; leave the second out")
        return self


class ReplaceCard(Command):
    """Ask the issuer of a card for another in its place. agreed: as for a first card."""

    agreed: Literal[True]


class ActivateCard(Command):
    """Take a card into use that has arrived. last_digits: the last four of the number on it."""

    last_digits: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$", strip_whitespace=True)]


class DeclineCard(Command):
    """Give no card. reason: for the holder."""

    category: DeclineCategory
    reason: Sentence


class PersonaliseCard(Command):
    """Give a card its number and its last day. reference: the issuer's own, for its records."""

    valid_through: date
    reference: Reference | None = None


class DeliverCard(Command):
    """Say how the card gets to its holder. outlet: one's own, open. mail_reference: without any address."""

    way: DeliveryWay
    outlet: Identifier | None = None
    mail_reference: Reference | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        at_outlet = self.way is DeliveryWay.AT_OUTLET
        if (self.outlet is not None) is not at_outlet or (self.mail_reference is not None) is at_outlet:
            raise PydanticCustomError(
                "delivery_incomplete", "AT_OUTLET needs an outlet alone, BY_MAIL a mail reference alone"
            )
        return self


class PutChallenge(Command):
    """Ask a chip card to prove itself. presented: its number or its printed code. staff: who serves."""

    presented: Presentable
    staff: Identifier


class AnswerChallenge(Command):
    """What the chip answered. response: 16 bytes in hex."""

    response: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    staff: Identifier


class CardReceipt(BaseModel):
    """Answer to an unsafe request about one card: its id and how it stands."""

    id: str
    standing: CardStanding


class CardReceipts(BaseModel):
    """Answer to a request for cards, one for each issuer in the order in which they were named."""

    items: list[CardReceipt]


class OfferReceipt(BaseModel):
    """Answer to the setting of an offer. number: the issuer's own, on each of its cards."""

    number: int


class StepView(BaseModel):
    """One step of a card."""

    state: CardState
    at: datetime


class CardView(BaseModel):
    """A card as its holder sees it.

    number: in groups of four; None until he has activated it. reissue_by: last day on which the mark of the
    former tier is borne with. category, reason: the issuer's, when it gave none.
    """

    id: str
    issuer: str
    issuer_name: str
    card_name: str
    proof: CardProof
    standing: CardStanding
    number: str | None
    printed_tier: Tier | None
    valid_through: date | None
    requested_at: datetime
    due_on: date
    reissue_by: date | None
    replaces: str | None
    category: DeclineCategory | None
    reason: str
    delivery: DeliveryWay | None
    outlet_name: str
    outlet_address: str
    mail_reference: str | None
    steps: list[StepView]


class CardList(BaseModel):
    """All my cards and requests, the newest first."""

    items: list[CardView]


class OfferList(BaseModel):
    """What cards can be asked for."""

    items: list[OfferView]


class Stage(StrEnum):
    """What an issuer has to do with a card."""

    NEW = "NEW"
    DECIDE = "DECIDE"
    PERSONALISE = "PERSONALISE"
    DELIVER = "DELIVER"
    REISSUE = "REISSUE"


class RequestRow(BaseModel):
    """A card on its issuer's work list. holder: surname, the rest masked. told_at: REISSUE alone."""

    id: str
    standing: CardStanding
    holder: str
    tier: Tier
    requested_at: datetime
    due_on: date
    changed_at: datetime
    is_replacement: bool
    told_at: datetime | None


class RequestPage(BaseModel):
    """A page of a work list, what waits longest first. next: cursor of the following, null on the last."""

    items: list[RequestRow]
    next: str | None


class RequestView(BaseModel):
    """A card as its issuer sees it. holder: masked; empty once the card has ended.

    shows_recipient: whether the delivery data may be opened now.
    """

    id: str
    standing: CardStanding
    holder: str
    tier: Tier
    printed_tier: Tier | None
    requested_at: datetime
    due_on: date
    changed_at: datetime
    number: str | None
    proof: CardProof | None
    valid_through: date | None
    reference: str | None
    delivery: DeliveryWay | None
    outlet_name: str
    mail_reference: str | None
    replaces: str | None
    told_at: datetime | None
    reissue_by: date | None
    has_successor: bool
    category: DeclineCategory | None
    reason: str
    shows_recipient: bool


class Recipient(BaseModel):
    """To whom a card goes; each opening is kept and shown to him."""

    name: str
    phone: str


class PrintData(BaseModel):
    """What is put on and into a card. code: text of the printed code. secret: 32 hex, for a chip alone."""

    number: str
    tier: Tier | None
    valid_through: date | None
    code: str
    card_ref: str
    secret: str | None


class ChallengeView(BaseModel):
    """A challenge for the chip."""

    id: str
    challenge: str = Field(description="32 hex digits")
    expires_at: datetime
