"""Every page there is: what the tests of every page open. A new page adds its line here, and nothing else.

Names in braces are filled with those of an agreement in force whose record is FINAL: {agreement}, {version},
{record}, {leaf} (64 hex); {size} is that of a checkpoint, {index} that of an entry, {waiting} an agreement
that waits for signatures, {ending} one whose termination does, {instrument} and {edition} name the measures
of 2023, {outlet} is one of the bank's. A page that shows something else says where it finds it by a name of
its own in `Running.sample`.
"""

from dataclasses import dataclass
from enum import StrEnum

from talentseal.accounts.roles import Role


class Person(StrEnum):
    """Somebody whom a role alone does not name; the value is his name in `Running.sample`."""

    DRAFTING = "drafting"
    """A talent whose application came back."""


@dataclass(frozen=True, slots=True)
class Address:
    """One page. who: as whom it is opened; None without an account. A partner is the bank, a talent one who
    holds a code.
    """

    path: str
    who: Role | Person | None = None
    status: int = 200

    def __str__(self) -> str:
        return f"{self.who or 'anyone'} {self.path}"


PUBLIC = [
    Address("/"),
    Address("/nowhere", status=404),
    Address("/invitation"),
    Address("/sign-up"),
    Address("/privacy"),
    Address("/sign-in"),
    Address("/sign-in/key"),
    Address("/sign-in/second-factor"),
    Address("/explorer"),
    Address("/explorer/checkpoints"),
    Address("/explorer/checkpoints/{size}"),
    Address("/explorer/consistency"),
    Address("/explorer/entries"),
    Address("/trust"),
    Address("/trust/holders"),
    Address("/api"),
    Address("/api/operations/submit-api-v1-agreements-post"),
    Address("/api/problems"),
    Address("/verify"),
    Address("/verify?record={record}&leaf={leaf}"),
    Address("/policy"),
    Address("/policy/{instrument}/{edition}"),
]

