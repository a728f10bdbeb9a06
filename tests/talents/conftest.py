"""Talents who apply and an office that decides, under measures in force, in a small world."""

import secrets
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from typing import Any, Final

import pytest
from sqlalchemy.orm import Session

from talentseal.accounts.roles import PERMISSIONS, Actor, Role
from talentseal.clock import legal_date
from talentseal.policy import service as policy
from talentseal.policy.effects import Deed
from talentseal.policy.schemas import ArticleInput, EnterVersion
from talentseal.policy.tiers import Tier
from talentseal.talents import applications, codes, deciding, people, recognitions
from talentseal.talents.models import Application, DocumentKind, Purpose, TalentCode, TierRecognition
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
from tests.world import World, clock, sqlite_world, world

__all__ = ["clock", "sqlite_world", "world"]

VAULT = Vault({1: bytes(range(32))}, bytes(range(1, 33)))
PAPER = b"%PDF-1.7\ninvented proof\n%%EOF\n"
DEEDS: dict[int, tuple[Deed, ...]] = {6: (Deed.NEW_CODE,), 7: (Deed.NEW_TIER,)}
MEASURES = EnterVersion(
    instrument="invented-measures",
    title="虚构办法（试行）",
    issuer="虚构管理委员会",
    document_number="虚构〔2025〕1号",
    issued_on=date(2025, 6, 1),
    effective_from=date(2025, 6, 1),
    valid_through=date(2030, 5, 31),
    articles=tuple(
        ArticleInput(number=number, text=f"第{number}条（虚构）。", deeds=DEEDS.get(number, ()))
        for number in range(1, 8)
    ),
)


def office(number: int = 1) -> Actor:
    """A person of the talent office; another number is another person."""
    return Actor(f"office-{number}", "0x" + "2" * 64, Role.TALENT_OFFICE, PERMISSIONS[Role.TALENT_OFFICE])


_PASSPORTS: Final = count(secrets.randbelow(9 * 10**7))
"""Counted on, not drawn each: of twelve hundred that are drawn, two are the same once in 140 times."""


def basic(**changes: Any) -> Basic:
    """A person with a passport whose number nobody else has."""
    fields: dict[str, Any] = {
        "full_name": "欧阳虚构",
        "document": IdentityDocument.PASSPORT,
        "document_number": f"E{next(_PASSPORTS):08d}",
        "phone": "13900000000",
    }
    return Basic(**{**fields, **changes})


def work(**changes: Any) -> Work:
    fields: dict[str, Any] = {
        "ground": ScopeGround.WORKS_IN_AREA,
        "organisation": "虚构科技公司（演示）",
        "started_on": date(2024, 3, 1),
    }
    return Work(**{**fields, **changes})


def education() -> Education:
    return Education(
        school="虚构大学", degree="硕士", graduated_on=date(2023, 6, 30), certificate_number="XG2023-0001"
    )


def high(tier: Tier = Tier.HIGH_E, **changes: Any) -> Claim:
    """A recognition by the city."""
    fields: dict[str, Any] = {
        "tier": tier,
        "body": RecognisingBody.ZHENGZHOU,
        "number": "虚构人才认字1号",
        "recognised_on": date(2025, 9, 1),
    }
    return Claim(**{**fields, **changes})


@dataclass(slots=True)
class People:
    """Hands of talents and of the office; every call is a transaction of its own."""

    world: World
    vault: Vault = field(default=VAULT)

    def talent(self) -> Actor:
        """Somebody with a fresh account."""
        return self.world.talent()

    def id_of(self, talent: Actor) -> str:
        return self.world.database.read(lambda session: people.of_account(session, talent).id)

    def entered(
        self,
        talent: Actor,
        *,
        who: Basic | None = None,
        works: Work | None = None,
        claim: Claim | None = None,
        papers: tuple[DocumentKind, ...] = (DocumentKind.IDENTITY, DocumentKind.WORK_IN_AREA),
    ) -> Application:
        """A draft with everything in it, of a person whom nobody knows unless he is given."""
        now, vault = self.world.clock.now(), self.vault
        parts: dict[Part, Basic | Work | Claim | Education | None] = {
            Part.BASIC: who or basic(),
            Part.WORK: works or work(),
            Part.CLAIM: claim,
        }
        if claim is not None and claim.tier is Tier.YOUTH:
            parts[Part.EDUCATION] = education()

        def write(session: Session) -> Application:
            row = applications.begin(session, talent, vault, now=now)
            if row.purpose is Purpose.TIER:
                del parts[Part.BASIC], parts[Part.WORK]
            for part, value in parts.items():
                applications.save(session, talent, vault, row.id, SavePart(part=part, value=value))
            for kind in papers:
                applications.add_document(session, talent, vault, row.id, kind=kind, plain=PAPER, now=now)
            return row

        return self.world.database.write(write)

    def submit(self, talent: Actor, row: Application) -> Application:
        now = self.world.clock.now()
        return self.world.database.write(
            lambda session: applications.submit(session, talent, self.vault, row.id, now=now)
        )

    def taken_up(self, talent: Actor, by: Actor | None = None, **changes: Any) -> Application:
        """A complete application under review."""
        row = self.submit(talent, self.entered(talent, **changes))
        now = self.world.clock.now()
        return self.world.database.write(
            lambda session: deciding.take_up(session, by or office(), row.id, now=now)
        )

    def approve(
        self, row: Application, by: Actor | None = None, *, proved: frozenset[DocumentKind] | None = None
    ) -> Application:
        now, command = self.world.clock.now(), Approve(proved=proved, reason="材料齐全（虚构）")
        return self.world.database.write(
            lambda session: deciding.approve(session, by or office(), self.vault, row.id, command, now=now)
        )

    def holder(self, **changes: Any) -> Actor:
        """A talent whose application was approved; a claim with its papers is proved, not yet confirmed."""
        claim = changes.get("claim")
        proof = frozenset(claim.wanted) if claim else None
        if claim:
            base = (DocumentKind.IDENTITY, DocumentKind.WORK_IN_AREA)
            changes.setdefault("papers", (*base, *claim.wanted))
        talent = self.talent()
        self.approve(self.taken_up(talent, **changes), proved=proof)
        return talent

    def confirm(self, talent: Actor, by: Actor | None = None) -> TierRecognition:
        """Confirm the talent's newest recognition, by a second person."""
        now, talent_id = self.world.clock.now(), self.id_of(talent)

        def write(session: Session) -> TierRecognition:
            newest = recognitions.of_talent(session, talent_id)[0]
            command = Confirm(reason="与原件一致（虚构）")
            return recognitions.confirm(session, by or office(2), self.vault, newest.id, command, now=now)

        return self.world.database.write(write)

    def nightly(self) -> int:
        """What the date brings today; how many recognitions ran out."""
        now = self.world.clock.now()
        return self.world.database.write(
            lambda session: recognitions.apply_day(session, legal_date(now), now)
        )

    def code(self, talent: Actor) -> TalentCode:
        talent_id = self.id_of(talent)
        return self.world.database.read(lambda session: codes.live_of(session, talent_id))


@pytest.fixture
def crowd(world: World) -> People:
    """People and their office on both kinds of database."""
    return in_force(world)


@pytest.fixture
def sqlite_crowd(sqlite_world: World) -> People:
    """The same on SQLite alone, for what does not depend on the database."""
    return in_force(sqlite_world)


def in_force(world: World) -> People:
    """People of a world with measures in force."""
    now = world.clock.now()
    world.database.write(lambda session: policy.enter(session, Actor.console(), MEASURES, now=now)[1])
    return People(world)
