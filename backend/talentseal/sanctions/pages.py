"""Pages of suspension rules: the list, one version with its sides, drafting, signing, refusing."""

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from talentseal.accounts.models import Organisation
from talentseal.accounts.roles import Permission
from talentseal.errors import TalentSealError
from talentseal.sanctions import reading, rules
from talentseal.sanctions.desk import AtDesk, Desk
from talentseal.sanctions.models import SuspensionRule
from talentseal.sanctions.rules import RuleNotFound
from talentseal.sanctions.schemas import GiveSignature, Refuse, RuleText, RuleView
from talentseal.sanctions.triggers import Reach, Trigger
from talentseal.web.forms import Form, FormRefused, Typed, command_of, nested, texts
from talentseal.web.pages import see_other

_IDENTIFIER: Final = re.compile(r"[0-9a-f]{32}\Z")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,4}\Z")

pages = APIRouter(include_in_schema=False, prefix="/rules")


async def _rule(rule: str) -> str:
    if not _IDENTIFIER.match(rule):
        raise RuleNotFound
    return rule


async def _number(number: str) -> int:
    if not _NUMBER.match(number):
        raise RuleNotFound
    return int(number)


RuleId = Annotated[str, Depends(_rule)]
Version = Annotated[int, Depends(_number)]


@pages.get("")
def list_rules(desk: AtDesk) -> Response:
    """The rules one may read."""
    met = desk.database.read(lambda session: reading.rule_list(session, desk.actor, now=desk.now))
    return desk.show("sanctions/rules.html", rules=met.items)


@pages.get("/new")
def show_new(desk: AtDesk) -> Response:
    """A rule to be drafted."""
    desk.actor.require(Permission.RULE_DRAFT)
    return _form(desk, _blank(desk))


@pages.post("/new")
def draft(desk: AtDesk, form: Form) -> Response:
    """Draft it, and go on to its page."""
    return _draft(desk, form, None, 0)


@pages.get("/{rule}/{number}")
def show_rule(desk: AtDesk, rule: RuleId, number: Version) -> Response:
    """One version, and what is to be done with it."""
    return _show(desk, rule, number)


@pages.get("/{rule}/{number}/amend")
def show_amend(desk: AtDesk, rule: RuleId, number: Version) -> Response:
    """The next version, which begins with the text of this one."""
    desk.actor.require(Permission.RULE_DRAFT)
    return _form(desk, _typed(_view(desk, rule, number).text), rule=rule, number=number)


@pages.post("/{rule}/{number}/amend")
def amend(desk: AtDesk, rule: RuleId, number: Version, form: Form) -> Response:
    """Draft the next version, and go on to its page."""
    return _draft(desk, form, rule, number)


@pages.get("/{rule}/{number}/sign")
def show_signing(desk: AtDesk, rule: RuleId, number: Version) -> Response:
    """What is signed, in plain words, and the ways to sign it."""
    return _signing(desk, rule, number)


@pages.post("/{rule}/{number}/sign")
def sign(desk: AtDesk, rule: RuleId, number: Version, form: Form) -> Response:
    """Take the signature of one's side."""
    given = dict(texts(form)).get("signature", "").strip()

    def work(session: Session) -> SuspensionRule:
        return rules.sign(session, desk.actor, rule, number, _signature(given), now=desk.now)

    return desk.act(
        work,
        lambda _row: (f"/rules/{rule}/{number}", "signed"),
        lambda refusal: _signing(desk, rule, number, refusal, given),
    )


@pages.get("/{rule}/{number}/rule.json")
def download_statement(desk: AtDesk, rule: RuleId, number: Version) -> Response:
    """What `talentseal keys sign-rule` checks and signs."""
    met = desk.database.read(
        lambda session: reading.statement(session, desk.actor, rule, number, now=desk.now)
    )
    headers = {"Content-Disposition": f'attachment; filename="rule-{rule[:16]}-v{number}.json"'}
    content = met.model_dump_json(indent=1).encode()
    return Response(content, media_type="application/json", headers=headers)


@pages.post("/{rule}/{number}/refusal")
def refuse(desk: AtDesk, rule: RuleId, number: Version, form: Form) -> Response:
    """Refuse it for one's side."""
    typed = nested(texts(form))

    def work(session: Session) -> SuspensionRule:
        command = command_of(Refuse, dict(typed))
        return rules.refuse(session, desk.actor, rule, number, command, now=desk.now)

    return desk.act(
        work,
        lambda _row: (f"/rules/{rule}/{number}", "rule-refused"),
        lambda refusal: _show(desk, rule, number, refusal, typed),
    )


