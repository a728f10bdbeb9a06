"""Applications and recognitions over the JSON API: the same acts, once each, by those whose they are."""

import secrets
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from talentseal.accounts.roles import PERMISSIONS, Role
from talentseal.talents.models import DocumentKind, TalentAccess
from talentseal.web.models import IdempotentAnswer
from tests.api.conftest import Api
from tests.talents.conftest import PAPER, People, basic, education, high, in_force, work
from tests.talents.filed import BASE, filed
from tests.world import Member, World


@pytest.fixture
def people(sqlite_world: World) -> People:
    return in_force(sqlite_world)


@pytest.fixture
def api(people: People, tmp_path: Path) -> Api:
    return Api(people.world, tmp_path)


def talent_of(people: People) -> Member:
    """A talent with a key for programs, as the console alone gives one."""
    return Member(people.talent(), None, "虚构昵称")


def clerk(api: Api, name: str = "虚构人才办") -> Member:
    return api.world.member(name, role=Role.TALENT_OFFICE)


def sent(api: Api, talent: Member, application: str) -> None:
    """Fill an application in and hand it in."""
    parts: dict[str, Any] = {"basic": basic(), "work": work(), "education": education(), "claim": high()}
    for part, value in parts.items():
        body = {"part": part, "value": value.model_dump(mode="json")}
        answer = api.call(talent, "POST", f"/applications/{application}/parts", json=body)
        assert answer.status_code == 200, answer.text
    for kind in (*BASE, DocumentKind.RECOGNITION):
        answer = api.call(
            talent,
            "POST",
            f"/applications/{application}/documents",
            data={"kind": kind.value},
            files={"document": ("paper.pdf", PAPER)},
        )
        assert answer.status_code == 201, answer.text
    answer = api.call(talent, "POST", f"/applications/{application}/submission")
    assert (answer.status_code, answer.json()["state"]) == (200, "SUBMITTED"), answer.text


def test_an_application_goes_its_way_by_programs_as_well(api: Api, people: People) -> None:
    talent, first, second = talent_of(people), clerk(api, "一"), clerk(api, "二")
    identifier = api.call(talent, "POST", "/applications").json()["id"]
    sent(api, talent, identifier)

    at = f"/applications/{identifier}"
    listed = api.call(first, "GET", "/applications").json()
    api.call(first, "POST", f"{at}/review")
    seen = api.call(first, "GET", f"{at}/review").json()
    paper = api.call(first, "GET", f"{at}/review/documents/{seen['documents'][0]['id']}")
    approval = {"proved": ["RECOGNITION"], "reason": "一致（虚构）"}
    approved = api.call(first, "POST", f"{at}/approval", json=approval)
    waiting = api.call(second, "GET", "/recognitions").json()["items"]
    recognition = f"/recognitions/{waiting[0]['id']}"
    opened = api.call(second, "GET", recognition).json()
    confirmed = api.call(second, "POST", f"{recognition}/confirmation", json={"reason": "一致（虚构）"})

    assert [row["id"] for row in listed["items"]] == [identifier]
    assert seen["content"]["basic"]["full_name"] == "欧阳虚构"
    assert paper.content == PAPER
    assert (approved.json()["state"], confirmed.json()["state"]) == ("APPROVED", "CONFIRMED")
    assert [document["kind"] for document in opened["documents"]] == ["RECOGNITION"]
    tier = api.call(talent, "GET", "/me/tier").json()
    assert (tier["code"]["tier"], tier["recognitions"][0]["steps"][-1]["basis"]["article"]) == ("HIGH_E", 7)
    rows = people.world.database.read(lambda session: session.scalars(select(TalentAccess)).all())
    assert len(rows) == 3


def test_the_same_request_sent_again_does_nothing_and_no_plain_digest_of_it_is_kept(
    api: Api, people: People
) -> None:
    talent = talent_of(people)
    identifier = api.call(talent, "POST", "/applications").json()["id"]
    key = {"Idempotency-Key": secrets.token_hex(8)}
    body = {"part": "basic", "value": basic().model_dump(mode="json")}
    path = f"/applications/{identifier}/parts"

    first = api.call(talent, "POST", path, json=body, headers=key)
    again = api.call(talent, "POST", path, json=body, headers=key)
    other = api.call(
        talent, "POST", path, json={"part": "work", "value": work().model_dump(mode="json")}, headers=key
    )

    assert (first.content, first.status_code) == (again.content, 200)
    assert again.headers["idempotency-replayed"] == "true"
    assert other.status_code == 422
    from talentseal.web.idempotency import fingerprint

    kept = people.world.database.read(lambda session: session.scalars(select(IdempotentAnswer)).all())
    tried = fingerprint("POST application part", {"about": identifier, "sent": body})
    assert tried not in {row.fingerprint for row in kept}


