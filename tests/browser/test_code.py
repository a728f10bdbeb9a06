"""A holder's phone shows the code; a clerk's screen takes it by key, picture and camera."""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session

from talentseal.accounts import sessions
from talentseal.accounts.models import Account, SignInMethod
from talentseal.accounts.roles import PERMISSIONS, Actor, Role
from talentseal.app import Service, session_rules_of
from talentseal.credentials import devices, minting, proofs
from talentseal.policy.tiers import Tier
from talentseal.talents import codes, consents, fields, people
from talentseal.talents.models import CodeState, FieldGroup, Source, TalentCode, TalentFields, place_of
from talentseal.talents.privacy_models import ConsentScope
from talentseal.talents.privacy_schemas import GiveConsent
from tests.browser.axe import axe
from tests.browser.conftest import Shot
from tests.browser.filming import holding_up
from tests.browser.reflow import reflows
from tests.browser.running import Running
from tests.browser.screens import DESKTOP_EN, PHONE_ZH
from tests.browser.touch import fits_fingers
from tests.browser.visit import Visit, begin
from tests.talents.pictured import GPS, png

NUMBER = re.compile(r"77\d\d( \d{4}){3} \d{3}")
NAME = "欧阳**"


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody with a code. token: of a session that a visit may carry."""

    actor: Actor
    code: str
    token: str

    def enters(self, visit: Visit, path: str) -> Page:
        """Open a page as him."""
        visit.context.add_cookies([{"name": "talentseal", "value": self.token, "url": visit.url}])
        return visit.open(path)


@pytest.fixture
def holder(running: Running) -> Holder:
    with running.service() as service:
        return service.database.write(lambda session: _holder(session, service))


def _holder(session: Session, service: Service) -> Holder:
    now, role, token = service.clock.now(), Role.TALENT, sessions.new_token()
    account = Account(
        id=secrets.token_hex(16), organisation_id=None, name="xingyun", role=role, created_at=now
    )
    session.add(account)
    session.flush()
    talent = people.register(session, account, now=now)
    place = place_of("talent_fields", talent.id, FieldGroup.BASIC.value)
    basic = TalentFields(
        talent_id=talent.id,
        group=FieldGroup.BASIC,
        sealed=service.vault.seal(place, '{"full_name": "欧阳虚构"}'.encode()),
        source=Source.SUBMITTED,
        entered_at=now,
    )
    code = TalentCode(
        id=secrets.token_hex(16),
        talent_id=talent.id,
        code_ref=secrets.token_bytes(codes.CODE_REF_BYTES),
        identity_digest=secrets.token_hex(32),
        state=CodeState.ACTIVE,
        tier=Tier.YOUTH,
        issued_at=now,
    )
    session.add_all([basic, code])
    sessions.start(session, account.id, SignInMethod.PASSWORD, token=token, browser="", replaces="", now=now)
    return Holder(Actor(account.id, "", role, PERMISSIONS[role]), code.id, token)


def minted(running: Running, holder: Holder) -> str:
    """The text of a token of a device of his that no page knows."""
    with running.service() as service:
        now, token = service.clock.now(), sessions.new_token()
        keys, actor = service.master_keys, holder.actor

        def write(session: Session) -> str:
            rules = session_rules_of(service.settings)
            known = sessions.sessions_of(session, actor.account_id, rules, limit=1, now=now)[0]
            devices.bind(session, actor, token=token, browser="", now=now)
            return minting.mint(session, actor, keys, device_token=token, session_id=known.id, now=now).text

        return service.database.write(write)


def lets_see(running: Running, holder: Holder) -> None:
    """He has honours, and lets the bank see them and his photo."""
    with running.service() as service:
        now, actor, bank = service.clock.now(), holder.actor, running.cast.bank.organisation

        def write(session: Session) -> None:
            talent, group = people.of_account(session, actor), FieldGroup.HONOUR
            said = {"summary": "虚构荣誉（演示）"}
            fields.change(session, service.vault, talent.id, group, said, by="office", now=now)
            for scope in (ConsentScope.PHOTO, ConsentScope.HONOUR):
                given = GiveConsent(organisation=bank, scope=scope, notice_version=consents.NOTICE_VERSION)
                consents.give(session, actor, given, now=now)

        service.database.write(write)


def signed(running: Running, holder: Holder) -> str:
    """The text of an offline proof of his."""
    with running.service() as service:
        now, keys = service.clock.now(), service.master_keys
        return service.database.read(
            lambda session: proofs.sign(keys, session.get_one(TalentCode, holder.code), now=now)
        )


@pytest.fixture
def clerk(browser: Browser, running: Running) -> Iterator[Visit]:
    """The bank's counter, on a desktop."""
    visit = begin(browser, DESKTOP_EN, running.url)
    visit.sign_in(running.account(running.cast.bank), "/counter")
    yield visit
    assert visit.close() == []


