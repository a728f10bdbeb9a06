"""JSON API of reviews and of people's rights over their data: the same acts as the pages."""

from typing import Annotated

from fastapi import APIRouter, File, Path, Query, UploadFile
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.talents import (
    consents,
    correcting,
    erasing,
    exporting,
    grants,
    photos,
    review_reading,
    review_terms,
    reviews,
    wishes,
)
from talentseal.talents.api import Acting, Looking
from talentseal.talents.desk import MULTIPART_FRAME, Identifier, photo_answer
from talentseal.talents.privacy_models import WishState
from talentseal.talents.privacy_pages import Privacy
from talentseal.talents.privacy_schemas import (
    AccessPage,
    AskCorrection,
    Consents,
    CorrectionView,
    DecideWish,
    GiveConsent,
    GiveGrant,
    GrantedSight,
    GrantList,
    OfficeCorrection,
    WishList,
    WishView,
)
from talentseal.talents.review_models import ReviewState, ReviewTask
from talentseal.talents.review_schemas import (
    AnswerReview,
    DecideReview,
    HolderReview,
    OfficeReview,
    OwnReviews,
    ProposeTerms,
    ReportHappening,
    ReviewList,
    Taken,
    TermsBook,
)

api = APIRouter()

After = Annotated[str, Query(pattern=r"^[0-9]{0,6}$")]
TermsNumber = Annotated[int, Path(ge=1, le=10**6)]


class ReviewReceipt(BaseModel):
    """Which review was acted upon, and where it stands now."""

    id: str
    state: ReviewState

    @classmethod
    def of(cls, row: ReviewTask) -> "ReviewReceipt":
        return cls(id=row.id, state=row.state)


class TermsReceipt(BaseModel):
    """Which version of the terms was proposed or approved."""

    number: int


class WishReceipt(BaseModel):
    """Which wish was acted upon, and where it stands now."""

    id: str
    state: WishState


class RightReceipt(BaseModel):
    """Which consent or grant was given or ended."""

    id: str


class OwnCorrections(BaseModel):
    """My corrections, the newest first."""

    items: list[CorrectionView]


class OwnErasures(BaseModel):
    """My wishes for erasure, the newest first."""

    items: list[WishView]


class OwnPhoto(BaseModel):
    """My photo; null while there is none."""

    photo: photos.PhotoView | None


@api.get("/me/reviews", tags=["reviews"])
def list_own_reviews(look: Looking) -> OwnReviews:
    """My reviews, and when the next one is due."""
    return look.read(lambda session: review_reading.own(session, look.actor, look.vault))


@api.get("/me/reviews/{review}", tags=["reviews"])
def get_own_review(review: Identifier, look: Looking) -> HolderReview:
    """One of my reviews with what is on file."""
    return look.read(lambda session: review_reading.own_one(session, look.actor, look.vault, review))


@api.post("/me/reviews/{review}/answer", tags=["reviews"], response_model=ReviewReceipt)
def answer_review(review: Identifier, command: AnswerReview, act: Acting) -> Response:
    """Confirm what is on file, or say what has changed."""

    def work(session: Session) -> ReviewReceipt:
        return ReviewReceipt.of(reviews.answer(session, act.actor, act.vault, review, command, now=act.now))

    return act.perform("POST review answer", review, work, sent=command.model_dump(mode="json"))


@api.get("/reviews", tags=["reviews"])
def list_reviews(look: Looking, state: ReviewState = ReviewState.SUBMITTED, after: After = "") -> ReviewList:
    """Reviews in one state, the most urgent first."""
    return look.read(lambda session: review_reading.work_list(session, look.actor, state=state, after=after))


@api.post("/reviews/reports", tags=["reviews"], response_model=Taken)
def report_happening(command: ReportHappening, act: Acting) -> Response:
    """Report what happened to a person; the answer is the same whether he is known or not."""

    def work(session: Session) -> Taken:
        reviews.report(session, act.actor, act.vault, command, now=act.now)
        return Taken()

    return act.perform("POST review report", "", work, sent=command.model_dump(mode="json"))


@api.get("/reviews/terms", tags=["reviews"])
def get_terms(look: Looking) -> TermsBook:
    """How often is reviewed: every version."""
    return look.read(lambda session: review_reading.terms_book(session, look.actor))


@api.post("/reviews/terms", tags=["reviews"], status_code=201, response_model=TermsReceipt)
def propose_terms(command: ProposeTerms, act: Acting) -> Response:
    """Propose a version."""

    def work(session: Session) -> TermsReceipt:
        row = review_terms.propose(session, act.actor, command, now=act.now)
        return TermsReceipt(number=row.number)

    sent = command.model_dump(mode="json")
    return act.perform("POST review terms", "", work, sent=sent, status=201)


@api.post("/reviews/terms/{number}/approval", tags=["reviews"], response_model=TermsReceipt)
def approve_terms(number: TermsNumber, act: Acting) -> Response:
    """Let a proposed version count, as another person than its proposer."""

    def work(session: Session) -> TermsReceipt:
        row = review_terms.approve(session, act.actor, number, now=act.now)
        return TermsReceipt(number=row.number)

    return act.perform("POST review terms approval", str(number), work)


