"""JSON API of suspension rules, facts, cases and terminations; a talent has his pages, not programs."""

import hashlib
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Path, Query, UploadFile
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.access import ApiActor, Db, Now, TheVault
from talentseal.accounts.calls import Call
from talentseal.accounts.roles import Permission
from talentseal.policy.schemas import Number
from talentseal.sanctions import cases, facts, reading, rules, terminations
from talentseal.sanctions.models import SuspensionCase, SuspensionRule, TerminationCase
from talentseal.sanctions.schemas import (
    Attach,
    CaseList,
    CaseReceipt,
    CaseView,
    Confirm,
    Decide,
    FactReceipt,
    GiveSignature,
    Hear,
    Identifier,
    Propose,
    Refuse,
    Report,
    RuleList,
    RuleReceipt,
    RuleText,
    RuleView,
    Say,
    StatementView,
    TerminationList,
    TerminationReceipt,
    TerminationView,
)
from talentseal.sanctions.states import CaseState, TerminationState
from talentseal.talents.desk import bytes_answer

FINDING_UPLOAD_LIMIT = terminations.FINDING_LIMIT + 1024 * 1024
"""Bytes of a request with a finding: the PDF, its JSON part and the multipart frame."""

api = APIRouter(tags=["sanctions"])

RulePath = Annotated[Identifier, Path()]
NumberPath = Annotated[Number, Path()]
CasePath = Annotated[Identifier, Path()]
TerminationPath = Annotated[Identifier, Path()]
After = Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$")]
Limit = Annotated[int, Query(ge=1, le=100)]

_RULE = "/rules/{rule}/versions/{number}"


def _meaning(command: BaseModel, **more: Any) -> dict[str, Any]:
    return {**more, **command.model_dump(mode="json")}


def _rule(session: Session, row: SuspensionRule, call: Call) -> RuleReceipt:
    state = rules.state_at(row, len(rules.signatures_of(session, row)), call.now)
    return RuleReceipt(rule=row.rule, version=row.number, state=state)


def _case(row: SuspensionCase) -> CaseReceipt:
    return CaseReceipt(id=row.id, state=row.state)


def _termination(row: TerminationCase) -> TerminationReceipt:
    return TerminationReceipt(id=row.id, state=row.state)


@api.get("/rules")
def list_rules(actor: ApiActor, database: Db, now: Now) -> RuleList:
    """The rules of suspension: each newest version, and whatever is in force."""
    return database.read(lambda session: reading.rule_list(session, actor, now=now))


@api.post("/rules", status_code=201, response_model=RuleReceipt)
def draft_rule(command: RuleText, call: Call) -> Response:
    """Draft a rule (talent office, big-data bureau)."""

    def work(session: Session) -> RuleReceipt:
        return _rule(session, rules.draft(session, call.actor, command, now=call.now), call)

    return call.perform("POST rule", _meaning(command), work, status=201)


@api.post("/rules/{rule}/versions", status_code=201, response_model=RuleReceipt)
def draft_rule_version(rule: RulePath, command: RuleText, call: Call) -> Response:
    """Draft a rule's next version, which every side has to sign anew."""

    def work(session: Session) -> RuleReceipt:
        return _rule(session, rules.draft(session, call.actor, command, rule=rule, now=call.now), call)

    return call.perform("POST rule version", _meaning(command, rule=rule), work, status=201)


@api.get(_RULE)
def get_rule(rule: RulePath, number: NumberPath, actor: ApiActor, database: Db, now: Now) -> RuleView:
    """One version of a rule, its sides and their signatures."""
    return database.read(lambda session: reading.rule_view(session, actor, rule, number, now=now))


@api.get(_RULE + "/statement")
def get_rule_statement(
    rule: RulePath, number: NumberPath, actor: ApiActor, database: Db, now: Now
) -> StatementView:
    """The text that my organisation is to sign (EIP-191)."""
    return database.read(lambda session: reading.statement(session, actor, rule, number, now=now))


@api.post(_RULE + "/signatures", response_model=RuleReceipt)
def sign_rule(rule: RulePath, number: NumberPath, command: GiveSignature, call: Call) -> Response:
    """Give my side's signature; with the last one the rule is approved."""

    def work(session: Session) -> RuleReceipt:
        return _rule(session, rules.sign(session, call.actor, rule, number, command, now=call.now), call)

    return call.perform("POST rule signature", _meaning(command, rule=rule, number=number), work)


