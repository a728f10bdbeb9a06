"""What the pages and the API of people's rights work with, put together by the composition root."""

from collections.abc import Sequence
from dataclasses import dataclass

from talentseal.talents.correcting import CorrectRecord
from talentseal.talents.holdings import Holding


@dataclass(frozen=True, slots=True)
class PrivacyDesk:
    """Set as `app.state.privacy`. holdings: whatever is held of people, by all features."""

    holdings: Sequence[Holding]
    correct_record: CorrectRecord
