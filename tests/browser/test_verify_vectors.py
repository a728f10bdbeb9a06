"""The verifier in a real page gives the report of sealproof on every stored bundle and on altered ones."""

import base64
import json
from typing import Any

import pytest

from sealproof import verify
from sealproof.trust import Trust
from tests.browser.screens import DESKTOP
from tests.browser.visit import Visit
from tests.sealproof import altering
from tests.sealproof.samples import LocalChain, Sample
from tests.sealproof.test_alterations import SAMPLES
from tests.sealproof.test_signed_vectors import STORED
from tests.sealproof.test_signed_vectors import TRUST as STORED_TRUST
from tests.web.test_browser_verifier import Recorder

RUN = """async ([base, jobs]) => {
  const [{ verify }, { loadTrust }, { JsonRpcChain }] = await Promise.all(
    ["verify", "trust", "rpc"].map((name) => import(`${base}/sealproof/${name}.js`)));
  const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const reports = [];
  for (const { raw, trust, document, replies } of jobs) {
    const post = async (body) => bytes(replies[new TextDecoder().decode(body)]);
    reports.push(await verify(bytes(raw), {
      trust: loadTrust(bytes(trust)),
      document: document && bytes(document),
      chain: replies && new JsonRpcChain(post),
    }));
  }
  return reports;
}"""


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def reports_of(visit: Visit, jobs: list[dict[str, Any]]) -> list[Any]:
    page = visit.open("/verify")
    script = page.locator('script[src$="/verify.js"]').get_attribute("src") or ""
    found: list[Any] = page.evaluate(RUN, [script.removesuffix("/verify.js"), jobs])
    return found


def stored() -> list[bytes]:
    """The stored vectors of bundles, put together."""
    found = []
    for case in STORED["bundles"]["cases"]:
        value = STORED["bundles"]["good"][case["input"]["bundle"]]
        for place, new in case["input"]["change"]:
            value = altering.replaced(value, tuple(place), new)
        found.append(json.dumps(value).encode())
    return found


@pytest.mark.parametrize("screen", [DESKTOP], ids=str)
def test_every_stored_bundle_gets_the_report_of_sealproof_in_the_page(visit: Visit) -> None:
    raws, trust = stored(), b64(STORED_TRUST.dump())
    expected = [verify.verify(raw, trust=STORED_TRUST, document=None, chain=None).to_json() for raw in raws]

    found = reports_of(
        visit, [{"raw": b64(raw), "trust": trust, "document": None, "replies": None} for raw in raws]
    )

    assert len(raws) > 70
    assert found == expected


def job_of(sample: Sample, trust: Trust) -> tuple[dict[str, Any], Any]:
    """A bundle with its chain's replies, and what sealproof says of it."""
    chain = Recorder(sample.state)
    assert isinstance(chain, LocalChain)
    report = verify.verify(sample.raw, trust=trust, document=sample.document, chain=chain).to_json()
    given = {"raw": b64(sample.raw), "trust": b64(trust.dump()), "document": b64(sample.document)}
    return {**given, "replies": chain.replies}, report


@pytest.mark.parametrize("screen", [DESKTOP], ids=str)
def test_every_kind_of_bundle_with_its_chain_gets_the_same_report_in_the_page(visit: Visit) -> None:
    pairs = [job_of(make(), make().trust) for make in SAMPLES.values()]

    assert reports_of(visit, [job for job, _ in pairs]) == [report for _, report in pairs]
