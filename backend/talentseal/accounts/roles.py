"""Who may do what: the roles of the scheme and their permissions (domain specification §1.1).

The matrix is data, so that it can be printed, reviewed and tested; services ask it through `Actor.require`.
Whose agreement or record it is, is a second question that the services ask themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from talentseal.errors import NotPermitted


class Role(StrEnum):
    """A body's part in the scheme; the values are the identifiers of the specification."""

    TALENT = "talent"
    PARTNER = "partner"
    THIRD_PARTY = "third_party"
    OPERATOR = "operator"
    TALENT_OFFICE = "talent_office"
    BIG_DATA_BUREAU = "big_data_bureau"
    FINANCIAL_AFFAIRS_BUREAU = "financial_affairs_bureau"
    BUREAU = "bureau"
    LEADING_GROUP = "leading_group"
    MANAGEMENT_COMMITTEE = "management_committee"
    AUDITOR = "auditor"


class Permission(StrEnum):
    """One act on the service; an API key's scopes are a subset of its role's permissions."""

    ORGANISATION_ADD = "organisation:add"
    ORGANISATION_READ = "organisation:read"
    ACCOUNT_ADD = "account:add"
    API_KEY_OWN = "api-key:own"
    SIGNING_KEY_REQUEST = "signing-key:request"
    SIGNING_KEY_DECIDE = "signing-key:decide"
    AGREEMENT_SUBMIT = "agreement:submit"
    AGREEMENT_SIGN = "agreement:sign"
    AGREEMENT_READ = "agreement:read"
    AGREEMENT_READ_ALL = "agreement:read-all"
    AGREEMENT_RETURN = "agreement:return"
    EVIDENCE_READ = "evidence:read"
    EVIDENCE_READ_ALL = "evidence:read-all"
    EVIDENCE_CORRECT = "evidence:correct"
    DISCLOSURE_ERASE = "disclosure:erase"
    LOG_ENTRIES_READ = "log-entries:read"
    OPERATION_READ = "operation:read"
    INSTRUMENT_ENTER = "instrument:enter"
    INSTRUMENT_DRAFT = "instrument:draft"
    INSTRUMENT_ADOPT = "instrument:adopt"
    INSTRUMENT_APPROVE = "instrument:approve"
    INSTRUMENT_ISSUE = "instrument:issue"
    INSTRUMENT_REPEAL = "instrument:repeal"
    INTERPRETATION_PROPOSE = "interpretation:propose"
    INTERPRETATION_ISSUE = "interpretation:issue"
    OUTLET_MANAGE = "outlet:manage"
    COUNTER_SERVE = "counter:serve"
    CALENDAR_IMPORT = "calendar:import"
    TALENT_OWN = "talent:own"
    APPLICATION_REVIEW = "application:review"
    RECOGNITION_VERIFY = "recognition:verify"
    RECOGNITION_CONFIRM = "recognition:confirm"
    CARD_OWN = "card:own"
    CARD_ISSUE = "card:issue"
    REGISTER_IMPORT = "register:import"
    REVIEW_REPORT = "review:report"
    REVIEW_DECIDE = "review:decide"
    RULE_DRAFT = "rule:draft"
    RULE_SIGN = "rule:sign"
    CASE_DECIDE = "case:decide"
    TERMINATION_PROPOSE = "termination:propose"
    TERMINATION_DECIDE = "termination:decide"
    TERMINATION_CONFIRM = "termination:confirm"
    SANCTION_OWN = "sanction:own"
    WISH_DECIDE = "wish:decide"
    OBJECTION_DECIDE = "objection:decide"
    BREACH_TAKE_PART = "breach:take-part"
    BREACH_DECIDE = "breach:decide"
    COMPLAINT_OWN = "complaint:own"
    COMPLAINT_ANSWER = "complaint:answer"
    COMPLAINT_DECIDE = "complaint:decide"
    GRANT_GIVE = "grant:give"
    GRANT_USE = "grant:use"
    MANDATE_DRAFT = "mandate:draft"
    MANDATE_DECIDE = "mandate:decide"
    ACCESS_OWN = "access:own"
    ACCESS_NEGOTIATE = "access:negotiate"
    ACCESS_EXAMINE = "access:examine"
    ACCESS_DECIDE = "access:decide"
    MEASURE_DRAFT = "measure:draft"
    MEASURE_ADOPT = "measure:adopt"
    MEASURE_APPROVE = "measure:approve"
    BENEFIT_OWN = "benefit:own"
    BENEFIT_REVIEW = "benefit:review"
    BUDGET_SET = "budget:set"
    SETTLEMENT_SIGN = "settlement:sign"
    SETTLEMENT_CLOSE = "settlement:close"
    SETTLEMENT_RECONCILE = "settlement:reconcile"
    CONTRIBUTION_READ = "contribution:read"
    CONTRIBUTION_FORMULA = "contribution:formula"
    CONTRIBUTION_CLOSE = "contribution:close"
    REWARD_DECIDE = "reward:decide"