@api.post(_RULE + "/refusal", response_model=RuleReceipt)
def refuse_rule(rule: RulePath, number: NumberPath, command: Refuse, call: Call) -> Response:
    """Refuse a version for my side, for good."""

    def work(session: Session) -> RuleReceipt:
        return _rule(session, rules.refuse(session, call.actor, rule, number, command, now=call.now), call)

    return call.perform("POST rule refusal", _meaning(command, rule=rule, number=number), work)


@api.post("/facts", status_code=201, response_model=FactReceipt)
def report_fact(command: Report, call: Call, vault: TheVault) -> Response:
    """Report what was noticed with a code; the same reference once more is the same fact."""

    def work(session: Session) -> FactReceipt:
        return FactReceipt(id=facts.report(session, call.actor, vault, command, now=call.now).id)

    return call.perform("POST fact", _meaning(command), work, status=201)


@api.get("/cases")
def list_cases(
    actor: ApiActor, database: Db, *, state: CaseState | None = None, after: After = "", limit: Limit = 50
) -> CaseList:
    """The suspension cases, the newest first (talent office)."""
    return database.read(
        lambda session: reading.case_list(session, actor, state=state, after=after, limit=limit)
    )


@api.get("/cases/{case_id}")
def get_case(case_id: CasePath, actor: ApiActor, database: Db, now: Now, vault: TheVault) -> CaseView:
    """One case with its facts, statements and reasons (talent office)."""
    return database.write(lambda session: reading.case_view(session, actor, vault, case_id, now=now))


@api.post("/cases/{case_id}/decision", response_model=CaseReceipt)
def decide_case(case_id: CasePath, command: Decide, call: Call, vault: TheVault) -> Response:
    """Suspend or dismiss (talent office)."""

    def work(session: Session) -> CaseReceipt:
        return _case(cases.decide(session, call.actor, vault, case_id, command, now=call.now))

    return call.perform("POST case decision", _meaning(command, case=case_id), work)


@api.post("/cases/{case_id}/appeal-decision", response_model=CaseReceipt)
def hear_case(case_id: CasePath, command: Hear, call: Call, vault: TheVault) -> Response:
    """Decide an appeal (talent office, not whoever suspended)."""

    def work(session: Session) -> CaseReceipt:
        return _case(cases.hear(session, call.actor, vault, case_id, command, now=call.now))

    return call.perform("POST case appeal decision", _meaning(command, case=case_id), work)


@api.post("/cases/{case_id}/referral", status_code=201, response_model=TerminationReceipt)
def refer_case(case_id: CasePath, command: Say, call: Call, vault: TheVault) -> Response:
    """Propose to terminate for a repeated or grave breach of personal use (talent office)."""

    def work(session: Session) -> TerminationReceipt:
        return _termination(cases.refer(session, call.actor, vault, case_id, command, now=call.now))

    return call.perform("POST case referral", _meaning(command, case=case_id), work, status=201)


@api.get("/terminations")
def list_terminations(
    actor: ApiActor,
    database: Db,
    *,
    state: TerminationState | None = None,
    after: After = "",
    limit: Limit = 50,
) -> TerminationList:
    """The terminations, the newest first; for whoever may only propose, those of his organisation."""
    return database.read(
        lambda session: reading.termination_list(session, actor, state=state, after=after, limit=limit)
    )


@api.post("/terminations", status_code=201, response_model=TerminationReceipt)
def propose_termination(command: Propose, call: Call, vault: TheVault) -> Response:
    """Propose to terminate a code (partner, bureau, operator, talent office)."""

    def work(session: Session) -> TerminationReceipt:
        return _termination(terminations.propose(session, call.actor, vault, command, now=call.now))

    return call.perform("POST termination", _meaning(command), work, status=201)


@api.get("/terminations/{termination_id}")
def get_termination(
    termination_id: TerminationPath, actor: ApiActor, database: Db, now: Now, vault: TheVault
) -> TerminationView:
    """One termination; what was said is for those who decide or confirm."""
    return database.write(
        lambda session: reading.termination_view(session, actor, vault, termination_id, now=now)
    )


@api.post("/terminations/{termination_id}/notice", response_model=TerminationReceipt)
def notify_holder(termination_id: TerminationPath, call: Call, vault: TheVault) -> Response:
    """Let the holder know of another body's proposal (talent office)."""

    def work(session: Session) -> TerminationReceipt:
        return _termination(terminations.notify(session, call.actor, vault, termination_id, now=call.now))

    return call.perform("POST termination notice", {"termination": termination_id}, work)


