"""Timestamped cosignature (C2SP tlog-cosignature v1, Ed25519, type 04): when a signer says it saw a
checkpoint.

The log adds one by its own key to each checkpoint, so that the time of signing is signed too; to readers who
do not know the type it is one more signature line to pass over. A witness's cosignature has the same form.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from sealproof import ed25519
from sealproof.encoding import b64_encode, utf8_encode
from sealproof.errors import BadLength, NoTrustedSignature, OutOfRange
from sealproof.note import VerifierKey, key_id_of, split_note

COSIGNATURE = 0x04
TIME_LENGTH = 8
VALUE_LENGTH = TIME_LENGTH + ed25519.SIGNATURE_LENGTH


def add(note: str, name: str, public: bytes, sign: Callable[[bytes], bytes], time: datetime) -> str:
    """The checkpoint note with one more line: name's cosignature at that time.

    time: aware, whole seconds since 1970. public: 32 bytes. sign: gives 64 bytes. Raises what `split_note`
    raises, OutOfRange for a time with a fraction or before 1970.
    """
    text, _ = split_note(note)
    seconds = _seconds(time)
    value = seconds.to_bytes(TIME_LENGTH, "big") + sign(_message(text, seconds))
    return f"{note}\u2014 {name} {b64_encode(key_id_of(name, COSIGNATURE, public) + value)}\n"


def read(note: str, key: VerifierKey) -> datetime:
    """The time, aware UTC, at which the holder of key cosigned the note.

    Raises what `split_note` raises, NoTrustedSignature when it did not, BadLength, SignatureFalse.
    """
    text, signatures = split_note(note)
    identity = (key.name, key_id_of(key.name, COSIGNATURE, key.public))
    for signature in signatures:
        if (signature.name, signature.key_id) == identity:
            if len(signature.value) != VALUE_LENGTH:
                raise BadLength(f"expected a cosignature of {VALUE_LENGTH} bytes, met {len(signature.value)}")
            seconds = int.from_bytes(signature.value[:TIME_LENGTH], "big")
            ed25519.verify(key.public, _message(text, seconds), signature.value[TIME_LENGTH:])
            return _moment(seconds)
    raise NoTrustedSignature(f"expected a timestamped cosignature by {key.name}, met none")


def _message(text: str, seconds: int) -> bytes:
    return utf8_encode(f"cosignature/v1\ntime {seconds}\n{text}")


def _seconds(time: datetime) -> int:
    seconds = int(time.timestamp())
    if time.microsecond or seconds < 0:
        raise OutOfRange(f"expected a time of whole seconds since 1970, met {time.isoformat()}")
    return seconds


def _moment(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        raise OutOfRange(f"expected a time that the calendar holds, met {seconds} seconds") from None
