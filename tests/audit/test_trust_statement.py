"""The trust statement: who holds which key, which chain this is, and what nobody should believe."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from talentseal.anchoring import epochs
from talentseal.anchoring.models import Lane
from talentseal.audit.trust_pages import KEPT, RoleHolders
from talentseal.config import ChainType, FinalityPolicy
from tests.api.conftest import Api
from tests.world import World

PAGE = {"Accept": "text/html"}


def page_of(api: Api, path: str = "/trust", **headers: str) -> str:
    answer = api.http.get(path, headers=PAGE | headers)
    assert answer.status_code == 200, answer.text
    return answer.text


def words_of(api: Api, path: str = "/trust", **headers: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page_of(api, path, **headers)))


def test_the_key_is_the_one_that_signs_and_its_fingerprint_can_be_read_aloud(api: Api, world: World) -> None:
    key = world.signer.verifier_key

    met = api.call(None, "GET", "/trust").json()

    assert met["log_key"] == {
        "verifier_key": str(key),
        "key_id": key.key_id.hex(),
        "public_key": key.public.hex(),
    }
    assert met["log_key"]["verifier_key"] == api.call(None, "GET", "/log/key").text.strip()
    spelled = " ".join(re.findall("....", key.public.hex()))
    assert spelled in words_of(api)


@pytest.mark.parametrize(
    ("chain_type", "said", "unsaid"),
    [
        (ChainType.DEVELOPMENT, "只有一个节点", "若干单位各自运行节点"),
        (ChainType.PERMISSIONED, "若干单位各自运行节点", "只有一个节点，由本服务的运营者"),
        (ChainType.PUBLIC, "任何人都可以运行节点", "只有一个节点，由本服务的运营者"),
    ],
)
def test_each_kind_of_chain_is_called_what_it_is(
    sqlite_world: World, tmp_path: Path, chain_type: ChainType, said: str, unsaid: str
) -> None:
    api = Api(sqlite_world, tmp_path, chain_type=chain_type)

    page = words_of(api)

    assert said in page
    assert unsaid not in page
    assert ('class="refusal"' in page_of(api)) == (chain_type is ChainType.DEVELOPMENT)


@pytest.mark.parametrize(
    ("finality", "said"),
    [
        (FinalityPolicy.INSTANT, "区块一经产生即算定局"),
        (FinalityPolicy.DEPTH, "区块之上再有 12 个区块，才算定局"),
        (FinalityPolicy.TAG, "finalized"),
    ],
)
def test_finality_is_said_in_words(
    sqlite_world: World, tmp_path: Path, finality: FinalityPolicy, said: str
) -> None:
    api = Api(sqlite_world, tmp_path, finality=finality, finality_depth=12)

    assert said in words_of(api)


def test_epochs_are_listed_new_to_old_and_each_names_the_one_before(api: Api, world: World) -> None:
    world.settle()
    world.open_another_epoch()

    newest, oldest = api.call(None, "GET", "/trust").json()["epochs"]

    assert (newest["epoch"], oldest["epoch"]) == (2, 1)
    assert newest["predecessor"] == oldest["identity_hash"]
    assert newest["closed_at"] is None
    assert oldest["closed_at"] is not None
    page = page_of(api)
    assert '<a href="#epoch-1">' in page
    assert newest["predecessor"] in page
    assert newest["contract"] in page
    assert oldest["contract"] in page


def test_the_page_itself_never_asks_the_chain(api: Api, world: World) -> None:
    world.member("合作单位")
    world.settle()
    world.chain.is_down = True

    met, page = api.call(None, "GET", "/trust").json(), page_of(api)

    assert met["senders"] == {lane.value: key.address for lane, key in heard_of(world).items()}
    assert all(address in page for address in met["senders"].values())
    assert 'hx-get="/trust/holders"' in page


def test_the_fragment_shows_who_holds_which_role_as_the_chain_says(api: Api, world: World) -> None:
    world.chain.grant("PAUSER", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8")

    fragment = page_of(api, "/trust/holders", **{"HX-Request": "true"})
    whole = page_of(api, "/trust/holders")

    for shown in (fragment, whole):
        for key in world.lane_keys.values():
            assert key.address in shown
        assert "0x70997970C51812dc3A010C7d01b50e0d17dc79C8" in shown
        assert world.chain.holders().admin in shown
        assert "未授予任何人" not in shown
    assert "<html" not in fragment
    assert "<html" in whole
    assert 'hx-get="/trust/holders"' not in whole


def test_a_chain_that_is_silent_is_said_to_be_silent(api: Api, world: World) -> None:
    world.member("合作单位")
    world.settle()
    world.chain.is_down = True

    fragment = page_of(api, "/trust/holders", **{"HX-Request": "true"})

    assert "链没有应答" in fragment
    assert all(key.address in fragment for key in heard_of(world).values())


def heard_of(world: World) -> dict[Lane, Any]:
    """Keys that have sent something: there is no breach yet that the third had to carry."""
    return {lane: key for lane, key in world.lane_keys.items() if lane is not Lane.ARBITER}


def test_however_many_look_the_chain_is_asked_once_a_minute(sqlite_world: World) -> None:
    chain, now, asked = sqlite_world.chain, sqlite_world.clock.now(), []

    def ask() -> Any:
        asked.append(1)
        return chain

    holders = RoleHolders(ask)
    first = [holders.now(now), holders.now(now + KEPT - timedelta(seconds=1))]
    later = holders.now(now + KEPT)

    assert first[0] is first[1]
    assert (later.at, len(asked)) == (now + KEPT, 2)


def test_without_an_epoch_there_is_no_chain_to_speak_of(sqlite_world: World) -> None:
    assert RoleHolders(lambda: None).now(sqlite_world.clock.now()).holders is None


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_what_is_not_proved_is_said_in_both_languages(api: Api, language: str) -> None:
    page = words_of(api, **{"Accept-Language": language})

    for said in {
        "zh-CN": ("不能证明什么", "没有登记的，日志里看不出", "什么也证明不了"),
        "en": ("does not prove", "what was not, the log cannot show", "proves nothing to a stranger"),
    }[language]:
        assert said in page
    for link in ("/trust.json", "/log/key", "/verify", "/explorer/consistency"):
        assert f'href="{link}"' in page_of(api)


def test_the_identity_on_the_page_is_that_of_the_trust_file(api: Api, world: World) -> None:
    met = api.call(None, "GET", "/trust").json()["epochs"][0]
    chain = api.service.notary.trust(world.database.read(epochs.newest)).chain

    assert chain is not None
    assert {name: met[name] for name in chain.to_json()} == chain.to_json()