@api.get("/reviews/{review}", tags=["reviews"])
def get_review(review: Identifier, look: Looking) -> OfficeReview:
    """One review with what is known of its holder, who sees that it was opened."""
    return look.opening(
        lambda session: review_reading.for_decision(session, look.actor, look.vault, review, now=look.now)
    )


@api.post("/reviews/{review}/decision", tags=["reviews"], response_model=ReviewReceipt)
def decide_review(review: Identifier, command: DecideReview, act: Acting) -> Response:
    """Decide an answered review."""

    def work(session: Session) -> ReviewReceipt:
        return ReviewReceipt.of(reviews.decide(session, act.actor, act.vault, review, command, now=act.now))

    return act.perform("POST review decision", review, work, sent=command.model_dump(mode="json"))


@api.get("/me/consents", tags=["rights of people"])
def get_consents(look: Looking) -> Consents:
    """My consents, and what each organisation sees by them."""
    return look.read(lambda session: consents.own(session, look.actor))


@api.post("/me/consents", tags=["rights of people"], status_code=201, response_model=RightReceipt)
def give_consent(command: GiveConsent, act: Acting) -> Response:
    """Consent to one thing for one organisation; the consent that stands when there is one."""

    def work(session: Session) -> RightReceipt:
        return RightReceipt(id=consents.give(session, act.actor, command, now=act.now).id)

    sent = command.model_dump(mode="json")
    return act.perform("POST consent", "", work, sent=sent, status=201)


@api.post("/me/consents/{consent}/withdrawal", tags=["rights of people"], response_model=RightReceipt)
def withdraw_consent(consent: Identifier, act: Acting) -> Response:
    """End a consent from now on."""

    def work(session: Session) -> RightReceipt:
        return RightReceipt(id=consents.withdraw(session, act.actor, consent, now=act.now).id)

    return act.perform("POST consent withdrawal", consent, work)


@api.get("/me/photo", tags=["rights of people"])
def get_photo(look: Looking) -> OwnPhoto:
    """My photo: that it is there, and since when."""

    def read(session: Session) -> OwnPhoto:
        row = photos.own(session, look.actor)
        return OwnPhoto(photo=photos.PhotoView.of(row) if row else None)

    return look.read(read)


@api.get("/me/photo/picture", tags=["rights of people"])
def get_own_picture(look: Looking) -> Response:
    """My photo itself."""
    return photo_answer(look.read(lambda session: photos.own_picture(session, look.actor, look.vault)))


@api.post(
    "/me/photo",
    tags=["rights of people"],
    response_model=OwnPhoto,
    max_body_size=photos.PHOTO_LIMIT + MULTIPART_FRAME,
)
def put_photo(
    photo: Annotated[UploadFile, File(description="JPEG or PNG, at most 512 KiB")], act: Acting
) -> Response:
    """Keep a photo of me, sealed and without its metadata, in place of the one before."""
    plain = photo.file.read(photos.PHOTO_LIMIT + 1)

    def work(session: Session) -> OwnPhoto:
        row = photos.put(session, act.actor, act.vault, plain, now=act.now)
        return OwnPhoto(photo=photos.PhotoView.of(row))

    return act.perform("POST photo", "", work, sent=plain.hex())


@api.post("/me/photo/removal", tags=["rights of people"], response_model=OwnPhoto)
def remove_photo(act: Acting) -> Response:
    """Destroy my photo."""

    def work(session: Session) -> OwnPhoto:
        photos.remove(session, act.actor)
        return OwnPhoto(photo=None)

    return act.perform("POST photo removal", "", work)


@api.get("/me/access", tags=["rights of people"])
def list_openings(look: Looking, after: After = "") -> AccessPage:
    """Who looked at my data, the newest first."""
    return look.read(lambda session: exporting.own_openings(session, look.actor, after=after))


@api.get("/me/export", tags=["rights of people"])
def get_export(look: Looking, privacy: Privacy) -> exporting.Export:
    """Everything that is held of me."""
    return look.read(
        lambda session: exporting.own_export(session, look.actor, look.vault, privacy.holdings, now=look.now)
    )


@api.get("/me/corrections", tags=["rights of people"])
def list_own_corrections(look: Looking) -> OwnCorrections:
    """My corrections, the newest first."""
    return look.read(lambda session: OwnCorrections(items=correcting.own(session, look.actor, look.vault)))


@api.post("/me/corrections", tags=["rights of people"], status_code=201, response_model=WishReceipt)
def ask_correction(command: AskCorrection, act: Acting) -> Response:
    """Ask for a group of my fields to be corrected."""

    def work(session: Session) -> WishReceipt:
        row = correcting.ask(session, act.actor, act.vault, command, now=act.now)
        return WishReceipt(id=row.id, state=row.state)

    sent = command.model_dump(mode="json")
    return act.perform("POST correction", "", work, sent=sent, status=201)


