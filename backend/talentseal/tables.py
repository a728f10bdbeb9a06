"""Every table of the service in one place, for migrations and for the test that compares both."""

from talentseal import nightly as _nightly
from talentseal.accounts import models as _accounts
from talentseal.agreements import duty_models as _duties
from talentseal.agreements import models as _agreements
from talentseal.anchoring import models as _anchoring
from talentseal.audit import models as _audit
from talentseal.benefits import models as _benefits
from talentseal.complaints import models as _complaints
from talentseal.contributions import models as _contributions
from talentseal.credentials import card_models as _cards
from talentseal.credentials import models as _credentials
from talentseal.db import Base
from talentseal.events import models as _events
from talentseal.evidence import models as _evidence
from talentseal.partners import access_models as _access
from talentseal.partners import models as _partners
from talentseal.policy import measure_models as _measures
from talentseal.policy import models as _policy
from talentseal.redemptions import models as _redemptions
from talentseal.redemptions import settlement_models as _settlements
from talentseal.sanctions import models as _sanctions
from talentseal.talents import models as _talents
from talentseal.talents import objection_models as _objections
from talentseal.talents import privacy_models as _privacy
from talentseal.talents import review_models as _reviews
from talentseal.web import models as _web

FEATURES = (
    _access,
    _accounts,
    _agreements,
    _anchoring,
    _audit,
    _benefits,
    _complaints,
    _contributions,
    _credentials,
    _cards,
    _duties,
    _events,
    _evidence,
    _measures,
    _nightly,
    _objections,
    _partners,
    _policy,
    _privacy,
    _redemptions,
    _reviews,
    _sanctions,
    _settlements,
    _talents,
    _web,
)
METADATA = Base.metadata