phone_and_desktop = pytest.mark.parametrize("screen", [PHONE_ZH], ids=str)


@phone_and_desktop
def test_a_code_goes_from_the_phone_to_the_counter(
    visit: Visit, clerk: Visit, holder: Holder, shot: Shot, tmp_path: Path
) -> None:
    phone, counter = holder.enters(visit, "/code"), clerk.page
    shot(phone, "binding")
    phone.get_by_role("button", name="绑定此设备").click()
    first = shown(phone)
    judged(phone, shot, "shown")
    phone.get_by_label("条形码").check()
    expect(phone.locator("svg.bars")).to_be_visible()
    expect(phone.locator("svg.qr")).to_be_hidden()
    judged(phone, shot, "bars")
    phone.get_by_label("二维码").check()
    phone.emulate_media(color_scheme="dark")
    axe(phone)
    shot(phone, "shown-dark")

    judged(counter, shot, "counter")
    expect(counter.locator("#sent")).to_be_focused()
    counter.keyboard.type(first)
    counter.keyboard.press("Enter")
    expect(counter.locator(".outcome-name")).to_have_text(NAME)
    judged(counter, shot, "established")
    expect(counter.locator("#sent")).to_be_focused()
    counter.keyboard.type(first)
    counter.keyboard.press("Enter")
    expect(counter.locator(".outcome-bad")).to_contain_text("Ask the customer to refresh it")
    expect(counter.locator(".outcome-bad")).to_contain_text("TOKEN_USED")
    judged(counter, shot, "refused")
    expect(counter.locator("[data-recent] li")).to_have_count(2)

    phone.get_by_role("button", name="刷新").click()
    expect(phone.locator(".code-number")).not_to_contain_text(first)
    expect(counter.locator(".outcome-photo")).to_have_count(0)
    picture = phone.screenshot(path=tmp_path / "sent-by-chat.png")
    assert picture
    counter.locator("#picture").set_input_files(tmp_path / "sent-by-chat.png")
    expect(counter.locator(".outcome-name")).to_have_text(NAME)
    expect(counter.locator("[data-recent] li")).to_have_count(3)
    expect(counter.locator("#sent")).to_be_focused()
    counter.locator("#picture").set_input_files(
        {"name": "no.png", "mimeType": "image/png", "buffer": b"none"}
    )
    expect(counter.locator("[data-trouble]")).to_contain_text("No QR code")

    phone.get_by_role("link", name="绑定的设备与出示记录").click()
    expect(phone.locator(".shown-list li")).to_have_count(2)
    judged(phone, shot, "devices")


@phone_and_desktop
def test_what_a_holder_lets_a_counter_see_is_on_its_screen(
    visit: Visit, clerk: Visit, running: Running, holder: Holder, shot: Shot
) -> None:
    phone, counter = holder.enters(visit, "/me/photo"), clerk.page
    judged(phone, shot, "no-photo")
    taken = png(900, 1200, told=((b"tEXt", GPS),))
    phone.locator("#photo").set_input_files({"name": "me.png", "mimeType": "image/png", "buffer": taken})
    expect(phone.locator("#photo")).to_have_value(re.compile("photo.jpg"))
    phone.get_by_role("button", name="上传").click()
    expect(phone.locator(".own-photo img")).to_have_js_property("naturalWidth", 600)
    lets_see(running, holder)
    phone.reload()
    judged(phone, shot, "photo")

    counter.locator("#sent").fill(minted(running, holder))
    counter.keyboard.press("Enter")
    expect(counter.locator(".outcome-photo")).to_be_visible()
    expect(counter.locator(".outcome-photo")).to_have_js_property("naturalWidth", 600)
    counter.get_by_role("button", name="Show permitted data").click()
    expect(counter.locator(".outcome-shown")).to_contain_text("虚构荣誉")
    expect(counter.locator("#sent")).to_be_focused()
    judged(counter, shot, "let-see")
    counter.set_viewport_size({"width": 390, "height": 844})
    shot(counter, "let-see-phone")
    phone.goto(f"{visit.url}/me/access")
    expect(phone.locator(".recognitions li")).to_have_count(2)
    judged(phone, shot, "looked")

    proof = signed(running, holder)
    counter.locator("#sent").fill(proof)
    counter.keyboard.press("Enter")
    expect(counter.locator(".outcome-look")).to_contain_text(NAME)
    judged(counter, shot, "proof")
    clerk.expects_failed_request("/counter/")
    clerk.context.set_offline(True)
    counter.locator("#sent").fill(proof)
    counter.keyboard.press("Enter")
    expect(counter.locator(".outcome-look")).to_contain_text("no network; fetched 0 minutes ago")
    expect(counter.locator(".outcome-name")).not_to_have_text(NAME)
    shot(counter, "proof-offline")
    clerk.context.set_offline(False)