@api.post("/me/corrections/{correction}/withdrawal", tags=["rights of people"], response_model=WishReceipt)
def withdraw_correction(correction: Identifier, act: Acting) -> Response:
    """Take my correction back."""

    def work(session: Session) -> WishReceipt:
        row = correcting.withdraw(session, act.actor, correction, now=act.now)
        return WishReceipt(id=row.id, state=row.state)

    return act.perform("POST correction withdrawal", correction, work)


@api.get("/me/erasure", tags=["rights of people"])
def list_own_erasures(look: Looking) -> OwnErasures:
    """My wishes for erasure, the newest first."""
    return look.read(lambda session: OwnErasures(items=erasing.own(session, look.actor, look.vault)))


@api.post("/me/erasure", tags=["rights of people"], status_code=201, response_model=WishReceipt)
def ask_erasure(act: Acting, privacy: Privacy) -> Response:
    """Ask for everything about me to be erased."""

    def work(session: Session) -> WishReceipt:
        row = erasing.ask(session, act.actor, holdings=privacy.holdings, now=act.now)
        return WishReceipt(id=row.id, state=row.state)

    return act.perform("POST erasure", "", work, status=201)


@api.post("/me/erasure/{erasure}/withdrawal", tags=["rights of people"], response_model=WishReceipt)
def withdraw_erasure(erasure: Identifier, act: Acting) -> Response:
    """Take my wish for erasure back."""

    def work(session: Session) -> WishReceipt:
        row = erasing.withdraw(session, act.actor, erasure, now=act.now)
        return WishReceipt(id=row.id, state=row.state)

    return act.perform("POST erasure withdrawal", erasure, work)


@api.get("/wishes", tags=["rights of people"])
def list_wishes(look: Looking) -> WishList:
    """Corrections and erasures that await the office's answer."""
    return look.read(lambda session: wishes.waiting(session, look.actor, now=look.now))


@api.get("/corrections/{correction}", tags=["rights of people"])
def get_correction(correction: Identifier, look: Looking) -> OfficeCorrection:
    """One correction with what is on file; its holder sees that it was opened."""
    return look.opening(
        lambda session: correcting.for_decision(session, look.actor, look.vault, correction, now=look.now)
    )


@api.post("/corrections/{correction}/decision", tags=["rights of people"], response_model=WishReceipt)
def decide_correction(correction: Identifier, command: DecideWish, act: Acting, privacy: Privacy) -> Response:
    """Grant or refuse a correction."""

    def work(session: Session) -> WishReceipt:
        row = correcting.decide(
            session,
            act.actor,
            act.vault,
            correction,
            command,
            correct_record=privacy.correct_record,
            now=act.now,
        )
        return WishReceipt(id=row.id, state=row.state)

    sent = command.model_dump(mode="json")
    return act.perform("POST correction decision", correction, work, sent=sent)


@api.post("/erasures/{erasure}/decision", tags=["rights of people"], response_model=WishReceipt)
def decide_erasure(erasure: Identifier, command: DecideWish, act: Acting, privacy: Privacy) -> Response:
    """Grant or refuse an erasure; granted, everything is destroyed now."""

    def work(session: Session) -> WishReceipt:
        row = erasing.decide(
            session,
            act.actor,
            act.vault,
            erasure,
            command,
            holdings=privacy.holdings,
            now=act.now,
        )
        return WishReceipt(id=row.id, state=row.state)

    return act.perform("POST erasure decision", erasure, work, sent=command.model_dump(mode="json"))


@api.get("/grants", tags=["rights of people"])
def list_grants(look: Looking) -> GrantList:
    """Auditors' grants; an auditor sees his own."""
    return look.read(lambda session: grants.every(session, look.actor, look.vault, now=look.now))


@api.post("/grants", tags=["rights of people"], status_code=201, response_model=RightReceipt)
def give_grant(command: GiveGrant, act: Acting) -> Response:
    """Let an auditor read some groups of one person's fields for some days."""

    def work(session: Session) -> RightReceipt:
        return RightReceipt(id=grants.give(session, act.actor, act.vault, command, now=act.now).id)

    sent = {**command.model_dump(mode="json"), "groups": sorted(command.groups)}
    return act.perform("POST grant", "", work, sent=sent, status=201)


@api.post("/grants/{grant}/revocation", tags=["rights of people"], response_model=RightReceipt)
def revoke_grant(grant: Identifier, act: Acting) -> Response:
    """End a grant at once."""

    def work(session: Session) -> RightReceipt:
        return RightReceipt(id=grants.revoke(session, act.actor, grant, now=act.now).id)

    return act.perform("POST grant revocation", grant, work)


@api.get("/grants/{grant}", tags=["rights of people"])
def use_grant(grant: Identifier, look: Looking) -> GrantedSight:
    """What my grant opens; the person sees that it was opened."""
    return look.opening(lambda session: grants.use(session, look.actor, look.vault, grant, now=look.now))
