"""The demonstration's invented talents, each brought where he stands through the services, once.

One holds a code and a recognition that two people of the office looked at; one has handed in an application
whose certificate the shared register does not know. Their identity numbers lie in an area (999999) that does
not exist, and their papers say that they are invented.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts import demonstration as people_of_the_demonstration
from talentseal.accounts import service
from talentseal.accounts.models import Account
from talentseal.accounts.roles import PERMISSIONS, Actor, Role
from talentseal.accounts.schemas import AddAccount
from talentseal.db import Database
from talentseal.demonstration.scheme import Body, Cast
from talentseal.policy.tiers import Tier
from talentseal.talents import applications, deciding, people, reading, recognitions, register
from talentseal.talents.models import Application, DocumentKind
from talentseal.talents.schemas import (
    Approve,
    Basic,
    Claim,
    Confirm,
    Education,
    IdentityDocument,
    Part,
    RecognisingBody,
    SavePart,
    ScopeGround,
    Work,
)
from talentseal.vault import Vault

SECOND: Final = "温如鉴（虚构人物）"
"""Who confirms what the first person of the talent office verified."""

_AFTER_THE_CAST: Final = 100
"""Position on the sign-in page from which talents and second persons stand."""

_REGISTER: Final = "kind,number\n" + "".join(
    f"GRADUATION_CERTIFICATE,XG2021999{number:04d}\n" for number in (17, 18, 23, 42)
)

Entered = Basic | Work | Education | Claim


@dataclass(frozen=True, slots=True)
class _Talent:
    """One invented talent and what he enters. name: as his tile calls him."""

    sign_in_name: str
    name: str
    parts: Mapping[Part, Entered | str]
    papers: tuple[DocumentKind, ...]


_BASE: Final = (DocumentKind.IDENTITY, DocumentKind.WORK_IN_AREA)
HOLDER: Final = _Talent(
    "demonstration-holder",
    "知远（虚构人物）",
    {
        Part.BASIC: Basic(
            full_name="苏知远（虚构人物）",
            document=IdentityDocument.RESIDENT_ID,
            document_number="999999199203150017",
            phone="19900000001",
        ),
        Part.WORK: Work(
            ground=ScopeGround.FOUNDED_IN_AREA,
            organisation="虚构云图智能科技有限公司（演示）",
            started_on=date(2022, 9, 1),
        ),
        Part.EDUCATION: Education(
            school="虚构理工大学（演示）",
            degree="博士研究生，工学博士",
            graduated_on=date(2021, 6, 30),
            certificate_number="XG20219990042",
        ),
        Part.CLAIM: Claim(
            tier=Tier.HIGH_E,
            body=RecognisingBody.SCIENCE_CITY,
            number="虚构科认字〔2026〕7 号",
            recognised_on=date(2026, 3, 2),
            valid_through=date(2031, 3, 1),
        ),
        Part.RESEARCH: "虚构项目：城市级视觉感知（演示用，非真实成果）",
        Part.HONOURS: "虚构奖项：演示杯创新创业大赛一等奖",
    },
    (*_BASE, DocumentKind.RECOGNITION),
)
APPLICANT: Final = _Talent(
    "demonstration-applicant",
    "晓岚（虚构人物）",
    {
        Part.BASIC: Basic(
            full_name="叶晓岚（虚构人物）",
            document=IdentityDocument.PASSPORT,
            document_number="E99999917",
            phone="19900000002",
        ),
        Part.WORK: Work(
            ground=ScopeGround.WORKS_IN_AREA,
            organisation="虚构云上书店（演示）",
            started_on=date(2024, 7, 15),
        ),
        Part.EDUCATION: Education(
            school="虚构师范大学（演示）",
            degree="硕士研究生，教育学硕士",
            graduated_on=date(2024, 6, 30),
            certificate_number="XG20219990071",
        ),
        Part.CLAIM: Claim(tier=Tier.YOUTH),
    },
    (*_BASE, DocumentKind.GRADUATION),
)


def enter(database: Database, vault: Vault, cast: Cast, *, now: datetime) -> None:
    """Enter the talents, and whoever decides on them, as far as they are missing."""
    database.write(partial(_share, vault=vault, bureau=cast.big_data_bureau, now=now))
    first, second = database.write(partial(_office, office=cast.talent_office, now=now))
    database.write(partial(_holder, vault=vault, first=first, second=second, now=now))
    database.write(partial(_applicant, vault=vault, now=now))


def _share(session: Session, vault: Vault, bureau: Body, now: datetime) -> None:
    """The bureau's person shares a register; to share it again changes nothing."""
    actor = _actors(session, bureau.organisation)[0]
    register.import_csv(session, actor, vault, _REGISTER.encode(), now=now)


