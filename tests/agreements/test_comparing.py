"""What a new version changes, clause by clause."""

from dataclasses import replace
from datetime import date
from typing import Any

from talentseal.agreements.comparing import Change, Content, Head, compare
from talentseal.agreements.models import Category
from talentseal.agreements.schemas import StipulationInput
from talentseal.policy.tiers import Tier
from tests.world import stipulation

BANK, SHOP = "0x" + "1" * 64, "0x" + "2" * 64
HEAD = Head(
    "ZD-1",
    "人才专属贷款合作协议",
    Category.FINANCIAL_BENEFIT,
    date(2026, 12, 1),
    date(2027, 11, 30),
    False,
    ((BANK, "甲方"), (SHOP, "乙方")),
    "a" * 64,
)


def clause(name: str, **changes: Any) -> StipulationInput:
    return stipulation(SHOP, clause=name, **changes)


def content(*clauses: StipulationInput, **changes: Any) -> Content:
    return Content(replace(HEAD, **changes), clauses)


def told(before: Content, after: Content) -> list[tuple[Change, str]]:
    return [(each.change, each.shown.clause) for each in compare(before, after).clauses]


def test_the_same_content_differs_in_nothing() -> None:
    found = compare(content(clause("三"), clause("四")), content(clause("三"), clause("四")))

    assert found.is_empty
    assert [each.change for each in found.clauses] == [Change.UNCHANGED, Change.UNCHANGED]


def test_only_the_order_of_clauses_is_no_difference() -> None:
    assert compare(content(clause("三"), clause("四")), content(clause("四"), clause("三"))).is_empty


def test_a_changed_clause_names_the_fields_that_differ() -> None:
    before, after = clause("三"), clause("三", threshold="24 h", beneficiary_tiers=(Tier.YOUTH,))

    (found,) = compare(content(before), content(after)).clauses

    assert (found.change, found.before, found.shown) == (Change.CHANGED, before, after)
    assert found.fields == ("beneficiary_tiers", "threshold")


def test_an_added_clause_stands_where_it_was_put() -> None:
    before = content(clause("三"), clause("四"))

    assert told(before, content(clause("三"), clause("三之一", measure="每季会商"), clause("四"))) == [
        (Change.UNCHANGED, "三"),
        (Change.ADDED, "三之一"),
        (Change.UNCHANGED, "四"),
    ]


def test_a_removed_clause_stands_where_it_was() -> None:
    before = content(clause("三"), clause("四", measure="折扣"), clause("五", measure="会商"))

    assert told(before, content(clause("三"), clause("五", measure="会商"))) == [
        (Change.UNCHANGED, "三"),
        (Change.REMOVED, "四"),
        (Change.UNCHANGED, "五"),
    ]
    assert told(before, content(clause("三")))[1:] == [(Change.REMOVED, "四"), (Change.REMOVED, "五")]


def test_a_renamed_clause_is_one_removed_and_one_added() -> None:
    assert told(content(clause("三")), content(clause("第三条"))) == [
        (Change.ADDED, "第三条"),
        (Change.REMOVED, "三"),
    ]


def test_clauses_of_one_name_go_together_by_content_before_order() -> None:
    first, second = clause("三", measure="甲"), clause("三", measure="乙")

    found = compare(content(first, second), content(second, clause("三", measure="丙")))

    assert [(each.change, each.shown.measure) for each in found.clauses] == [
        (Change.UNCHANGED, "乙"),
        (Change.CHANGED, "丙"),
    ]


def test_what_the_head_changes_is_named() -> None:
    after = content(
        clause("三"), title="续签", valid_through=date(2028, 11, 30), parties=((BANK, "丙方"), (SHOP, "乙方"))
    )

    found = compare(content(clause("三")), after)

    assert found.head == ("title", "valid_through", "parties")
    assert not found.is_empty
    assert (found.changed, len(found.unchanged)) == ((), 1)


def test_a_hundred_clauses_turned_round_are_compared() -> None:
    clauses = [clause(f"第{number}条", measure=f"事项{number}") for number in range(100)]

    found = compare(content(*clauses), content(*reversed(clauses)))

    assert found.is_empty
    assert len(found.clauses) == 100
