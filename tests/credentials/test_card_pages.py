"""The pages of cards: a holder's and an issuer's browser, from the request to the loss report."""

import re
from pathlib import Path
from typing import Any

import pytest

from talentseal.accounts import sessions
from talentseal.accounts.models import SignInMethod
from talentseal.accounts.roles import Actor
from talentseal.app import session_rules_of
from talentseal.credentials.card_models import CardProof, TalentCard
from talentseal.credentials.card_schemas import Stage
from talentseal.policy.tiers import Tier
from talentseal.talents.models import CodeState
from tests.api.conftest import Api
from tests.api.in_process import client_of
from tests.credentials.card_hands import Holder, Issuer, nightly, number
from tests.partners.counters import Manager
from tests.talents.conftest import People, high


class Browser:
    """Somebody's browser, signed in."""

    def __init__(self, api: Api, actor: Actor, language: str = "zh-CN") -> None:
        headers = {"Accept": "text/html", "Accept-Language": language}
        self.http = client_of(api.app, headers=headers)
        token, now = sessions.new_token(), api.world.clock.now()
        api.world.database.write(
            lambda session: sessions.start(
                session,
                actor.account_id,
                SignInMethod.PASSWORD,
                token=token,
                browser="test",
                replaces="",
                now=now,
            )
        )
        self.http.cookies.set(session_rules_of(api.service.settings).cookie.name, token)

    def get(self, path: str, status: int = 200) -> str:
        answer = self.http.get(path, follow_redirects=False)
        assert answer.status_code == status, answer.text
        return str(answer.text)

    def post(self, path: str, form: dict[str, Any] | None = None) -> Any:
        return self.http.post(path, data=form or {}, follow_redirects=False)

    def sent_on(self, path: str, form: dict[str, Any] | None = None) -> str:
        """The page to which an act leads."""
        answer = self.post(path, form)
        assert answer.status_code == 303, answer.text
        return self.get(answer.headers["location"])


class Scene:
    def __init__(self, crowd: People, folder: Path) -> None:
        self.crowd = crowd
        self.bank, self.holder = Issuer(crowd), Holder(crowd)
        self.api = Api(crowd.world, folder)
        self.talent = Browser(self.api, self.holder.actor)
        self.clerk = Browser(self.api, self.bank.actor)

    @property
    def asking(self) -> dict[str, Any]:
        return {"issuers": [self.bank.member.id], "agreed": "yes"}


@pytest.fixture
def scene(sqlite_crowd: People, tmp_path: Path) -> Scene:
    return Scene(sqlite_crowd, tmp_path)


def test_a_card_from_the_request_to_the_loss_report(scene: Scene) -> None:
    talent, clerk = scene.talent, scene.clerk
    outlet = Manager(scene.crowd.world, scene.bank.member).open("龙子湖支行（虚构）")
    assert "申领人才卡" in talent.get("/cards")
    assert "已申请，待受理" in talent.sent_on("/cards", scene.asking)

    card = scene.bank.waiting(Stage.NEW)[0].id
    at, mine = f"/card-requests/{card}", f"/cards/{card}"
    assert "欧阳**" in clerk.get("/card-requests")
    assert "是否发卡" in clerk.sent_on(f"{at}/review")
    assert "欧阳虚构" in clerk.get(f"{at}/recipient")
    assert "给出卡号" in clerk.sent_on(f"{at}/approval")
    made = clerk.sent_on(f"{at}/personalisation", {"valid_through": "2029-12-31", "reference": "XG-1"})
    digits = re.search(r"9156 0010 0000 [0-9]{4}", made)
    assert digits is not None
    assert f'src="{at}/print.png"' in clerk.get(f"{at}/print")
    drawn = clerk.http.get(f"{at}/print.png")
    assert (drawn.headers["content-type"], drawn.content[:4]) == ("image/png", b"\x89PNG")
    delivery = {"way": "AT_OUTLET", "outlet": outlet.id, "mail_reference": ""}
    assert "等待启用" in clerk.sent_on(f"{at}/delivery", delivery)

    waiting = talent.get(mine)
    assert "龙子湖支行（虚构）" in waiting
    assert digits[0] not in waiting
    assert "与卡面号码的末四位不符" in talent.post(f"{mine}/activation", {"last_digits": "0000"}).text
    in_use = talent.sent_on(f"{mine}/activation", {"last_digits": digits[0][-4:]})
    assert digits[0] in in_use
    assert "已挂失，此卡即刻不能使用" in talent.sent_on(f"{mine}/loss")
    assert "此卡恢复使用" in talent.sent_on(f"{mine}/return")
    assert "已注销此卡" in talent.sent_on(f"{mine}/closure")
    assert "欧阳" not in clerk.get(at)


@pytest.mark.scenario(28)
def test_a_decline_shows_its_category_and_who_else_can_be_asked(scene: Scene) -> None:
    other = Issuer(scene.crowd, "虚构长河银行")
    card = scene.bank.take_up(scene.holder.ask(scene.bank)[0])
    at = f"/card-requests/{card.id}"
    missing = scene.clerk.post(f"{at}/decline", {"reason": "暂不符合条件"})
    assert (missing.status_code, 'id="category-error"' in missing.text) == (422, True)
    assert "暂不符合条件" in missing.text

    scene.clerk.sent_on(f"{at}/decline", {"category": "TERMS_NOT_MET", "reason": "暂不符合条件（虚构）"})

    page = scene.talent.get(f"/cards/{card.id}")
    for said in ("不符合本单位条件", "暂不符合条件（虚构）", "虚构长河银行"):
        assert said in page
    assert other.member.id in scene.talent.get("/cards")


