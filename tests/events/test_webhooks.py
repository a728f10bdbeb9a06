"""Webhooks: signed, tried again, given up, sent again by hand; by one worker at a time, in order."""

import json
import threading
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy.orm import Session

from talentseal import failpoints
from talentseal.events import reaching, sending, service, signing
from talentseal.events.models import Webhook, WebhookDelivery
from talentseal.events.reaching import Answer
from talentseal.events.service import (
    DeliveryNotFound,
    NoFormerSecret,
    SecretsOverlap,
    TooManyTests,
    WebhookExists,
    WebhookNotActive,
    WebhookNotFound,
)
from talentseal.events.states import DeliveryState, Failure, HookState
from talentseal.states import TransitionRefused
from talentseal.worker import SEAL_EVERY, sending_webhooks
from tests.complaints.conftest import Counter
from tests.events.conftest import Post, gather, told
from tests.events.receiver import HANGS, Receiver


def test_the_signature_is_that_of_the_standards_own_vector() -> None:
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'

    met = signing.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)

    assert met == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    with pytest.raises(ValueError, match="another form"):
        signing.signature("whsec_不是", "msg", 1, body)


def test_an_event_arrives_signed_and_says_what_the_feed_says(
    sqlite_counter: Counter, receiver: Receiver
) -> None:
    world = sqlite_counter.world
    post = Post(world, sqlite_counter.bank, receiver)
    sqlite_counter.file(sqlite_counter.people.holder())
    gather(world)
    post.register()
    row = sqlite_counter.file(sqlite_counter.people.holder())
    gather(world)
    loop = sending_webhooks(post.courier)

    rests = [loop.tick(), loop.tick()]

    (arrived,) = receiver.arrived  # what happened before the registration is in the feed alone
    (event,) = told(world, post.partner.actor, after=1)
    assert rests == [0.0, sending.SEND_EVERY]
    assert SEAL_EVERY < sending.SEND_EVERY
    assert arrived.path == "/hook?for=talentseal"
    assert arrived.is_signed_with(post.secret)
    assert not arrived.is_signed_with(signing.new_secret())
    assert arrived.headers["webhook-timestamp"] == str(int(world.clock.now().timestamp()))
    said = json.loads(arrived.body)
    assert (said["type"], said["data"]["complaint"], said["data"]["cursor"]) == ("complaint.filed", row.id, 2)
    assert said["data"] == {**event.data, "cursor": 2}
    assert [each.state for each in post.deliveries()] == [DeliveryState.DELIVERED]


def test_a_failed_delivery_is_tried_again_with_the_same_bytes_and_holds_up_the_next(post: Post) -> None:
    post.register()
    post.receiver.answers = [500, 200]
    first, second = post.test(), post.test()

    post.send()
    assert [each.message for each in post.receiver.arrived] == [first.id]
    assert post.view().failing_since is not None
    post.send(seconds=1)
    assert len(post.receiver.arrived) == 1
    post.send(seconds=6)

    arrived = post.receiver.arrived
    assert [each.message for each in arrived] == [first.id, first.id, second.id]
    assert arrived[0].body == arrived[1].body
    assert arrived[1].is_signed_with(post.secret)
    assert [each.attempts for each in post.deliveries()] == [2, 1]
    assert post.view().failing_since is None


@pytest.mark.parametrize(
    ("answer", "failure", "status"),
    [(500, Failure.STATUS, 500), (302, Failure.REDIRECTED, 302), (HANGS, Failure.TIMEOUT, None)],
)
def test_what_went_wrong_is_told_and_no_redirect_is_followed(
    sqlite_post: Post, monkeypatch: pytest.MonkeyPatch, answer: int, *, failure: Failure, status: int | None
) -> None:
    monkeypatch.setattr(reaching, "TIMEOUT", 0.3)
    sqlite_post.register()
    sqlite_post.receiver.answers = [answer]
    sqlite_post.test()

    sqlite_post.send()

    (row,) = sqlite_post.deliveries()
    assert (row.state, row.failure, row.status) == (DeliveryState.DUE, failure, status)
    assert len(sqlite_post.receiver.arrived) == 1


def test_a_receiver_that_is_gone_is_unreachable(sqlite_post: Post) -> None:
    sqlite_post.register("http://127.0.0.1:9/")
    sqlite_post.test()

    sqlite_post.send()

    assert sqlite_post.deliveries()[0].failure is Failure.UNREACHABLE


def test_pauses_grow_to_hours_and_differ() -> None:
    spans = [
        (pause.total_seconds(), number) for number in range(1, 14) for pause in [sending.pause_after(number)]
    ]

    for seconds, number in spans:
        middle = min(5 * 4 ** (number - 1), 4 * 3600)
        assert 0.8 * middle <= seconds <= 1.2 * middle
    assert len({sending.pause_after(9) for _ in range(20)}) > 1


