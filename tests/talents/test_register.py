"""Numbers that another office shares: kept as keyed digests, and put before the reviewer (scenario 21)."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from talentseal.accounts.roles import PERMISSIONS, Actor, Role
from talentseal.errors import NotPermitted
from talentseal.policy.tiers import Tier
from talentseal.talents import deciding, reading, register
from talentseal.talents.models import (
    DocumentKind,
    FieldGroup,
    SharedRegister,
    Source,
    TalentFields,
)
from talentseal.talents.register import NOT_HELD, RegisterUnreadable
from talentseal.talents.schemas import Claim, Defect, ImportReport, Part, Return, RowFault
from tests.talents.conftest import VAULT, People, education, office

BASE = (DocumentKind.IDENTITY, DocumentKind.WORK_IN_AREA)
YOUTH = Claim(tier=Tier.YOUTH)
RIGHT = education().certificate_number


def bureau(role: Role = Role.BIG_DATA_BUREAU) -> Actor:
    return Actor("bureau-1", "0x" + "3" * 64, role, PERMISSIONS[role])


def share(crowd: People, *numbers: str) -> ImportReport:
    lines = "".join(f"GRADUATION_CERTIFICATE,{number}\n" for number in numbers)
    return imported(crowd, f"kind,number\n{lines}".encode())


def imported(crowd: People, raw: bytes, by: Actor | None = None) -> ImportReport:
    now = crowd.world.clock.now()
    return crowd.world.database.write(
        lambda session: register.import_csv(session, by or bureau(), VAULT, raw, now=now)
    )


def youth_under_review(crowd: People) -> str:
    papers = (*BASE, DocumentKind.GRADUATION)
    return crowd.taken_up(crowd.talent(), claim=YOUTH, papers=papers).id


@pytest.mark.scenario(21)
def test_a_certificate_that_the_register_lacks_is_in_the_one_list_of_defects(crowd: People) -> None:
    share(crowd, "XG2023-9999")
    application, now = youth_under_review(crowd), crowd.world.clock.now()
    write = crowd.world.database.write

    seen = write(lambda session: reading.for_review(session, office(), VAULT, application, now=now))
    others = Defect(part=Part.WORK, text="请补充合同（虚构）")
    command = Return(defects=(*seen.ready, others))
    write(lambda session: deciding.send_back(session, office(), VAULT, application, command, now=now).id)

    returned = write(lambda session: reading.for_review(session, office(), VAULT, application, now=now))
    assert seen.ready == [Defect(part=Part.EDUCATION, text=NOT_HELD)]
    assert seen.certificate_shared is False
    assert returned.state == "RETURNED"
    assert [each.part for each in returned.steps[-1].defects] == [Part.EDUCATION, Part.WORK]


@pytest.mark.parametrize(("shared", "found"), [((), None), ((RIGHT,), True), ((" ｘｇ2023-0001 ",), True)])
def test_an_empty_register_says_nothing_and_a_number_is_met_however_it_is_spelled(
    sqlite_crowd: People, shared: tuple[str, ...], found: bool | None
) -> None:
    share(sqlite_crowd, *shared)
    application, now = youth_under_review(sqlite_crowd), sqlite_crowd.world.clock.now()

    seen = sqlite_crowd.world.database.write(
        lambda session: reading.for_review(session, office(), VAULT, application, now=now)
    )

    assert (seen.ready, seen.certificate_shared) == ([], found)


@pytest.mark.parametrize(("shared", "source"), [((RIGHT,), Source.SHARED), ((), Source.SUBMITTED)])
def test_what_the_register_bears_out_is_kept_as_shared(
    sqlite_crowd: People, shared: tuple[str, ...], source: Source
) -> None:
    share(sqlite_crowd, *shared)
    talent = sqlite_crowd.holder(claim=YOUTH)
    talent_id = sqlite_crowd.id_of(talent)

    def sources(session: Session) -> dict[FieldGroup, Source]:
        rows = session.scalars(select(TalentFields).where(TalentFields.talent_id == talent_id))
        return {row.group: row.source for row in rows}

    assert sqlite_crowd.world.database.read(sources) == {
        FieldGroup.BASIC: Source.SUBMITTED,
        FieldGroup.ACADEMIC: source,
    }


def test_each_wrong_line_is_named_and_the_others_are_taken_once(crowd: People) -> None:
    raw = (
        "\ufeffkind,number\r\nGRADUATION_CERTIFICATE,XG-1\r\nDEGREE,XG-2\r\nGRADUATION_CERTIFICATE\r\n\r\n"
        'GRADUATION_CERTIFICATE, \r\n"GRADUATION_CERTIFICATE","XG-3"\r\nGRADUATION_CERTIFICATE,xg-1\r\n'
    ).encode()

    first, again = imported(crowd, raw), imported(crowd, raw)

    assert [(row.line, row.fault) for row in first.refused] == [
        (3, RowFault.KIND),
        (4, RowFault.CELLS),
        (6, RowFault.NUMBER),
    ]
    assert (first.added, first.known, again.added, again.known) == (2, 0, 0, 2)


def test_no_number_is_kept(sqlite_crowd: People) -> None:
    share(sqlite_crowd, "XG2021-SECRET")

    rows = sqlite_crowd.world.database.read(
        lambda session: [row.number_digest for row in session.scalars(select(SharedRegister))]
    )

    assert [len(row) for row in rows] == [64]
    assert rows != [VAULT.digest("register", "XG2021-SECRET")], "a kind of its own"


@pytest.mark.parametrize(
    "raw", [b"", b"number,kind\n", b"kind,number\n\xff\xfe", b'kind,number\n"open', b"kind;number\n"]
)
def test_what_is_no_register_is_refused_whole(sqlite_crowd: People, raw: bytes) -> None:
    with pytest.raises(RegisterUnreadable):
        imported(sqlite_crowd, raw)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.BIG_DATA_BUREAU])
def test_the_bureau_alone_shares(sqlite_crowd: People, role: Role) -> None:
    with pytest.raises(NotPermitted):
        imported(sqlite_crowd, b"kind,number\n", bureau(role))
