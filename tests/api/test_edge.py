"""The edge: every refusal is a problem document with a stable code and two sentences, every answer carries
the headers.
"""

import json
from typing import Any

import pytest
from eth_account import Account as EthereumAccount
from eth_account.messages import encode_defunct

from talentseal.accounts.credit_code import check_character
from talentseal.accounts.roles import Role
from talentseal.web.language import prefers_english
from talentseal.web.security import HEADERS
from tests.api.conftest import Api
from tests.world import Member, World

JSON, PLAIN = {"Content-Type": "application/json"}, {"Content-Type": "text/plain"}
SIGNATURE = "0x" + "11" * 65
NOWHERE = "/agreements/0x" + "11" * 32 + "/versions/1"


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The body, after what holds for every problem has been checked."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"urn:talentseal:problem:{code}"
    assert body["zh"]
    assert body["en"]
    return body


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "code"),
    [
        ("GET", "/nowhere", {}, 404, "not-found"),
        ("GET", "/agreements/", {}, 404, "not-found"),
        ("GET", "/agreements/upload", {}, 405, "method-not-allowed"),
        ("PUT", "/agreements", {}, 405, "method-not-allowed"),
        ("GET", NOWHERE, {}, 404, "agreement-not-found"),
        ("GET", "/agreements/0xABC/versions/1", {}, 422, "validation-failed"),
        ("GET", "/agreements?limit=0", {}, 422, "validation-failed"),
        ("GET", "/evidence/" + "0" * 32, {}, 404, "record-not-found"),
        ("POST", "/agreements", {"json": {}}, 422, "validation-failed"),
        ("POST", "/agreements", {"content": "{", "headers": JSON}, 422, "validation-failed"),
        ("POST", "/agreements", {"content": b"\xff\xfe", "headers": JSON}, 422, "validation-failed"),
        ("POST", "/agreements", {"content": "a=b", "headers": PLAIN}, 422, "validation-failed"),
        ("POST", "/agreements/upload", {"json": {}}, 422, "validation-failed"),
        ("POST", "/agreements", {"json": {"title": "x" * 1_100_000}}, 413, "body-too-large"),
        ("POST", NOWHERE + "/signatures", {"json": {"signature": "0x00"}}, 422, "validation-failed"),
        ("POST", NOWHERE + "/signatures", {"json": {"signature": SIGNATURE}}, 404, "agreement-not-found"),
        ("DELETE", NOWHERE, {}, 404, "agreement-not-found"),
    ],
)  # fmt: skip
def test_every_refusal_is_a_problem_with_its_own_code(
    api: Api, bank: Member, method: str, path: str, *, options: dict[str, Any], status: int, code: str
) -> None:
    problem(api.call(bank, method, path, **options), status, code)


def test_a_key_is_needed_everywhere_but_where_everyone_may_look(api: Api) -> None:
    described = api.call(None, "GET", "/openapi.json").json()["paths"]

    for path, verbs in described.items():
        for verb, operation in verbs.items():
            if not operation.get("security"):
                assert path in {
                    "/api/v1/checkpoints", "/api/v1/checkpoints/{size}", "/api/v1/trust",
                    "/api/v1/calendar", "/api/v1/calendar/deadline",
                    "/api/v1/instruments", "/api/v1/instruments/{instrument}/versions/{number}",
                    "/log/checkpoint", "/log/key", "/log/tile/{place}",
                    "/healthz", "/readyz", "/metrics", "/version",
                }  # fmt: skip
                continue
            concrete = path.replace("{place}", "000").replace("{organisation_id}", "0x" + "11" * 32)
            concrete = concrete.replace("{agreement_id}", "0x" + "11" * 32).replace("{version}", "1")
            concrete = concrete.replace("{record_id}", "1" * 32).replace("{address}", "0x" + "11" * 20)
            concrete = concrete.replace("{index}", "0").replace("{key_id}", "1" * 16)
            concrete = concrete.replace("{instrument}", "x").replace("{number}", "1")
            concrete = concrete.replace("{interpretation}", "1" * 32)
            for name in ("outlet_id", "terminal_id", "account_id", "rule", "case_id", "termination_id"):
                concrete = concrete.replace(f"{{{name}}}", "1" * 32)
            answer = api.http.request(verb, concrete, headers={"Idempotency-Key": "k"})
            assert answer.status_code in {401, 422}, (verb, path, answer.status_code)