@pages.get("/{rule}/{number}/{_act:path}")
def back_to_rule(rule: RuleId, number: Version, _act: str) -> Response:
    """Whoever loads the answer to a form again comes back to where the form is."""
    return see_other(f"/rules/{rule}/{number}")


def _view(desk: Desk, rule: str, number: int) -> RuleView:
    return desk.database.read(
        lambda session: reading.rule_view(session, desk.actor, rule, number, now=desk.now)
    )


def _show(
    desk: Desk,
    rule: str,
    number: int,
    refusal: TalentSealError | None = None,
    typed: Typed | None = None,
) -> Response:
    def read(session: Session) -> dict[str, Any]:
        versions = reading.rule_versions(session, desk.actor, rule, now=desk.now)
        met = next((each for each in versions if each.version == number), None)
        if met is None:
            raise RuleNotFound
        names = reading.names_of(session, [met.text.scope.value or ""])
        return {"met": met, "versions": versions, "names": names}

    return desk.show("sanctions/rule.html", refusal, typed=typed or Typed(), **desk.database.read(read))


def _signing(
    desk: Desk, rule: str, number: int, refusal: TalentSealError | None = None, signature: str = ""
) -> Response:
    def read(session: Session) -> dict[str, Any]:
        met = reading.rule_view(session, desk.actor, rule, number, now=desk.now)
        said = reading.statement(session, desk.actor, rule, number, now=desk.now)
        return {"met": met, "said": said, "names": reading.names_of(session, [met.text.scope.value or ""])}

    return desk.show("sanctions/sign.html", refusal, signature=signature, **desk.database.read(read))


def _signature(typed: str) -> GiveSignature:
    try:
        return GiveSignature(signature=typed)
    except ValidationError:
        raise FormRefused({"signature": _NO_SIGNATURE}) from None


_NO_SIGNATURE: Final = (
    "这不是签名：应为 0x 开头的 132 个字符，或 talentseal keys sign-rule 写出的文件。",
    "This is no signature: expected 132 characters from 0x on, or what talentseal keys sign-rule wrote.",
)


def _draft(desk: Desk, form: Form, rule: str | None, number: int) -> Response:
    typed = nested(texts(form), lists=frozenset({"partner_set"}))

    def work(session: Session) -> SuspensionRule:
        return rules.draft(session, desk.actor, command_of(RuleText, _values(typed)), rule=rule, now=desk.now)

    return desk.act(
        work,
        lambda row: (f"/rules/{row.rule}/{row.number}", "rule-drafted"),
        lambda refusal: _form(desk, typed, refusal, rule=rule, number=number),
    )


def _form(
    desk: Desk,
    typed: Typed,
    refusal: TalentSealError | None = None,
    *,
    rule: str | None = None,
    number: int = 0,
) -> Response:
    def read(session: Session) -> list[Organisation]:
        query = select(Organisation).where(Organisation.kind.in_(rules.PARTNER_KINDS))
        return list(session.scalars(query.order_by(Organisation.name, Organisation.id)))

    return desk.show(
        "sanctions/rule-form.html",
        refusal,
        typed=typed,
        partners=desk.database.read(read),
        triggers=[each.value for each in Trigger],
        reaches=[each.value for each in Reach],
        address=f"/rules/{rule}/{number}" if rule else "/rules",
        amends=rule is not None,
    )


def _blank(desk: Desk) -> Typed:
    """A form with the defaults of the specification."""
    return Typed(
        threshold=1,
        window_minutes=60,
        duration_days=30,
        effective_from=desk.now.date().isoformat(),
        scope=Typed(reach=Reach.ALL.value),
        procedure=Typed(notice_days=3, statement_days=5, appeal_days=15, max_total_days=180),
        partner_set=[],
    )


def _typed(text: RuleText) -> Typed:
    """A text as its form has it."""
    values = text.model_dump(mode="json")
    return Typed({**values, "scope": Typed(values["scope"]), "procedure": Typed(values["procedure"])})


def _values(typed: Typed) -> dict[str, Any]:
    """What a form says, with what its empty fields mean."""
    values: dict[str, Any] = {"duration_days": None, "partner_set": (), **typed}
    procedure = typed["procedure"] or {}
    if isinstance(procedure, dict):
        values["procedure"] = {**procedure, "provisional_allowed": "provisional_allowed" in procedure}
    return values