def test_after_a_day_it_is_a_dead_letter_and_is_sent_again_by_hand(post: Post) -> None:
    post.register()
    post.receiver.answers = [503] * 50
    row = post.test()
    rounds = 0

    while post.deliveries(DeliveryState.DUE):
        post.send(hours=1)
        rounds += 1

    (dead,) = post.deliveries(DeliveryState.DEAD)
    assert 18 <= rounds <= 26
    assert dead.ended_at is not None
    assert dead.ended_at - dead.due_since <= timedelta(hours=26)
    assert (post.view().dead, dead.id) == (1, row.id)
    with pytest.raises(DeliveryNotFound):
        post.redeliver("0" * 32)
    post.receiver.answers = []
    post.redeliver(row.id)
    with pytest.raises(TransitionRefused):
        post.redeliver(row.id)
    post.send()

    assert post.receiver.arrived[-1].message == row.id
    assert [each.state for each in post.deliveries()] == [DeliveryState.DELIVERED]


def test_after_three_days_without_a_success_nothing_more_is_sent_until_it_is_enabled(post: Post) -> None:
    post.register()
    post.receiver.answers = [500] * 500
    row = post.test()
    post.send()

    while post.view().state is HookState.ACTIVE:
        if not post.deliveries(DeliveryState.DUE):
            row = post.test()
        post.send(hours=5)

    hook = post.view()
    assert hook.failing_since is not None
    assert hook.ended_at is not None
    assert hook.ended_at - hook.failing_since >= timedelta(days=3)
    assert post.deliveries(DeliveryState.DUE) == []
    with pytest.raises(WebhookNotActive):
        post.redeliver(row.id)
    post.receiver.answers = []
    post.write(lambda session: service.enable(session, post.partner.actor))
    post.redeliver(row.id)
    post.send()
    assert post.receiver.arrived[-1].message == row.id


def test_two_secrets_are_live_while_one_replaces_the_other(sqlite_post: Post) -> None:
    post = sqlite_post
    post.register()
    new = post.rotate()
    with pytest.raises(SecretsOverlap):
        post.rotate()

    post.test()
    post.send()
    post.test()
    post.send(days=3, seconds=1)

    both, one = post.receiver.arrived
    assert [both.is_signed_with(each) for each in (post.secret, new)] == [True, True]
    assert [one.is_signed_with(each) for each in (post.secret, new)] == [False, True]
    newest = post.rotate()
    now = post.world.clock.now()
    post.write(lambda session: service.retire_secret(session, post.partner.actor, now=now))
    with pytest.raises(NoFormerSecret):
        post.write(lambda session: service.retire_secret(session, post.partner.actor, now=now))
    post.test()
    post.send()
    assert [post.receiver.arrived[-1].is_signed_with(each) for each in (new, newest)] == [False, True]


def test_a_crash_behind_the_request_sends_again_under_the_same_id(sqlite_post: Post) -> None:
    post = sqlite_post
    post.register()
    row = post.test()

    class Killed(Exception):
        pass

    def kill(point: str) -> None:
        if point == "events.sent":
            raise Killed

    failpoints.arm(kill)
    with pytest.raises(Killed):
        post.send()
    failpoints.arm(None)
    post.send(seconds=1)
    assert len(post.receiver.arrived) == 1  # the dead worker's claim still holds
    post.send(seconds=121)

    assert [each.message for each in post.receiver.arrived] == [row.id, row.id]
    assert post.deliveries()[0].state is DeliveryState.DELIVERED


def test_several_workers_send_each_delivery_once(post: Post) -> None:
    post.register()
    rows = [post.test() for _ in range(5)]

    workers = [threading.Thread(target=post.courier.tick) for _ in range(4)]
    for each in workers:
        each.start()
    for each in workers:
        each.join(20)

    assert [each.message for each in post.receiver.arrived] == [each.id for each in rows]


def test_an_outcome_is_noted_once(sqlite_post: Post) -> None:
    post = sqlite_post
    hook = post.register()
    row = post.test()
    parcel = sending.Parcel(hook.id, row.id, 0, hook.url, b"", ())
    now = post.world.clock.now()

    for answer in (Answer(200, None), Answer(500, Failure.STATUS)):
        post.write(partial(sending._note, parcel=parcel, answer=answer, now=now))

    (met,) = post.deliveries()
    assert (met.state, met.attempts, post.view().failing_since) == (DeliveryState.DELIVERED, 1, None)


def test_an_organisation_has_one_webhook_and_may_replace_it(post: Post) -> None:
    with pytest.raises(WebhookNotFound):
        post.view()
    first = post.register()
    with pytest.raises(WebhookExists):
        post.register()
    post.test()
    now = post.world.clock.now()
    post.write(lambda session: service.remove(session, post.partner.actor, now=now))
    second = post.register()
    post.send()

    assert first.id != second.id
    assert post.receiver.arrived == []
    assert post.deliveries() == []


def test_tests_do_not_pile_up(sqlite_post: Post) -> None:
    sqlite_post.register()
    for _ in range(service.TESTS_WAITING):
        sqlite_post.test()
    with pytest.raises(TooManyTests):
        sqlite_post.test()


def test_neither_secret_nor_address_of_one_partner_is_another_s(sqlite_post: Post) -> None:
    post = sqlite_post
    hook = post.register()
    row = post.test()
    stranger = Post(post.world, post.world.joined("虚构书店"), post.receiver)
    stranger.register()

    with pytest.raises(DeliveryNotFound):
        stranger.redeliver(row.id)
    assert stranger.view().id != hook.id

    def kept(session: Session) -> bool:
        rows = [session.get_one(Webhook, hook.id), session.get_one(WebhookDelivery, row.id)]
        return any(post.secret in str(vars(each)) for each in rows)

    assert not post.world.database.read(kept)