@phone_and_desktop
def test_a_code_is_renewed_in_time_and_taken_away_when_it_has_run_out(
    visit: Visit, holder: Holder, shot: Shot
) -> None:
    visit.page.clock.install()
    phone = holder.enters(visit, "/code")
    with phone.expect_response("**/code/offline") as stocked:
        phone.get_by_role("button", name="绑定此设备").click()
    stocked.value.finished()
    first = shown(phone)

    phone.clock.fast_forward(51_000)
    expect(phone.locator(".code-number")).not_to_contain_text(first)
    second = shown(phone)

    visit.expects_failed_request("/code/token")
    visit.context.set_offline(True)
    phone.clock.fast_forward(52_000)
    expect(phone.locator("[data-says]")).to_contain_text("网络不通，此码还可使用")
    assert shown(phone) == second
    shot(phone, "offline")
    phone.clock.fast_forward(10_000)
    expect(phone.locator("[data-blank]")).to_contain_text("人才码已过期")
    expect(phone.locator(".code-number")).to_have_count(0)
    expect(phone.locator("svg.qr")).to_have_count(0)
    expect(phone.locator("#offline")).to_be_visible()
    shot(phone, "gone")
    phone.get_by_role("button", name="离线码").click()
    offline = shown(phone)
    assert offline != second
    expect(phone.locator("#offline")).to_contain_text("只能办理低风险权益")
    axe(phone)
    shot(phone, "offline-code")
    phone.get_by_role("button", name="离线码").click()
    assert shown(phone) != offline
    phone.get_by_role("button", name="离线码").click()
    expect(phone.locator("[data-offline-says]")).to_contain_text("没有可用的离线码了")
    phone.get_by_role("button", name="离线证明").click()
    expect(phone.locator("#offline")).to_contain_text("仅供出示")
    fits_fingers(phone)
    shot(phone, "offline-proof")
    phone.clock.fast_forward(4 * 60_000)
    expect(phone.locator("#offline svg.qr")).to_be_visible()
    phone.clock.fast_forward(6 * 60_000)
    expect(phone.locator("svg.qr")).to_have_count(0)
    expect(phone.locator("#offline")).to_be_hidden()
    phone.locator("[data-blank]").click()

    visit.context.set_offline(False)
    phone.clock.fast_forward(3_000)
    assert shown(phone) != second

    phone.clock.fast_forward(6 * 60_000)
    expect(phone.locator("[data-blank]")).to_contain_text("已暂停自动刷新")
    phone.locator("[data-blank]").click()
    shown(phone)


@phone_and_desktop
def test_whoever_may_not_show_his_code_reads_why(
    visit: Visit, running: Running, holder: Holder, shot: Shot
) -> None:
    phone = holder.enters(visit, "/code")
    phone.get_by_role("button", name="绑定此设备").click()
    shown(phone)
    with running.service() as service:
        now = service.clock.now()
        service.database.write(
            lambda session: (
                codes.move(session, holder.code, CodeState.SUSPENDED, by=None, cause=None, now=now).id
            )
        )

    visit.expects_status(409, "/code/token")
    phone.get_by_role("button", name="刷新").click()

    expect(phone.locator(".code-stopped")).to_contain_text("申诉方式")
    expect(phone.locator("svg.qr")).to_have_count(0)
    judged(phone, shot, "suspended")


def test_the_camera_sees_what_is_held_before_it(
    browser: Browser, running: Running, holder: Holder, shot: Shot, tmp_path: Path
) -> None:
    with holding_up(browser, minted(running, holder), tmp_path) as filming:
        visit = begin(filming, DESKTOP_EN, running.url)
        counter = visit.sign_in(running.account(running.cast.bank), "/counter")

        counter.get_by_role("button", name="Camera").click()

        expect(counter.locator(".outcome-name")).to_have_text(NAME)
        expect(counter.locator("#sent")).to_be_focused()
        shot(counter, "camera")
        counter.get_by_role("button", name="Camera").click()
        expect(counter.locator("[data-video]")).to_be_hidden()
        expect(counter.locator("[data-recent] li")).to_have_count(1)
        assert visit.close() == []


def shown(phone: Page) -> str:
    """The number beside the QR code."""
    place = phone.locator(".code-number")
    expect(place).to_contain_text(NUMBER)
    expect(phone.locator("svg.qr")).to_be_visible()
    found = NUMBER.search(place.inner_text())
    assert found
    return found[0]


def judged(page: Page, shot: Shot, name: str) -> None:
    shot(page, name)
    axe(page)
    fits_fingers(page)
    reflows(page)