def _about(issuer: str, reference: str, issued_on: date) -> Attach:
    try:
        return Attach(issuer=issuer, reference=reference, issued_on=issued_on)
    except ValidationError as error:
        raise RequestValidationError(
            [{**item, "loc": ("body", *item["loc"])} for item in error.errors()]
        ) from None


@api.post(
    "/terminations/{termination_id}/findings",
    status_code=201,
    response_model=TerminationReceipt,
    max_body_size=FINDING_UPLOAD_LIMIT,
    form_limits={"max_files": 1, "max_fields": 3, "max_part_size": 1024 * 1024},
)
def attach_finding(
    termination_id: TerminationPath,
    issuer: Annotated[str, Form()],
    reference: Annotated[str, Form()],
    issued_on: Annotated[date, Form()],
    document: Annotated[UploadFile, File()],
    *,
    call: Call,
    vault: TheVault,
) -> Response:
    """Attach an external finding as a PDF (its proposer's organisation, or the talent office)."""
    call.actor.require(Permission.TERMINATION_PROPOSE)
    about = _about(issuer, reference, issued_on)
    plain = document.file.read(terminations.FINDING_LIMIT + 1)

    def work(session: Session) -> TerminationReceipt:
        terminations.attach(session, call.actor, vault, termination_id, about, plain=plain, now=call.now)
        return _termination(session.get_one(TerminationCase, termination_id))

    meaning = _meaning(about, termination=termination_id, sha256=hashlib.sha256(plain).hexdigest())
    return call.perform("POST termination finding", meaning, work, status=201)


@api.get("/terminations/{termination_id}/findings/{finding_id}")
def get_finding(
    termination_id: TerminationPath,
    finding_id: TerminationPath,
    actor: ApiActor,
    database: Db,
    *,
    now: Now,
    vault: TheVault,
) -> Response:
    """The PDF of a finding, for those who decide or confirm; its holder sees that it was opened."""
    content = database.write(
        lambda session: reading.finding(session, actor, vault, termination_id, finding_id, now=now)
    )
    return bytes_answer("application/pdf", f"finding-{finding_id[:8]}", content)


@api.post("/reviews/{review_id}/termination", status_code=201, response_model=TerminationReceipt)
def propose_for_review(review_id: TerminationPath, command: Say, call: Call, vault: TheVault) -> Response:
    """Propose to terminate for a failed review because its holder has left (talent office)."""

    def work(session: Session) -> TerminationReceipt:
        return _termination(
            terminations.of_review(session, call.actor, vault, review_id, command, now=call.now)
        )

    meaning = _meaning(command, review=review_id)
    return call.perform("POST review termination", meaning, work, status=201)


@api.post("/terminations/{termination_id}/confirmation", response_model=TerminationReceipt)
def confirm_termination(
    termination_id: TerminationPath, command: Confirm, call: Call, vault: TheVault
) -> Response:
    """Confirm a termination that no other ground covers (leading group)."""

    def work(session: Session) -> TerminationReceipt:
        return _termination(
            terminations.confirm(session, call.actor, vault, termination_id, command, now=call.now)
        )

    return call.perform("POST termination confirmation", _meaning(command, termination=termination_id), work)


@api.post("/terminations/{termination_id}/decision", response_model=TerminationReceipt)
def decide_termination(
    termination_id: TerminationPath, command: Decide, call: Call, vault: TheVault
) -> Response:
    """Decide to terminate, as one of two persons, or dismiss (talent office, not the proposer)."""

    def work(session: Session) -> TerminationReceipt:
        return _termination(
            terminations.decide(session, call.actor, vault, termination_id, command, now=call.now)
        )

    return call.perform("POST termination decision", _meaning(command, termination=termination_id), work)


@api.post("/terminations/{termination_id}/appeal-decision", response_model=TerminationReceipt)
def hear_termination(termination_id: TerminationPath, command: Hear, call: Call, vault: TheVault) -> Response:
    """Decide an appeal (talent office, neither the proposer nor those who decided)."""

    def work(session: Session) -> TerminationReceipt:
        return _termination(
            terminations.hear(session, call.actor, vault, termination_id, command, now=call.now)
        )

    return call.perform(
        "POST termination appeal decision", _meaning(command, termination=termination_id), work
    )