SIGNED_IN = [
    Address("/", Role.PARTNER),
    Address("/", Role.OPERATOR),
    Address("/", Role.AUDITOR),
    Address("/account", Role.PARTNER),
    Address("/account", Role.AUDITOR),
    Address("/account/second-factor", Role.PARTNER, status=409),
    Address("/explorer/entries", Role.AUDITOR),
    Address("/explorer/entries/{index}", Role.AUDITOR),
    Address("/operations", Role.OPERATOR),
    Address("/agreements", Role.PARTNER),
    Address("/agreements?q=nothing-like-it", Role.AUDITOR),
    Address("/agreements/new", Role.PARTNER),
    Address("/agreements/{agreement}/{version}", Role.PARTNER),
    Address("/agreements/{agreement}/{version}/amend", Role.PARTNER),
    Address("/agreements/{agreement}/{version}/again", Role.PARTNER),
    Address("/agreements/{agreement}/{version}/terminate", Role.PARTNER),
    Address("/agreements/{ending}/{version}/terminate/sign", Role.PARTNER),
    Address("/agreements/{waiting}/{version}", Role.PARTNER),
    Address("/agreements/{waiting}/{version}/sign", Role.PARTNER),
    Address("/agreements/{waiting}/{version}/return", Role.PARTNER),
    Address("/policy/calendar", Role.OPERATOR),
    Address("/keys", Role.PARTNER),
    Address("/keys", Role.OPERATOR),
    Address("/outlets", Role.PARTNER),
    Address("/outlets/{outlet}", Role.PARTNER),
    Address("/counter?choose=true", Role.PARTNER),
    Address("/counter/{outlet}", Role.PARTNER),
    Address("/card-requests", Role.PARTNER),
    Address("/card-requests?stage=REISSUE", Role.PARTNER),
    Address("/card-requests/{card}", Role.PARTNER),
    Address("/card-requests/{made}", Role.PARTNER),
    Address("/card-requests/{made}/recipient", Role.PARTNER),
    Address("/card-requests/{made}/print", Role.PARTNER),
    Address("/card-offer", Role.PARTNER),
    Address("/cards", Role.TALENT),
    Address("/cards/{card}", Role.TALENT),
    Address("/code", Role.TALENT),
    Address("/code/devices", Role.TALENT),
    Address("/trail", Role.PARTNER),
    Address("/trail", Role.AUDITOR),
    Address("/account", Role.TALENT),
    Address("/me", Role.TALENT),
    Address("/me", Person.DRAFTING),
    Address("/me/tier", Role.TALENT),
    Address("/me/tier", Person.DRAFTING),
    Address("/me/application", Role.TALENT),
    Address("/me/application", Person.DRAFTING),
    *(
        Address(f"/me/application/{sheet}", Person.DRAFTING)
        for sheet in ("identity", "work", "education", "claim", "achievements", "documents", "check")
    ),
    Address("/me/application/withdrawal", Person.DRAFTING),
    Address("/applications", Role.TALENT_OFFICE),
    Address("/applications?state=APPROVED", Role.TALENT_OFFICE),
    Address("/applications/{submitted}", Role.TALENT_OFFICE),
    Address("/applications/{application}", Role.TALENT_OFFICE),
    Address("/recognitions", Role.TALENT_OFFICE),
    Address("/recognitions/{recognition}", Role.TALENT_OFFICE),
    Address("/me/reviews", Role.TALENT),
    Address("/me/reviews/{review}", Role.TALENT),
    Address("/me/consents", Role.TALENT),
    Address("/me/photo", Role.TALENT),
    Address("/me/access", Role.TALENT),
    Address("/me/export", Role.TALENT),
    Address("/me/export/{part}", Role.TALENT),
    Address("/me/corrections", Role.TALENT),
    Address("/me/corrections?group=BASIC", Role.TALENT),
    Address("/me/erasure", Role.TALENT),
    Address("/reviews", Role.TALENT_OFFICE),
    Address("/reviews/{answered}", Role.TALENT_OFFICE),
    Address("/reviews/terms", Role.TALENT_OFFICE),
    Address("/reviews/report", Role.TALENT_OFFICE),
    Address("/me/objections", Role.TALENT),
    Address("/objections", Role.TALENT_OFFICE),
    Address("/objections/{objection}", Role.TALENT_OFFICE),
    Address("/wishes", Role.TALENT_OFFICE),
    Address("/corrections/{correction}", Role.TALENT_OFFICE),
    Address("/erasures/{erasure}", Role.TALENT_OFFICE),
    Address("/grants", Role.TALENT_OFFICE),
    Address("/grants", Role.AUDITOR),
    Address("/grants/{grant}", Role.AUDITOR),
    Address("/catalogue", Role.PARTNER),
    Address("/catalogue/new", Role.PARTNER),
    Address("/catalogue/{benefit}/{edition}", Role.PARTNER),
    Address("/catalogue/{benefit}/{edition}/amend", Role.PARTNER),
    Address("/catalogue/reviews", Role.OPERATOR),
    Address("/budgets", Role.PARTNER),
    Address("/budgets", Role.TALENT_OFFICE),
    Address("/admissions", Role.PARTNER),
    Address("/admissions", Role.OPERATOR),
    Address("/admissions/{admission}", Role.PARTNER),
    Address("/mandates", Role.TALENT_OFFICE),
    Address("/measures", Role.TALENT_OFFICE),
    Address("/measures/{measure}", Role.TALENT_OFFICE),
    Address("/me/benefits", Role.TALENT),
    Address("/me/receipts", Role.TALENT),
    Address("/me/receipts/{redemption}", Role.TALENT),
    Address("/counter/{outlet}/visits/{presentation}", Role.PARTNER),
    Address("/counter/{outlet}/redemptions/{redemption}", Role.PARTNER),
    Address("/redemptions", Role.PARTNER),
    Address("/redemptions/batch", Role.PARTNER),
    Address("/redemptions/{redemption}", Role.PARTNER),
    Address("/rules", Role.PARTNER),
    Address("/rules/new", Role.TALENT_OFFICE),
    Address("/rules/{rule}/{rule_version}", Role.PARTNER),
    Address("/rules/{rule}/{rule_version}/amend", Role.TALENT_OFFICE),
    Address("/rules/{rule}/{rule_version}/sign", Role.PARTNER),
    Address("/cases", Role.TALENT_OFFICE),
    Address("/cases/{case}", Role.TALENT_OFFICE),
    Address("/reviews/{failed}", Role.TALENT_OFFICE),
    Address("/reviews/{failed}/termination", Role.TALENT_OFFICE),
    Address("/terminations", Role.TALENT_OFFICE),
    Address("/terminations/new", Role.PARTNER),
    Address("/terminations/{end}", Role.TALENT_OFFICE),
    Address("/me/complaints", Role.TALENT),
    Address("/me/complaints/new", Role.TALENT),
    Address("/me/complaints/new?organisation={bank}", Role.TALENT),
    Address("/me/complaints/{answered_complaint}", Role.TALENT),
    Address("/me/ratings/{redemption}", Role.TALENT),
    Address("/complaints", Role.PARTNER),
    Address("/complaints", Role.TALENT_OFFICE),
    Address("/complaints/{complaint}", Role.PARTNER),
    Address("/complaints/{disputed}", Role.TALENT_OFFICE),
    Address("/service-records", Role.PARTNER),
    Address("/service-records", Role.TALENT_OFFICE),
    Address("/breaches", Role.PARTNER),
    Address("/breaches/{breach}", Role.PARTNER),
    Address("/breaches/{breach}", Role.TALENT_OFFICE),
    Address("/breaches/new?agreement={agreement}&version={version}", Role.PARTNER),
    Address("/me/cases", Role.TALENT),
    Address("/me/cases/{case}", Role.TALENT),
    Address("/me/terminations/{end}", Role.TALENT),
]

