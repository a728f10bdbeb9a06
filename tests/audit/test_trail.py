"""The audit trail: an organisation sees every record that concerns it, and no other; on both databases."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Role
from talentseal.audit import corrections, trail
from talentseal.audit.events import CorrectionReason
from talentseal.audit.trail import Period, Topic
from talentseal.clock import legal_date
from talentseal.evidence import records
from talentseal.evidence.records import ErasureReason
from talentseal.evidence.status import RecordState
from talentseal.partners import service as partners
from talentseal.partners.events import KeyAct
from tests.agreements.desk import Desk
from tests.api.conftest import Api
from tests.world import PDF, Member, World, intake


def lines(world: World, member: Member, **wanted: Any) -> list[trail.Line]:
    period = Period(**wanted)
    return world.database.read(
        lambda session: list(
            trail.trail_of(session, member.actor, after=None, limit=100, period=period).lines
        )
    )


def kinds(world: World, member: Member, **wanted: Any) -> list[int]:
    return [line.kind for line in lines(world, member, **wanted)]


def test_parties_see_what_they_signed_and_their_own_keys(world: World, bank: Member, office: Member) -> None:
    world.signed(bank, office)

    seen = lines(world, bank)

    assert sorted(line.kind for line in seen) == [10, 20, 20, 90]
    assert seen[-1].subject == trail.Subject(Topic.KEY, address=bank.address, act=KeyAct.REGISTERED)
    agreement = next(line for line in seen if line.kind == 10)
    assert agreement.subject is not None
    assert (agreement.subject.title, agreement.subject.version) == ("人才专属贷款合作协议", 1)
    assert {line.subject.clause for line in seen if line.subject} == {"第三条", "第四条", None}


def test_the_newest_stands_first(world: World, bank: Member, office: Member) -> None:
    world.signed(bank, office)

    times = [line.recorded_at for line in lines(world, bank)]

    assert times == sorted(times, reverse=True)


def test_an_outsider_sees_none_of_it(world: World, bank: Member, office: Member) -> None:
    world.signed(bank, office)
    outsider, auditor = world.member("局外机构"), world.member("审计机构", role=Role.AUDITOR)

    assert kinds(world, outsider) == [90]
    assert kinds(world, auditor) == []


def test_what_is_not_signed_by_all_has_left_no_record(world: World, bank: Member, office: Member) -> None:
    world.sign(bank, world.submit(bank, intake(bank, office)).version)

    assert kinds(world, bank) == [90]


def test_a_revoked_key_is_told(world: World, bank: Member) -> None:
    now = world.clock.advance(minutes=1)
    world.database.write(
        lambda session: partners.revoke_key(session, bank.actor, bank.id, bank.address, now=now)
    )

    acts = [line.subject.act for line in lines(world, bank) if line.subject]

    assert acts == [KeyAct.REVOKED, KeyAct.REGISTERED]


def test_later_records_on_a_record_concern_whom_it_concerned(
    world: World, bank: Member, office: Member
) -> None:
    version = world.signed(bank, office)
    higher = world.member("领导小组", role=Role.LEADING_GROUP)
    now = world.clock.advance(minutes=1)
    reason = next(iter(CorrectionReason))

    def close(session: Session) -> None:
        assert version.record_id is not None
        corrections.correct(session, higher.actor, version.record_id, reason, "标题有误", now=now)
        records.erase(session, version.record_id, ErasureReason.RETENTION_ENDED, now=now)

    world.database.write(close)

    for member in (bank, office):
        seen = lines(world, member)
        assert {line.kind for line in seen} == {10, 20, 80, 82, 90}
        corrected = next(line for line in seen if line.kind == 10)
        assert corrected.closed
        assert all(line.subject for line in seen)


def test_states_and_places_follow_the_log(world: World, bank: Member) -> None:
    assert [(line.state, line.index) for line in lines(world, bank)] == [(RecordState.RECORDED, None)]

    world.settle()

    (line,) = lines(world, bank)
    assert line.state is RecordState.FINAL
    assert line.index is not None


def test_kinds_and_days_narrow_it(world: World, bank: Member, office: Member) -> None:
    world.clock.advance(days=3)
    world.signed(bank, office)
    today = legal_date(world.clock.now())

    assert kinds(world, bank, kind=20) == [20, 20]
    assert 90 not in kinds(world, bank, first=today)
    assert kinds(world, bank, last=today - timedelta(days=1)) == [90]
    assert kinds(world, bank, first=today, last=today, kind=10) == [10]


def test_a_day_ends_at_midnight_in_beijing(world: World, bank: Member) -> None:
    recorded = lines(world, bank)[0].recorded_at
    day = legal_date(recorded)

    assert kinds(world, bank, first=day, last=day) == [90]
    assert kinds(world, bank, last=day - timedelta(days=1)) == []
    assert kinds(world, bank, first=day + timedelta(days=1)) == []


def test_pages_follow_each_other_without_gap_or_repetition(
    world: World, bank: Member, office: Member
) -> None:
    for number in range(3):
        world.signed(bank, office, plain=PDF + bytes([number]), number=f"N-{number}")
    whole = [line.record for line in lines(world, bank)]

    def walk(session: Session) -> list[str]:
        found, after = [], None
        while True:
            page = trail.trail_of(session, bank.actor, after=after, limit=3)
            found += [line.record for line in page.lines]
            if page.next is None:
                return found
            after = page.next

    assert len(whole) == 10
    assert world.database.read(walk) == whole


@pytest.fixture
def desk(api: Api, bank: Member) -> Desk:
    return Desk(api, bank)


def test_the_api_answers_with_the_same_records(api: Api, world: World, bank: Member, office: Member) -> None:
    world.signed(bank, office)

    first = api.call(bank, "GET", "/evidence?limit=3").json()
    rest = api.call(bank, "GET", f"/evidence?limit=3&after={first['next']}").json()

    told = [item["record"] for item in first["items"] + rest["items"]]
    assert told == [line.record for line in lines(world, bank)]
    assert rest["next"] is None
    assert api.call(bank, "GET", "/evidence?kind=90").json()["items"][0]["address"] == bank.address
    assert api.call(None, "GET", "/evidence").status_code == 401


def test_the_page_tells_each_record_and_what_can_be_taken_home(
    desk: Desk, world: World, bank: Member, office: Member
) -> None:
    version = world.signed(bank, office)
    world.settle()

    page = desk.get("/trail").text

    for shown in (
        "协议签齐存证",
        "第三条 · 人才专属贷款合作协议 ZD-2026-001 第 1 版",
        "已定局",
        bank.address,
    ):
        assert shown in page
    assert f'href="/trail/{version.record_id}.seal.json"' in page
    assert re.search(rf"/verify\?record={version.record_id}&amp;leaf=[0-9a-f]{{64}}", page)


def test_the_export_says_exactly_what_the_page_says(
    desk: Desk, world: World, bank: Member, office: Member
) -> None:
    world.signed(bank, office, title="=HYPERLINK(1)")
    world.settle()

    for query in ("", "?kind=20", "?kind=20&lang=en"):
        page, answer = desk.get("/trail" + query).text, desk.get("/trail.csv" + query)
        assert answer.content.startswith(b"\xef\xbb\xbf")
        head, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
        assert [row[5] for row in rows] == re.findall(r"<code>([0-9a-f]{32})</code>", page)
        assert all(row[3] in page and row[0] in page and row[1] in page for row in rows)
        assert len(head) == 6
        assert not any(cell.startswith("=") for row in rows for cell in row)


def test_an_empty_trail_and_an_empty_filter_say_what_to_do(desk: Desk, world: World) -> None:
    auditor = world.member("审计机构", role=Role.AUDITOR)

    assert "没有符合条件的记录" in desk.get("/trail?kind=13").text
    assert "还没有存证记录" in desk.as_(auditor).get("/trail").text
    for odd in ("kind=x&first=y&last=2026-13-01", "first=0001-01-01", "last=9999-12-31", "after=%00"):
        assert desk.get("/trail?" + odd).status_code == 200


def test_proofs_are_taken_home_by_the_parties_alone(
    desk: Desk, world: World, bank: Member, office: Member
) -> None:
    version = world.signed(bank, office)
    world.settle()
    files = [f"/trail/{version.record_id}{suffix}" for suffix in (".seal.json", ".tlog-proof", ".pdf")]
    files.append(f"/agreements/{version.agreement_id}/certificate.pdf")

    for file in files:
        answer = desk.get(file)
        assert answer.status_code == 200, file
        assert "attachment" in answer.headers["content-disposition"]
    outsider = desk.as_(world.member("局外机构"))
    assert [outsider.get(file).status_code for file in files] == [404] * 4
    assert outsider.get("/trail/0000.seal.json").status_code == 404
