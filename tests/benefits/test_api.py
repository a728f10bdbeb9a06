"""The JSON API of the catalogue and of what benefits stand on, from application to budget."""

from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import Api
from tests.api.test_edge import problem
from tests.benefits.conftest import Shelf
from tests.benefits.test_sheets import ROW, sheet
from tests.world import Member, World


@pytest.fixture
def site(sqlite_world: World, tmp_path: Path) -> Api:
    return Api(sqlite_world, tmp_path)


def post(site: Api, member: Member, path: str, body: Any = None, status: int = 200) -> Any:
    answer = site.call(member, "POST", path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def got(site: Api, member: Member, path: str) -> Any:
    answer = site.call(member, "GET", path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_benefit_comes_onto_the_shelf_by_api_alone(site: Api, sqlite_world: World) -> None:
    shelf, why = Shelf(sqlite_world), {"reason": "虚构的理由"}
    bank, operator, office = shelf.bank, shelf.operator, shelf.office
    licence = {"organisation": bank.id, "licence_type": "金融许可证", "licence_number": "虚构B0001"}
    problem(site.call(operator, "POST", "/access/finance", json=licence), 403, "own-application-needed")
    access = post(site, bank, "/access/finance", licence, 201)["id"]
    post(site, shelf.finance_bureau, f"/access/{access}/examination", why)
    assert post(site, office, f"/access/{access}/admission")["state"] == "ADMITTED"
    assert [step["state"] for step in got(site, bank, f"/access/{access}")["steps"]][-1] == "ADMITTED"

    version = {
        "title": "虚构权益",
        "text": "凭码办理。",
        "starts_on": shelf.today.isoformat(),
        "ends_on": "2027-01-31",
        "tiers": [{"tier": "YOUTH", "quota": 1}],
        "agreement": shelf.agreement(bank),
        "stipulation": 0,
    }
    body = {"number": "XG-1", "category": "FINANCIAL", "version": version}
    made = post(site, bank, "/benefits", body, 201)
    at = f"/benefits/{made['benefit']}/versions/1"
    assert post(site, bank, f"{at}/review")["state"] == "REVIEW"
    assert [each["benefit"] for each in got(site, operator, "/benefits?awaits_review=true")["items"]] == [
        made["benefit"]
    ]
    assert post(site, operator, f"{at}/publication")["state"] == "PUBLISHED"
    assert post(site, bank, f"{at}/pause", why)["state"] == "PAUSED"
    assert post(site, operator, f"{at}/resumption")["state"] == "PUBLISHED"
    assert got(site, bank, at)["tiers"][0]["quota"] == 1

    term = {"starts_on": version["starts_on"], "ends_on": version["ends_on"]}
    budget = post(site, bank, f"/benefits/{made['benefit']}/budgets", {**term, "limit_units": 5}, 201)["id"]
    post(site, bank, f"/budgets/{budget}/limits", {"limit_units": 9})
    assert got(site, bank, "/budgets")["items"][0]["limit_units"] == 9
    problem(site.call(bank, "POST", f"/budgets/{budget}/limits", json={}), 422, "validation-failed")
    assert post(site, bank, f"{at}/withdrawal", why)["state"] == "WITHDRAWN"


def test_mandates_and_measures_are_moved_by_api(site: Api, sqlite_world: World) -> None:
    shelf = Shelf(sqlite_world)
    draft = shelf.mandate_draft().model_dump(mode="json")
    mandate = post(site, shelf.office, "/mandates", draft, 201)["id"]
    problem(site.call(shelf.office, "POST", f"/mandates/{mandate}/activation"), 409, "own-proposal")
    assert got(site, shelf.operator, "/mandates")["items"][0]["state"] == "DRAFT"
    post(site, shelf.office, f"/mandates/{mandate}/end", {"reason": "虚构的理由"})

    measure = post(site, shelf.office, "/measures", shelf.measure_draft().model_dump(mode="json"), 201)["id"]
    post(site, shelf.office, f"/measures/{measure}/steps", {"to": "ON_AGENDA"})
    assert got(site, shelf.bureau, f"/measures/{measure}")["state"] == "ON_AGENDA"
    in_force = site.call(shelf.office, "POST", f"/measures/{measure}/steps", json={"to": "IN_FORCE"})
    problem(in_force, 422, "validation-failed")


def test_a_sheet_goes_in_and_out_by_api(site: Api, sqlite_world: World) -> None:
    merchant = Shelf(sqlite_world).merchant
    wrong = {"file": ("a.csv", sheet(ROW.replace("2026-12-01", "x")))}
    refused = problem(site.call(merchant, "POST", "/benefits/sheet", files=wrong), 422, "sheet-refused")
    assert [each["path"] for each in refused["errors"]] == ["2.starts_on"]

    taken = site.call(merchant, "POST", "/benefits/sheet", files={"file": ("a.csv", sheet(ROW))})
    assert taken.json() == {"drafted": 1, "revised": 0, "unchanged": 0}
    for form in ("csv", "xlsx"):
        answer = site.call(merchant, "GET", f"/benefits/sheet?format={form}")
        assert answer.status_code == 200
        assert f"benefits.{form}" in answer.headers["content-disposition"]
