"""What happened: records beside the act, their order in the log, the signed checkpoints over them."""

from talentseal.evidence.events import Event
from talentseal.evidence.records import record

__all__ = ["Event", "record"]