def test_without_a_valid_key_nothing_is_told(api: Api) -> None:
    for header in ({}, {"Authorization": "Bearer ts_" + "0" * 16 + "_" + "A" * 43}):
        answer = api.http.get("/api/v1/agreements", headers=header)
        problem(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_an_unsafe_request_without_an_idempotency_key_is_refused(
    api: Api, bank: Member, office: Member
) -> None:
    key = {"Authorization": f"Bearer {api.key_of(bank)}"}

    answer = api.http.post("/api/v1/agreements", json=api.body(bank, office), headers=key)

    body = problem(answer, 422, "validation-failed")
    assert [each["path"] for each in body["errors"]] == ["header.Idempotency-Key"]


def test_fields_that_break_rules_are_named_and_never_quoted(api: Api, bank: Member, office: Member) -> None:
    body = api.body(bank, office)
    body["parties"][1]["role"] = "秘密\u0000身份"
    body["unknown"] = "不应出现的内容"
    body["document"]["size"] = "12"

    answer = api.call(bank, "POST", "/agreements", json=body)

    found = problem(answer, 422, "validation-failed")["errors"]
    assert {each["path"] for each in found} >= {"body.parties.1.role", "body.unknown", "body.document.size"}
    assert "秘密" not in answer.text
    assert "不应出现的内容" not in answer.text


def test_the_sentence_follows_the_language_asked_for(api: Api, bank: Member) -> None:
    for language, word in (("en", "Nothing found"), ("zh-CN", "没有找到"), ("", "没有找到")):
        answer = api.call(bank, "GET", "/nowhere", headers={"Accept-Language": language})
        assert word in problem(answer, 404, "not-found")["detail"]


@pytest.mark.parametrize(
    ("header", "english"),
    [
        (None, False), ("", False), ("en", True), ("en-GB,zh;q=0.5", True), ("zh-CN,en", False),
        ("fr,en", True), ("*", False), (";;;,", False),
    ],
)  # fmt: skip
def test_chinese_unless_english_comes_first(header: str | None, english: bool) -> None:
    assert prefers_english(header) is english


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/log/checkpoint", "/metrics", "/agreements"])
def test_every_answer_carries_the_security_headers(api: Api, path: str) -> None:
    answer = api.call(None, "GET", path)

    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert "server" not in answer.headers


def test_crashes_and_refusals_before_the_routes_carry_them_too(api: Api, bank: Member) -> None:
    answer = api.call(bank, "POST", "/agreements", json={"title": "x" * 1_100_000})

    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


def test_there_is_no_page_that_loads_from_elsewhere(api: Api) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert api.http.get(path).status_code == 404


def test_every_operation_documents_its_problems(api: Api) -> None:
    described = api.call(None, "GET", "/openapi.json").json()

    for verbs in described["paths"].values():
        for verb, operation in verbs.items():
            answers = operation["responses"]
            expected = {"404", "422", "500", "503"} | ({"401", "403"} if operation.get("security") else set())
            expected |= {"413", "415"} if verb != "get" else set()
            assert expected <= set(answers)
            for status in expected - {"503"}:
                assert "application/problem+json" in answers[status]["content"]
    assert "HTTPValidationError" not in json.dumps(described)


def test_organisations_over_http(api: Api, world: World, bank: Member) -> None:
    operator = world.member("运营机构", role=Role.OPERATOR)
    body = "91410100MB1234567"
    command = {"name": "新合作单位", "credit_code": body + check_character(body), "kind": "MERCHANT"}

    made = api.call(operator, "POST", "/organisations", json=command)
    again = api.call(operator, "POST", "/organisations", json=command)
    refused = api.call(bank, "POST", "/organisations", json=command)

    assert made.status_code == 201
    problem(again, 409, "organisation-exists")
    problem(refused, 403, "not-permitted")
    shown = api.call(bank, "GET", f"/organisations/{made.json()['id']}").json()
    assert shown["name"] == "新合作单位"
    seen = api.call(bank, "GET", "/organisations?limit=1").json()
    assert len(seen["items"]) == 1
    assert seen["next"] == seen["items"][0]["id"]


def test_a_key_from_request_to_revocation_over_http(api: Api, world: World, bank: Member) -> None:
    operator, key = world.member("运营机构", role=Role.OPERATOR), EthereumAccount.create()
    path = f"/organisations/{bank.id}/keys"

    asked = api.call(bank, "POST", path, json={"address": key.address.lower()}).json()
    answer = EthereumAccount.sign_message(encode_defunct(text=asked["challenge"]), key.key).signature
    proven = api.call(
        bank, "POST", f"{path}/{key.address}/proof", json={"signature": "0x" + bytes(answer).hex()}
    )
    problem(api.call(bank, "POST", f"{path}/{key.address}/approval"), 403, "not-permitted")
    approved = api.call(operator, "POST", f"{path}/{key.address}/approval")
    revoked = api.call(bank, "POST", f"{path}/{key.address}/revocation")

    assert [each.json()["state"] for each in (proven, approved, revoked)] == [
        "PROVEN",
        "REGISTERED",
        "REVOKED",
    ]
    assert len(api.call(bank, "GET", path).json()["items"]) == 2
    stranger = world.member("外部商户")
    problem(api.call(stranger, "GET", path), 404, "signing-key-not-found")
    problem(api.call(stranger, "POST", path, json={"address": key.address}), 404, "signing-key-not-found")


@pytest.mark.scenario(95)
def test_a_public_key_is_refused_over_http_outside_a_demonstration(api: Api, bank: Member) -> None:
    public = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"

    answer = api.call(bank, "POST", f"/organisations/{bank.id}/keys", json={"address": public})

    problem(answer, 422, "public-key-refused")


def test_corrections_over_http(api: Api, world: World, bank: Member, office: Member) -> None:
    receipt = api.signed(bank, office)
    talent_office = world.member("人才办", role=Role.TALENT_OFFICE)
    path = f"/evidence/{receipt['record']}"
    command = {"reason": "WRONG_CONTENT", "explanation": "利率有误，应以第二版为准"}

    lower = api.call(bank, "POST", f"{path}/retractions", json=command)
    made = api.call(talent_office, "POST", f"{path}/corrections", json=command)

    problem(lower, 403, "signer-class-too-low")
    assert made.status_code == 201
    shown = api.call(bank, "GET", path).json()
    assert shown["closed_by"] == [{"relation": "CORRECTS", "record": made.json()["record"]}]
    assert (
        api.call(bank, "GET", f"/evidence/{made.json()['record']}").json()["refers_to"] == receipt["record"]
    )


def test_returning_a_version_over_http(api: Api, world: World, bank: Member, office: Member) -> None:
    receipt = api.submit(bank, bank, office)
    operator = world.member("运营机构", role=Role.OPERATOR)
    path = f"/agreements/{receipt['agreement']}/versions/1"

    returned = api.call(operator, "POST", f"{path}/return", json={"reason": "缺少附件"})
    late = api.call(bank, "POST", f"{path}/signatures", json={"signature": bank.sign(receipt["digest"])})

    assert returned.json()["state"] == "RETURNED"
    problem(late, 409, "agreement-state")
    assert api.call(bank, "GET", path).json()["return_reason"] == "缺少附件"


def test_a_draft_over_http(api: Api, bank: Member, office: Member) -> None:
    receipt = api.call(bank, "POST", "/agreements", json={**api.body(bank, office), "draft": True}).json()
    path = f"/agreements/{receipt['agreement']}/versions/1"

    hidden = api.call(office, "GET", path)
    opened = api.call(bank, "POST", f"{path}/submission")
    kept = api.call(bank, "DELETE", path)

    assert receipt["state"] == "DRAFT"
    assert hidden.status_code == 404
    assert opened.json()["state"] == "SUBMITTED"
    problem(kept, 409, "agreement-state")


class Listening:
    """Telemetry that somebody set up in the process, and for whom a tracer was made."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def get_tracer(self, name: str, *_: object, **__: object) -> None:
        self.told.append(name)


def test_whoever_collects_telemetry_in_the_process_hears_nothing_of_a_request(
    api: Api, bank: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening = Listening()
    monkeypatch.setattr("opentelemetry.trace.get_tracer_provider", lambda: listening)

    answer = api.call(bank, "GET", "/agreements")

    assert (answer.status_code, listening.told) == (200, [])
