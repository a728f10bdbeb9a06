"""Named refusals: what was malformed, and what was well-formed but false.

Every refusal in this package is one of these classes; `code` is the stable machine name, the message is for a
person.
"""

from typing import ClassVar


class ProofError(Exception):
    """Base of every refusal of this package."""

    code: ClassVar[str] = "proof-error"


class DecodeError(ProofError):
    """The input is malformed: it says nothing, neither true nor false."""

    code = "malformed"


class Truncated(DecodeError):
    """The input ends before what it announces."""

    code = "truncated"


class TrailingBytes(DecodeError):
    """The input goes on after its end."""

    code = "trailing-bytes"


class BadSyntax(DecodeError):
    """The text does not follow its grammar."""

    code = "bad-syntax"


class DuplicateKey(DecodeError):
    """A JSON object names one key twice, so that two readers could see two values."""

    code = "duplicate-key"


class NotCanonical(DecodeError):
    """The value is readable, but these are not the only bytes that may stand for it."""

    code = "not-canonical"


class Oversized(DecodeError):
    """The input is longer than its limit."""

    code = "oversized"


class TooDeep(DecodeError):
    """The input is nested deeper than its limit."""

    code = "too-deep"


class UnknownField(DecodeError):
    """An object carries a key that its format does not have."""

    code = "unknown-field"


class MissingField(DecodeError):
    """An object lacks a key that its format demands."""

    code = "missing-field"


class UnknownVersion(DecodeError):
    """The format or its version is not one that this release reads."""

    code = "unknown-version"


class WrongType(DecodeError):
    """A value is of another type than its format demands."""

    code = "wrong-type"


class OutOfRange(DecodeError):
    """A value is of the right type but outside the values its format allows."""

    code = "out-of-range"


class BadLength(DecodeError):
    """A hash, key, salt or signature has another number of bytes than its algorithm gives."""

    code = "bad-length"


class BadEncoding(DecodeError):
    """Base64, hexadecimal or UTF-8 that is broken, or not the one form that encodes its bytes."""

    code = "bad-encoding"


class BadText(DecodeError):
    """Text that holds a lone surrogate or a control character."""

    code = "bad-text"


class BadNumber(DecodeError):
    """A fraction, an exponent, NaN, an integer of 2**53 or more, a decimal not in its shortest form."""

    code = "bad-number"


class BadKey(DecodeError):
    """A verifier key whose parts do not belong together."""

    code = "bad-key"


class UnsupportedAlgorithm(DecodeError):
    """A key or a digest names an algorithm that this release does not check."""

    code = "unsupported-algorithm"


class VerificationError(ProofError):
    """The input is well-formed, and what it claims is false."""

    code = "false"


class RootMismatch(VerificationError):
    """Two roots that must be equal differ."""

    code = "root-mismatch"


class InclusionFalse(VerificationError):
    """The path does not lead from this leaf at this index to the root."""

    code = "inclusion-false"


class ConsistencyFalse(VerificationError):
    """The later tree is not shown to contain the earlier one unchanged."""

    code = "consistency-false"


class TreeShrank(VerificationError):
    """A later checkpoint is smaller than an earlier one: the log was rewritten."""

    code = "tree-shrank"


class SignatureFalse(VerificationError):
    """A signature does not belong to this message and key."""

    code = "signature-false"


class NoTrustedSignature(VerificationError):
    """No signature on the note is by a key that the verifier trusts."""

    code = "no-trusted-signature"


class OriginMismatch(VerificationError):
    """A checkpoint or promise speaks for another log than the key that signed it."""

    code = "origin-mismatch"


class DisclosureFalse(VerificationError):
    """A disclosure does not belong to the entry it is shown with."""

    code = "disclosure-false"
