"""Requests made from the OpenAPI description, right and wrong: never a 5xx, never an undocumented answer."""

from collections.abc import Iterator
from pathlib import Path
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

from talentseal.accounts.operations import OPERATIONS, Audience
from talentseal.accounts.roles import PERMISSIONS, Permission, Role
from tests.api.conftest import Api
from tests.world import Member, World

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
QUICK, LONG = 5, 500
FEWEST_OPERATIONS = 100


NEEDS = {name.replace(":path}", "}"): need for name, need in OPERATIONS.items()}
"""As the description writes paths."""


class Callers:
    """Somebody of each role, of whom each operation is asked by one who may."""

    def __init__(self, api: Api, *known: Member) -> None:
        self.api = api
        self.by_role = {member.actor.role: member for member in known}

    def headers(self, operation: str) -> dict[str, str]:
        """Those by which the operation is open."""
        need = NEEDS[operation]
        wanted = Permission.AGREEMENT_READ if isinstance(need, Audience) else need[0]
        role = next(role for role in Role if wanted in PERMISSIONS[role])
        if role not in self.by_role:
            self.by_role[role] = self.api.world.member("虚构机构", role=role)
        return {"Authorization": f"Bearer {self.api.key_of(self.by_role[role])}"}


def refusals(api: Api, callers: Callers, examples: int) -> tuple[int, list[str]]:
    """How many operations there are, and the first wrong answer of each that gives one."""
    described = schemathesis.openapi.from_asgi("/api/v1/openapi.json", api.app)
    operations: list[Any] = [found.ok() for found in described.get_all_operations() if isinstance(found, Ok)]
    wrong = [
        failure
        for operation in operations
        for mode in GenerationMode
        for failure in _first_failure(operation, mode, callers.headers(operation.label), examples)
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


def test_every_operation_answers_as_described(sqlite_world: World, tmp_path: Path) -> None:
    assert_answers_as_described(sqlite_world, tmp_path, QUICK)


@pytest.mark.long
def test_every_operation_answers_as_described_however_it_is_asked(world: World, tmp_path: Path) -> None:
    assert_answers_as_described(world, tmp_path, LONG)


def assert_answers_as_described(world: World, folder: Path, examples: int) -> None:
    api, bank, office = (
        Api(world, folder),
        world.member("郑东银行"),
        world.member("人才办", role=Role.TALENT_OFFICE),
    )
    api.signed(bank, office)

    operations, wrong = refusals(api, Callers(api, bank, office), examples)

    assert wrong == []
    assert operations >= FEWEST_OPERATIONS