def _office(session: Session, office: Body, now: datetime) -> tuple[Actor, Actor]:
    """The two people of the talent office."""
    found = _actors(session, office.organisation)
    if len(found) == 1:
        joining = AddAccount(organisation=office.organisation, name=SECOND, role=office.role)
        # After the first one, whom the cast knows as the first account of its organisation.
        account = service.add_account(session, Actor.console(), joining, now=now + timedelta(seconds=1))
        people_of_the_demonstration.cast_as(session, account.id, _AFTER_THE_CAST, SECOND)
        found = _actors(session, office.organisation)
    return found[0], found[1]


def _actors(session: Session, organisation: str) -> list[Actor]:
    accounts = select(Account).where(Account.organisation_id == organisation)
    ordered = accounts.order_by(Account.created_at, Account.id)
    return [Actor(row.id, organisation, row.role, PERMISSIONS[row.role]) for row in session.scalars(ordered)]


def _holder(session: Session, vault: Vault, first: Actor, second: Actor, now: datetime) -> None:
    actor = _sign_up(session, HOLDER, 1, now)
    if actor is None:
        return
    row = _handed_in(session, actor, vault, HOLDER, now)
    deciding.take_up(session, first, row.id, now=now)
    reading.for_review(session, first, vault, row.id, now=now)
    proved = frozenset({DocumentKind.RECOGNITION})
    found = Approve(proved=proved, reason="认定证书与在册名单一致，毕业证书编号与共享数据一致（虚构）")
    deciding.approve(session, first, vault, row.id, found, now=now)
    made = recognitions.of_talent(session, row.talent_id)[0]
    reading.for_confirmation(session, second, vault, made.id, now=now)
    agreed = Confirm(reason="与认定证书原件核对一致（虚构）")
    recognitions.confirm(session, second, vault, made.id, agreed, now=now)


def _applicant(session: Session, vault: Vault, now: datetime) -> None:
    actor = _sign_up(session, APPLICANT, 2, now)
    if actor is not None:
        _handed_in(session, actor, vault, APPLICANT, now)


def _sign_up(session: Session, talent: _Talent, position: int, now: datetime) -> Actor | None:
    """A fresh account of the talent, who is signed in by his tile alone; None when he has one."""
    known = select(Account.id).where(Account.sign_in_name == talent.sign_in_name)
    if session.scalar(known) is not None:
        return None
    account = Account(
        id=secrets.token_hex(16),
        organisation_id=None,
        name=talent.name,
        role=Role.TALENT,
        created_at=now,
        sign_in_name=talent.sign_in_name,
    )
    session.add(account)
    session.flush()
    people.accept_notice(session, people.register(session, account, now=now), now=now)
    people_of_the_demonstration.cast_as(session, account.id, _AFTER_THE_CAST + position, talent.name)
    return Actor(account.id, "", Role.TALENT, PERMISSIONS[Role.TALENT])


def _handed_in(session: Session, actor: Actor, vault: Vault, talent: _Talent, now: datetime) -> Application:
    row = applications.begin(session, actor, vault, now=now)
    for part, value in talent.parts.items():
        applications.save(session, actor, vault, row.id, SavePart(part=part, value=value))
    for kind in talent.papers:
        plain = invented_paper((f"INVENTED {kind.value}", "for demonstration only, not a real document"))
        applications.add_document(session, actor, vault, row.id, kind=kind, plain=plain, now=now)
    return applications.submit(session, actor, vault, row.id, now=now)


def invented_paper(lines: Iterable[str]) -> bytes:
    """A PDF of one page that shows the lines (ASCII without brackets)."""
    shown = " ".join(f"({line}) Tj T*" for line in lines)
    text = f"BT /F1 18 Tf 24 TL 72 720 Td {shown} ET"
    font = "/Resources << /Font << /F1 5 0 R >> >>"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R {font} >>",
        f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    body, places = "%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{each}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n"
    return f"{body}{end}startxref\n{len(body)}\n%%EOF\n".encode("ascii")