_PARTY: Final = frozenset(
    {
        Permission.ORGANISATION_READ,
        Permission.API_KEY_OWN,
        Permission.SIGNING_KEY_REQUEST,
        Permission.AGREEMENT_SUBMIT,
        Permission.AGREEMENT_SIGN,
        Permission.AGREEMENT_READ,
        Permission.EVIDENCE_READ,
        Permission.EVIDENCE_CORRECT,
        Permission.BREACH_TAKE_PART,
    }
)
_PROVIDES: Final = frozenset({Permission.BENEFIT_OWN, Permission.BUDGET_SET})
"""What an organisation may do that offers benefits."""

_HONOURS_BENEFITS: Final = _PROVIDES | {
    Permission.OUTLET_MANAGE,
    Permission.COUNTER_SERVE,
    Permission.COMPLAINT_ANSWER,
    Permission.SETTLEMENT_SIGN,
}
"""What an organisation may do whose staff meet talents at a counter."""

_TALENT: Final = frozenset(
    {Permission.TALENT_OWN, Permission.CARD_OWN, Permission.SANCTION_OWN, Permission.COMPLAINT_OWN}
)
_PARTNER: Final = (
    _PARTY
    | _HONOURS_BENEFITS
    | {Permission.CARD_ISSUE, Permission.RULE_SIGN, Permission.TERMINATION_PROPOSE, Permission.ACCESS_OWN}
)
_OPERATOR: Final = (
    _PARTY
    | _HONOURS_BENEFITS
    | {
        Permission.ORGANISATION_ADD,
        Permission.ACCOUNT_ADD,
        Permission.SIGNING_KEY_DECIDE,
        Permission.AGREEMENT_READ_ALL,
        Permission.AGREEMENT_RETURN,
        Permission.OPERATION_READ,
        Permission.INSTRUMENT_ENTER,
        Permission.CALENDAR_IMPORT,
        Permission.TERMINATION_PROPOSE,
        Permission.ACCESS_NEGOTIATE,
        Permission.BENEFIT_REVIEW,
        Permission.SETTLEMENT_CLOSE,
        Permission.SETTLEMENT_RECONCILE,
        Permission.CONTRIBUTION_READ,
        Permission.CONTRIBUTION_CLOSE,
    }
)
_TALENT_OFFICE: Final = _PARTY | {
    Permission.AGREEMENT_READ_ALL,
    Permission.AGREEMENT_RETURN,
    Permission.EVIDENCE_READ_ALL,
    Permission.DISCLOSURE_ERASE,
    Permission.OPERATION_READ,
    Permission.INSTRUMENT_DRAFT,
    Permission.INSTRUMENT_ADOPT,
    Permission.INTERPRETATION_PROPOSE,
    Permission.CALENDAR_IMPORT,
    Permission.APPLICATION_REVIEW,
    Permission.RECOGNITION_VERIFY,
    Permission.RECOGNITION_CONFIRM,
    Permission.REVIEW_REPORT,
    Permission.REVIEW_DECIDE,
    Permission.RULE_DRAFT,
    Permission.RULE_SIGN,
    Permission.CASE_DECIDE,
    Permission.TERMINATION_PROPOSE,
    Permission.TERMINATION_DECIDE,
    Permission.WISH_DECIDE,
    Permission.OBJECTION_DECIDE,
    Permission.BREACH_DECIDE,
    Permission.COMPLAINT_DECIDE,
    Permission.GRANT_GIVE,
    Permission.MANDATE_DRAFT,
    Permission.MANDATE_DECIDE,
    Permission.ACCESS_DECIDE,
    Permission.MEASURE_DRAFT,
    Permission.MEASURE_ADOPT,
    Permission.BENEFIT_OWN,
    Permission.BENEFIT_REVIEW,
    Permission.BUDGET_SET,
    Permission.SETTLEMENT_SIGN,
    Permission.SETTLEMENT_CLOSE,
    Permission.SETTLEMENT_RECONCILE,
    Permission.CONTRIBUTION_READ,
    Permission.CONTRIBUTION_FORMULA,
    Permission.CONTRIBUTION_CLOSE,
    Permission.REWARD_DECIDE,
}
_BIG_DATA_BUREAU: Final = _PARTY | {
    Permission.OPERATION_READ,
    Permission.REGISTER_IMPORT,
    Permission.REVIEW_REPORT,
    Permission.RULE_DRAFT,
    Permission.RULE_SIGN,
}
_BUREAU: Final = (
    _PARTY
    | _HONOURS_BENEFITS
    | {Permission.REVIEW_REPORT, Permission.TERMINATION_PROPOSE, Permission.SETTLEMENT_RECONCILE}
)
_LEADING_GROUP: Final = _PARTY | {
    Permission.AGREEMENT_READ_ALL,
    Permission.EVIDENCE_READ_ALL,
    Permission.INSTRUMENT_APPROVE,
    Permission.TERMINATION_CONFIRM,
    Permission.MEASURE_APPROVE,
}
_MANAGEMENT_COMMITTEE: Final = _PARTY | {
    Permission.AGREEMENT_READ_ALL,
    Permission.EVIDENCE_READ_ALL,
    Permission.INSTRUMENT_ISSUE,
    Permission.INSTRUMENT_REPEAL,
    Permission.INTERPRETATION_ISSUE,
}
_AUDITOR: Final = frozenset(
    {
        Permission.ORGANISATION_READ,
        Permission.API_KEY_OWN,
        Permission.AGREEMENT_READ,
        Permission.EVIDENCE_READ,
        Permission.EVIDENCE_READ_ALL,
        Permission.LOG_ENTRIES_READ,
        Permission.OPERATION_READ,
        Permission.GRANT_USE,
    }
)

PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.PARTNER: _PARTNER,
        Role.TALENT: _TALENT,
        Role.THIRD_PARTY: _PARTY | _HONOURS_BENEFITS | {Permission.CONTRIBUTION_READ},
        Role.OPERATOR: _OPERATOR,
        Role.TALENT_OFFICE: _TALENT_OFFICE,
        Role.BIG_DATA_BUREAU: _BIG_DATA_BUREAU,
        Role.FINANCIAL_AFFAIRS_BUREAU: _PARTY
        | _HONOURS_BENEFITS
        | {Permission.ACCESS_EXAMINE, Permission.SETTLEMENT_RECONCILE},
        Role.BUREAU: _BUREAU,
        Role.LEADING_GROUP: _LEADING_GROUP,
        Role.MANAGEMENT_COMMITTEE: _MANAGEMENT_COMMITTEE,
        Role.AUDITOR: _AUDITOR,
    }
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever acts in one request: an account, its organisation, its role and what its key is scoped to."""

    account_id: str
    organisation_id: str
    role: Role
    scopes: frozenset[Permission]

    def may(self, permission: Permission) -> bool:
        """Whether both the role and the scopes of the key in use grant `permission`."""
        return permission in PERMISSIONS[self.role] and permission in self.scopes

    def require(self, permission: Permission) -> None:
        """Raises NotPermitted unless the role and the key's scopes grant `permission`."""
        if not self.may(permission):
            raise NotPermitted(permission=permission.value)

    @classmethod
    def console(cls) -> "Actor":
        """The person at the server's own console: whoever holds the database file acts as the operator."""
        return cls("console", "", Role.OPERATOR, frozenset(Permission))
