"""In which forms somebody's data could betray him."""

import hashlib

from sealproof.keccak import keccak256


def forms(secret: str) -> list[bytes]:
    """The text itself and its unsalted hashes, raw and in hex."""
    raw = secret.encode()
    hashes = [hashlib.sha256(raw).digest(), keccak256(raw), hashlib.new("sm3", raw).digest()]
    return [raw, *hashes, *(each.hex().encode() for each in hashes)]
