"""Requests made from the OpenAPI description, right and wrong: never a 5xx, never an undocumented answer."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from talentseal.accounts.roles import Role
from tests.api.conftest import Api
from tests.world import Member, World

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
QUICK, LONG = 10, 500
FEWEST_OPERATIONS = 25


def refusals(api: Api, member: Member, examples: int) -> tuple[int, list[str]]:
    """How many operations there are, and the first wrong answer of each that gives one."""
    described = schemathesis.openapi.from_asgi("/api/v1/openapi.json", api.app)
    headers = {"Authorization": f"Bearer {api.key_of(member)}"}
    operations: list[Any] = [found.ok() for found in described.get_all_operations() if isinstance(found, Ok)]
    wrong = [
        failure
        for operation in operations
        for mode in GenerationMode
        for failure in _first_failure(operation, mode, headers, examples)
    ]
    return len(operations), wrong


def _first_failure(
    operation: Any, mode: GenerationMode, headers: dict[str, str], examples: int
) -> Iterator[str]:
    relaxed = settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )

    @relaxed
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    try:
        ask()
    except Unsatisfiable:
        return  # nothing about this operation can be wrong: it takes no input
    except FailureGroup as failure:
        yield f"{operation.label} ({mode.value}): {failure}"[:2000]


@pytest.mark.parametrize(
    "examples",
    [pytest.param(QUICK, id="quick"), pytest.param(LONG, id="long", marks=[pytest.mark.long])],
)
def test_every_operation_answers_as_described(
    api: Api, world: World, bank: Member, office: Member, examples: int
) -> None:
    operator = world.member("运营机构", role=Role.OPERATOR)
    api.signed(bank, office)

    operations, wrong = refusals(api, operator, examples)

    assert wrong == []
    assert operations >= FEWEST_OPERATIONS
