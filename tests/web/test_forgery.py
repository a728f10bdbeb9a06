"""What changes something is refused when another site sent it, and taken from our pages and from programs."""

import pytest

from tests.api.conftest import Api

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "http://testserver.example"},
        {"Origin": "null"},
    ],
)
def test_an_unsafe_request_of_another_site_is_refused(api: Api, method: str, headers: dict[str, str]) -> None:
    answer = api.http.request(method, "/api/v1/agreements", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (403, "cross-site-request")


@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": "http://testserver"}],
)
def test_our_own_pages_and_programs_are_let_through(api: Api, headers: dict[str, str]) -> None:
    assert api.http.post("/api/v1/agreements", headers=headers).status_code == 401


def test_reading_is_open_to_every_site(api: Api) -> None:
    assert api.http.get("/log/key", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_a_person_reads_the_refusal_in_words(api: Api) -> None:
    answer = api.http.post("/", headers={"Sec-Fetch-Site": "cross-site", "Accept": "text/html"})

    assert answer.status_code == 403
    assert "该请求来自其他网站" in answer.text