def test_without_consent_or_an_issuer_nothing_is_asked(scene: Scene) -> None:
    answer = scene.talent.post("/cards", {"issuers": [scene.bank.member.id]})
    assert (answer.status_code, 'id="agreed-error"' in answer.text) == (422, True)
    assert "checked" in answer.text
    answer = scene.talent.post("/cards", {"agreed": "yes"})
    assert (answer.status_code, 'id="issuers-error"' in answer.text) == (422, True)
    assert scene.bank.waiting(Stage.NEW) == []


@pytest.mark.scenario(22)
def test_a_talent_without_an_active_code_is_told_so(scene: Scene) -> None:
    scene.holder.code_becomes(CodeState.SUSPENDED)

    answer = scene.talent.post("/cards", scene.asking)

    assert answer.status_code == 409
    assert "办理人才卡需要可以使用的人才码" in answer.text


def test_an_account_number_is_refused_where_it_is_typed(scene: Scene) -> None:
    card = scene.bank.approve(scene.bank.take_up(scene.holder.ask(scene.bank)[0]))
    typed = {"valid_through": "2029-12-31", "reference": "4111 1111 1111 1111"}

    answer = scene.clerk.post(f"/card-requests/{card.id}/personalisation", typed)

    assert answer.status_code == 422
    assert "这像是银行卡号" in answer.text


@pytest.mark.scenario(26)
def test_a_changed_tier_is_seen_by_holder_and_issuer_and_the_card_issued_anew(
    sqlite_crowd: People, tmp_path: Path
) -> None:
    scene = Scene(sqlite_crowd, tmp_path)
    holder = Holder(sqlite_crowd, sqlite_crowd.holder(claim=high(Tier.HIGH_E)))
    card = holder.active(scene.bank)
    sqlite_crowd.confirm(holder.actor)
    nightly(sqlite_crowd)

    assert "使用中，须换卡面" in Browser(scene.api, holder.actor).get(f"/cards/{card.id}")
    assert f"/card-requests/{card.id}" in scene.clerk.get("/card-requests?stage=REISSUE")
    page = scene.clerk.sent_on(f"/card-requests/{card.id}/reissue")
    assert "给出卡号" in page
    assert "新卡已在办理" in scene.clerk.get(f"/card-requests/{card.id}")


def test_what_is_somebody_elses_is_not_there(scene: Scene) -> None:
    stranger = Browser(scene.api, Holder(scene.crowd).actor)
    other = Browser(scene.api, Issuer(scene.crowd, "虚构长河银行").actor)
    card = scene.holder.active(scene.bank)

    stranger.get(f"/cards/{card.id}", 404)
    for part in ("", "/recipient", "/print", "/print.png"):
        other.get(f"/card-requests/{card.id}{part}", 404)
    scene.clerk.get("/cards", 403)
    scene.talent.get("/card-requests", 403)
    scene.talent.get("/cards/not-an-identifier", 404)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_standing_has_a_page_in_both_languages(scene: Scene, language: str) -> None:
    talent, clerk = (Browser(scene.api, each, language) for each in (scene.holder.actor, scene.bank.actor))

    def both(card: TalentCard) -> None:
        talent.get(f"/cards/{card.id}")
        clerk.get(f"/card-requests/{card.id}")

    bank, holder = scene.bank, scene.holder
    card = holder.ask(bank)[0]
    for act in (
        bank.take_up,
        bank.approve,
        bank.personalise,
        bank.deliver,
        holder.activate,
        holder.report_lost,
    ):
        both(card)
        card = act(card)
    both(card)
    former, anew = card, holder.activate(bank.delivered(holder.replace(card)))
    both(former)
    both(anew)
    both(bank.decline(bank.take_up(holder.replace(anew))))
    for state in (CodeState.SUSPENDED, CodeState.TERMINATED):
        holder.code_becomes(state)
        both(anew)
    both(holder.close(anew))
    assert number(anew)[:4] == "9156"
    for stage in Stage:
        clerk.get(f"/card-requests?stage={stage.value}")


def test_the_offer_is_set_and_what_was_typed_stays(scene: Scene) -> None:
    newcomer = scene.crowd.world.joined("虚构新行")
    desk = Browser(scene.api, newcomer.actor)
    assert "贵单位尚未受理人才卡" in desk.get("/card-requests")

    missing = desk.post("/card-offer", {"name": "新行卡（虚构）", "proof": "CHIP"})
    assert (missing.status_code, "新行卡（虚构）" in missing.text) == (422, True)
    saved = desk.sent_on(
        "/card-offer",
        {"name": "新行卡（虚构）", "description": "虚构", "proof": CardProof.CHIP.value, "is_open": "yes"},
    )

    assert "人才卡设置已保存" in saved
    assert "新行卡（虚构）" in scene.talent.get("/cards")