def test_another_s_application_is_not_found_whatever_is_tried(api: Api, people: People) -> None:
    owner, stranger = talent_of(people), talent_of(people)
    at = f"/applications/{api.call(owner, 'POST', '/applications').json()['id']}"
    body = {"part": "work", "value": work().model_dump(mode="json")}
    paper = {"data": {"kind": "IDENTITY"}, "files": {"document": ("a.pdf", PAPER)}}
    added = api.call(owner, "POST", f"{at}/documents", **paper).json()["id"]

    answers = [
        api.call(stranger, "GET", at),
        api.call(stranger, "POST", f"{at}/parts", json=body),
        api.call(stranger, "POST", f"{at}/documents", **paper),
        api.call(stranger, "GET", f"{at}/documents/{added}"),
        api.call(stranger, "DELETE", f"{at}/documents/{added}"),
        api.call(stranger, "POST", f"{at}/submission"),
        api.call(stranger, "POST", f"{at}/withdrawal"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert {answer.json()["code"] for answer in answers} == {"application-not-found"}
    assert api.call(owner, "GET", f"{at}/documents/{added}").content == PAPER


@pytest.mark.parametrize("role", Role)
def test_each_operation_is_for_those_whose_work_it_is(api: Api, people: People, role: Role) -> None:
    names = filed(people)
    member = talent_of(people) if role is Role.TALENT else api.world.member("虚构机构", role=role)
    at, recognition = f"/applications/{names['submitted']}", f"/recognitions/{names['recognition']}"
    reason = {"reason": "一致（虚构）"}
    csv = {"files": {"file": ("register.csv", b"kind,number\n", "text/csv")}}
    paper = {"data": {"kind": "IDENTITY"}, "files": {"document": ("a.pdf", PAPER)}}
    talent, office, bureau = {Role.TALENT}, {Role.TALENT_OFFICE}, {Role.BIG_DATA_BUREAU}
    operations: list[tuple[str, str, dict[str, Any], set[Role]]] = [
        ("GET", "/applications", {}, office),
        ("POST", "/applications", {}, talent),
        ("GET", at, {}, talent),
        ("POST", f"{at}/parts", {"json": {"part": "research", "value": "一"}}, talent),
        ("POST", f"{at}/documents", paper, talent),
        ("GET", f"{at}/documents/{'0' * 32}", {}, talent),
        ("DELETE", f"{at}/documents/{'0' * 32}", {}, talent),
        ("POST", f"{at}/submission", {}, talent),
        ("POST", f"{at}/withdrawal", {}, talent),
        ("POST", f"{at}/review", {}, office),
        ("GET", f"{at}/review", {}, office),
        ("GET", f"{at}/review/documents/{'0' * 32}", {}, office),
        ("POST", f"{at}/return", {"json": {"defects": [{"part": "work", "text": "一"}]}}, office),
        ("POST", f"{at}/rejection", {"json": {"ground": "NOT_PROVED", **reason}}, office),
        ("POST", f"{at}/approval", {"json": reason}, office),
        ("GET", "/me/tier", {}, talent),
        ("GET", "/recognitions", {}, office),
        ("GET", recognition, {}, office),
        ("POST", f"{recognition}/confirmation", {"json": reason}, office),
        ("POST", f"{recognition}/ending", {"json": {"state": "REVOKED", **reason}}, office),
        ("POST", "/registers", csv, bureau),
    ]

    for method, path, options, roles in operations:
        answer = api.call(member, method, path, **options)
        assert (answer.status_code == 403) == (role not in roles), (method, path, answer.text)
        assert answer.status_code != 422, (method, path, answer.text)
        assert api.call(None, method, path, **options).status_code == 401, (method, path)
    assert PERMISSIONS[role]


def test_a_register_names_its_wrong_lines(api: Api) -> None:
    bureau = api.world.member("虚构大数据局", role=Role.BIG_DATA_BUREAU)
    raw = b"kind,number\nGRADUATION_CERTIFICATE,XG-1\nDEGREE,XG-2\n"

    answer = api.call(bureau, "POST", "/registers", files={"file": ("r.csv", raw, "text/csv")})

    assert answer.status_code == 200
    assert answer.json() == {"added": 1, "known": 0, "refused": [{"line": 3, "fault": "KIND"}]}


@pytest.mark.parametrize(
    "path", ["/applications/1/review", "/recognitions/x", f"/applications/{'A' * 32}/review"]
)
def test_what_is_no_identifier_is_said_to_be_none(api: Api, path: str) -> None:
    assert api.call(clerk(api), "GET", path).status_code == 422
