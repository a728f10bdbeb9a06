"""The signed promise handed out with an acknowledgement: this leaf will be under a checkpoint by that time.

A promise and a later checkpoint that does not contain the leaf prove together that the log broke its word.
"""

from sealproof.promise import Promise
from talentseal.evidence.models import EvidenceRecord
from talentseal.evidence.records import Recorded
from talentseal.evidence.signing import LogSigner


def promise(signer: LogSigner, recorded: Recorded | EvidenceRecord) -> str:
    """The promise for a record whose commit is durable, as a C2SP note. Signing it again gives the same
    bytes.
    """
    return signer.sign_promise(
        Promise(signer.origin, recorded.kind, bytes(recorded.leaf_hash), recorded.deadline)
    )
