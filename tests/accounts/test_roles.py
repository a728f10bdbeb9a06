"""The permission matrix: what the specification forbids a role, no permission grants it."""

import pytest

from talentseal.accounts.roles import PERMISSIONS, Actor, Permission, Role
from talentseal.errors import NotPermitted

WRITING = frozenset(Permission) - {
    Permission.ORGANISATION_READ,
    Permission.AGREEMENT_READ,
    Permission.AGREEMENT_READ_ALL,
    Permission.EVIDENCE_READ,
    Permission.EVIDENCE_READ_ALL,
    Permission.LOG_ENTRIES_READ,
    Permission.OPERATION_READ,
    Permission.API_KEY_OWN,
    Permission.GRANT_USE,
}
"""Acts on the scheme; a key of one's own opens no more than one may do anyway."""


def test_every_role_has_its_line() -> None:
    assert set(PERMISSIONS) == set(Role)


def test_an_auditor_writes_nothing() -> None:
    assert not PERMISSIONS[Role.AUDITOR] & WRITING


def test_only_auditors_read_entry_bundles() -> None:
    assert [role for role in Role if Permission.LOG_ENTRIES_READ in PERMISSIONS[role]] == [Role.AUDITOR]


def test_only_the_operator_decides_on_keys() -> None:
    assert [role for role in Role if Permission.SIGNING_KEY_DECIDE in PERMISSIONS[role]] == [Role.OPERATOR]


def test_partners_do_not_see_how_the_service_runs() -> None:
    watching = {role for role in Role if Permission.OPERATION_READ in PERMISSIONS[role]}

    assert watching == {Role.OPERATOR, Role.TALENT_OFFICE, Role.BIG_DATA_BUREAU, Role.AUDITOR}


@pytest.mark.parametrize("role", Role)
def test_a_permission_missing_in_the_matrix_is_refused(role: Role) -> None:
    actor = Actor("account", "organisation", role, frozenset(Permission))

    for permission in set(Permission) - PERMISSIONS[role]:
        with pytest.raises(NotPermitted):
            actor.require(permission)


def test_everyone_manages_his_own_api_keys() -> None:
    without = {role for role, granted in PERMISSIONS.items() if Permission.API_KEY_OWN not in granted}

    assert without == {Role.TALENT}, "a talent shows his code himself, and has no programs act for him"


def test_whoever_honours_benefits_has_outlets_and_serves_there() -> None:
    honouring = {Role.PARTNER, Role.THIRD_PARTY, Role.OPERATOR, Role.BUREAU, Role.FINANCIAL_AFFAIRS_BUREAU}

    for permission in (Permission.OUTLET_MANAGE, Permission.COUNTER_SERVE):
        assert {role for role in Role if permission in PERMISSIONS[role]} == honouring