EVERY = [*PUBLIC, *SIGNED_IN]

NO_PAGES: set[str] = {
    "/account/{_act:path}",
    "/admissions/{access_id}/{_act:path}",
    "/budgets/{_act:path}",
    "/catalogue/sheet",
    "/catalogue/{benefit}/{number}/{_act:path}",
    "/mandates/{_act:path}",
    "/measures/{measure}/{_act:path}",
    "/me/receipts/{redemption}/bundle",
    "/verify/receipt",
    "/card-requests/{card}/{_act:path}",
    "/cards/{card}/{_act:path}",
    "/code/devices/{_act:path}",
    "/code/token",
    "/code/offline",
    "/counter/proof-trust",
    "/counter/{outlet}/presentations/{presentation}/photo",
    "/counter/{outlet}/{_act:path}",
    "/me/photo/picture",
    "/me/photo/removal",
    "/invitation/acceptance",
    "/operations/now",
    "/outlets/{outlet}/{_act:path}",
    "/rules/{rule}/{number}/{_act:path}",
    "/cases/{case}/{_act:path}",
    "/terminations/{termination}/{_act:path}",
    "/me/cases/{case}/{_act:path}",
    "/me/complaints/{complaint}/{_act:path}",
    "/complaints/{complaint}/{_act:path}",
    "/breaches/{breach}/{_act:path}",
    "/me/terminations/{termination}/{_act:path}",
    "/agreements/{agreement_id}/{version}/standing",
    "/agreements/{agreement_id}/{version}/document",
    "/me/export/file",
    "/me/export/applications/{application}/documents/{document}",
    "/me/reviews/{review}/papers/{paper}",
    "/me/corrections/{correction}/papers/{paper}",
    "/reviews/{review}/papers/{paper}",
    "/terminations/{termination}/findings/{finding}",
    "/me/terminations/{termination}/findings/{finding}",
    "/corrections/{correction}/papers/{paper}",
    "/me/application/{sheet}",
    "/me/application/documents/{document}",
    "/applications/{application}/documents/{document}",
}
"""Path templates of what pages load in pieces, as routes name them."""
