"use strict";
/**
 * Named refusals: what was malformed, and what was well-formed but false. The names and codes are those of
 * sealproof, the auditor's command line.
 */

/** Base of every refusal of this package. */
export class ProofError extends Error {
  static code = "proof-error";

  /** @param {string} message for a person, in English. */
  constructor(message) {
    super(message);
    this.name = this.constructor.name;
  }

  /** The stable machine name of the refusal. */
  get code() {
    return this.constructor.code;
  }
}

/** The input is malformed: it says nothing, neither true nor false. */
export class DecodeError extends ProofError {
  static code = "malformed";
}

/** The input ends before what it announces. */
export class Truncated extends DecodeError {
  static code = "truncated";
}

/** The input goes on after its end. */
export class TrailingBytes extends DecodeError {
  static code = "trailing-bytes";
}

/** The text does not follow its grammar. */
export class BadSyntax extends DecodeError {
  static code = "bad-syntax";
}

/** A JSON object names one key twice, so that two readers could see two values. */
export class DuplicateKey extends DecodeError {
  static code = "duplicate-key";
}

/** The value is readable, but these are not the only bytes that may stand for it. */
export class NotCanonical extends DecodeError {
  static code = "not-canonical";
}

/** The input is longer than its limit. */
export class Oversized extends DecodeError {
  static code = "oversized";
}

/** The input is nested deeper than its limit. */
export class TooDeep extends DecodeError {
  static code = "too-deep";
}

/** An object carries a key that its format does not have. */
export class UnknownField extends DecodeError {
  static code = "unknown-field";
}

/** An object lacks a key that its format demands. */
export class MissingField extends DecodeError {
  static code = "missing-field";
}

/** The format or its version is not one that this release reads. */
export class UnknownVersion extends DecodeError {
  static code = "unknown-version";
}

/** A value is of another type than its format demands. */
export class WrongType extends DecodeError {
  static code = "wrong-type";
}

/** A value is of the right type but outside the values its format allows. */
export class OutOfRange extends DecodeError {
  static code = "out-of-range";
}

/** A hash, key, salt or signature has another number of bytes than its algorithm gives. */
export class BadLength extends DecodeError {
  static code = "bad-length";
}

/** Base64, hexadecimal or UTF-8 that is broken, or not the one form that encodes its bytes. */
export class BadEncoding extends DecodeError {
  static code = "bad-encoding";
}

/** Text that holds a lone surrogate or a control character. */
export class BadText extends DecodeError {
  static code = "bad-text";
}

/** A fraction, an exponent, NaN, an integer of 2**53 or more, a decimal not in its shortest form. */
export class BadNumber extends DecodeError {
  static code = "bad-number";
}

/** A verifier key whose parts do not belong together. */
export class BadKey extends DecodeError {
  static code = "bad-key";
}

/** A key or a digest names an algorithm that this release does not check. */
export class UnsupportedAlgorithm extends DecodeError {
  static code = "unsupported-algorithm";
}

/** The input is well-formed, and what it claims is false. */
export class VerificationError extends ProofError {
  static code = "false";
}

/** Two roots that must be equal differ. */
export class RootMismatch extends VerificationError {
  static code = "root-mismatch";
}

/** The path does not lead from this leaf at this index to the root. */
export class InclusionFalse extends VerificationError {
  static code = "inclusion-false";
}

/** The later tree is not shown to contain the earlier one unchanged. */
export class ConsistencyFalse extends VerificationError {
  static code = "consistency-false";
}

/** A later checkpoint is smaller than an earlier one: the log was rewritten. */
export class TreeShrank extends VerificationError {
  static code = "tree-shrank";
}

/** A signature does not belong to this message and key. */
export class SignatureFalse extends VerificationError {
  static code = "signature-false";
}

/** No signature on the note is by a key that the verifier trusts. */
export class NoTrustedSignature extends VerificationError {
  static code = "no-trusted-signature";
}

/** A checkpoint or promise speaks for another log than the key that signed it. */
export class OriginMismatch extends VerificationError {
  static code = "origin-mismatch";
}

/** A disclosure does not belong to the entry it is shown with. */
export class DisclosureFalse extends VerificationError {
  static code = "disclosure-false";
}
