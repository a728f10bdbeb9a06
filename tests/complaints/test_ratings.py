"""Marks for service: once for each use, changeable for a week, and no mean of a few."""

from datetime import date
from typing import Final

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from talentseal.accounts.models import Organisation
from talentseal.complaints import ratings, service_records
from talentseal.complaints.models import Rating
from talentseal.complaints.ratings import NothingToRate, RatingFixed
from talentseal.complaints.schemas import Rate
from talentseal.complaints.service import ComplaintNotFound, RedemptionNotOwn
from talentseal.redemptions.models import RedemptionState
from tests.complaints.conftest import Counter

MONTH: Final = (date(2026, 11, 1), date(2026, 11, 30))


def test_a_use_is_marked_once_and_the_mark_changed_for_a_week(counter: Counter) -> None:
    talent = counter.people.holder()
    used = counter.used(talent)
    first = counter.rate(talent, used, 2, text="慢（虚构）")
    counter.world.clock.advance(days=7)
    again = counter.rate(talent, used, 4)
    assert (again.id, again.stars, again.sealed) == (first.id, 4, None)
    counter.world.clock.advance(seconds=1)

    with pytest.raises(RatingFixed):
        counter.rate(talent, used, 5)
    kept = counter.read(lambda session: ratings.of_redemption(session, used.id))
    assert kept is not None
    assert (kept.stars, kept.changed_at is not None) == (4, True)


def test_what_was_not_served_is_not_marked(sqlite_counter: Counter) -> None:
    counter, talent = sqlite_counter, sqlite_counter.people.holder()
    for state in (RedemptionState.RESERVED, RedemptionState.RELEASED, RedemptionState.REVERSED):
        with pytest.raises(NothingToRate):
            counter.rate(talent, counter.used(talent, state))
    with pytest.raises(RedemptionNotOwn):
        counter.rate(counter.people.holder(), counter.used(talent))


def test_a_complaint_is_marked_once_it_is_over(sqlite_counter: Counter) -> None:
    counter, talent = sqlite_counter, sqlite_counter.people.holder()
    row, vault = counter.answered(talent), counter.people.vault

    def mark(stars: int) -> Rating:
        command = Rate(stars=stars)
        return counter.write(
            lambda session, now: ratings.rate_complaint(session, talent, vault, row.id, command, now=now)
        )

    with pytest.raises(NothingToRate):
        mark(5)
    counter.close(talent, row)
    assert mark(3).id == mark(4).id
    other = counter.people.holder()
    with pytest.raises(ComplaintNotFound):
        counter.write(
            lambda session, now: ratings.rate_complaint(session, other, vault, row.id, Rate(stars=1), now=now)
        )


def test_a_mean_is_told_from_five_marks_on(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    bank = counter.bank.id

    def mean() -> int | None:
        return counter.read(lambda session: ratings.rating_mean_bp(session, bank, *MONTH))

    for stars in (5, 4, 3, 2):
        talent = counter.people.holder()
        counter.rate(talent, counter.used(talent), stars)
        assert mean() is None
    talent = counter.people.holder()
    counter.rate(talent, counter.used(talent), 4)

    assert mean() == 7_200  # 18 of 25
    (record,) = counter.read(
        lambda session: service_records.records_of(session, [session.get_one(Organisation, bank)], *MONTH)
    )
    assert (record.ratings, record.mean_bp, record.breach_bp) == (5, 7_200, 0)
    none = counter.read(
        lambda session: ratings.rating_mean_bp(session, bank, date(2026, 1, 1), date(2026, 10, 31))
    )
    assert none is None


@pytest.mark.parametrize("change", ["stars = 6", "stars = 0", "complaint_id = NULL, redemption_id = NULL"])
def test_the_database_itself_refuses_a_mark_that_makes_no_sense(counter: Counter, change: str) -> None:
    talent = counter.people.holder()
    counter.rate(talent, counter.used(talent))

    with pytest.raises(IntegrityError):
        counter.write(lambda session, _now: session.execute(text(f"UPDATE rating SET {change}")))
