"""Notes, checkpoints, promises and tlog-proofs: what we write we read, and what was altered is refused."""

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from sealproof import checkpoint, merkle, note, promise, tlogproof
from sealproof.checkpoint import Checkpoint
from sealproof.errors import (
    BadKey,
    BadLength,
    BadSyntax,
    BadText,
    NoTrustedSignature,
    OriginMismatch,
    OutOfRange,
    Oversized,
    ProofError,
    SignatureFalse,
)
from sealproof.note import VerifierKey
from sealproof.promise import Promise

ORIGIN = "log.example/talentseal"
SECRET = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = SECRET.public_key().public_bytes_raw()
KEY = VerifierKey.of(ORIGIN, PUBLIC)
LEAVES = [merkle.leaf_hash(bytes([number])) for number in range(11)]
HEAD = Checkpoint(ORIGIN, 11, merkle.root_of(LEAVES))

lines = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="".join(map(chr, range(32)))), max_size=30
)


def _signed(text: str, name: str = ORIGIN) -> str:
    return note.sign_note(text, name, PUBLIC, SECRET.sign)


@given(st.lists(lines, min_size=1, max_size=4))
def test_a_signed_text_is_opened_whatever_its_lines(texts: list[str]) -> None:
    text = "".join(f"{line}\n" for line in texts)

    opened = note.open_note(_signed(text), [KEY])

    assert opened == note.OpenNote(text, (KEY,))


@given(st.data())
@settings(max_examples=300)
def test_a_note_with_one_character_changed_is_refused(data: st.DataObject) -> None:
    good = _signed(HEAD.encode())
    at = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.characters().filter(lambda character: character != good[at]))

    with pytest.raises(ProofError):
        note.open_note(good[:at] + other + good[at + 1 :], [KEY])


def test_the_note_printed_in_the_specification_is_taken_apart() -> None:
    # C2SP signed-note prints it without its key, so only its form can be checked.
    example = (
        "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
        "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU"
        "0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
    )

    text, (signature,) = note.split_note(example)

    assert text.endswith("\n\ned è subito sera.\n")
    assert (signature.name, signature.key_id.hex()) == ("quasimodo.example/salvatore", "367ba04b")
    with pytest.raises(NoTrustedSignature):
        note.open_note(example, [KEY])


def test_a_verifier_key_is_read_back_and_names_itself() -> None:
    text = str(KEY)

    assert VerifierKey.parse(text) == KEY
    assert text == f"{ORIGIN}+{KEY.key_id.hex()}+{base64.b64encode(bytes([1]) + PUBLIC).decode()}"


@pytest.mark.parametrize("text", ["", "no newline", "tab\t\n", "\ud800\n"])
def test_texts_that_no_note_can_carry_are_not_signed(text: str) -> None:
    with pytest.raises((BadSyntax, BadText)):
        _signed(text)


def test_a_signer_that_gives_no_ed25519_signature_is_refused() -> None:
    with pytest.raises(BadLength):
        note.sign_note("text\n", ORIGIN, PUBLIC, lambda _message: bytes(63))
    with pytest.raises(BadKey):
        note.sign_note("text\n", "a name", PUBLIC, SECRET.sign)


def test_a_note_has_a_largest_size() -> None:
    with pytest.raises(Oversized):
        note.split_note("a" * (note.NOTE_LIMIT + 1))


def test_a_false_signature_by_a_trusted_key_spoils_the_note() -> None:
    false = _signed("other\n").rpartition("\n\n")[2]

    with pytest.raises(SignatureFalse):
        note.open_note(_signed("text\n") + false, [KEY])


@given(st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_is_read_back(size: int, root: bytes) -> None:
    head = Checkpoint(ORIGIN, size, root)

    assert checkpoint.parse(head.encode()) == head
    assert checkpoint.open_checkpoint(_signed(head.encode()), [KEY]) == head


def test_a_witness_alone_does_not_make_a_checkpoint() -> None:
    witness = VerifierKey.of("witness.example", PUBLIC)

    with pytest.raises(OriginMismatch):
        checkpoint.open_checkpoint(_signed(HEAD.encode(), "witness.example"), [KEY, witness])


@given(st.integers(1, 65_535), st.binary(min_size=32, max_size=32), st.datetimes(timezones=st.just(UTC)))
def test_a_promise_is_read_back_and_is_no_checkpoint(kind: int, leaf: bytes, deadline: datetime) -> None:
    word = Promise(ORIGIN, kind, leaf, deadline)
    signed = _signed(word.encode())

    assert promise.open_promise(signed, [KEY]) == word
    with pytest.raises(ProofError):
        checkpoint.open_checkpoint(signed, [KEY])


def test_a_checkpoint_is_no_promise_and_a_witness_cannot_promise() -> None:
    word = Promise(ORIGIN, 10, LEAVES[0], datetime(2026, 11, 23, 8, tzinfo=UTC))

    with pytest.raises(ProofError):
        promise.open_promise(_signed(HEAD.encode()), [KEY])
    with pytest.raises(OriginMismatch):
        promise.open_promise(_signed(word.encode(), "w.example"), [VerifierKey.of("w.example", PUBLIC)])


@pytest.mark.parametrize("extra", [None, b"", b"context"])
@pytest.mark.parametrize("index", range(11))
def test_a_tlog_proof_is_read_back_and_holds_for_its_leaf_alone(index: int, extra: bytes | None) -> None:
    path = merkle.inclusion_path(LEAVES, index)
    text = tlogproof.encode(index, path, _signed(HEAD.encode()), extra)

    assert tlogproof.parse(text) == tlogproof.TlogProof(index, tuple(path), _signed(HEAD.encode()), extra)
    assert tlogproof.open_proof(text, LEAVES[index], [KEY]) == HEAD
    with pytest.raises(ProofError):
        tlogproof.open_proof(text, LEAVES[index - 1], [KEY])


@given(st.data())
@settings(max_examples=300)
def test_a_tlog_proof_with_one_character_changed_is_refused(data: st.DataObject) -> None:
    good = tlogproof.encode(3, merkle.inclusion_path(LEAVES, 3), _signed(HEAD.encode()))
    at = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.characters().filter(lambda character: character != good[at]))

    with pytest.raises(ProofError):
        tlogproof.open_proof(good[:at] + other + good[at + 1 :], LEAVES[3], [KEY])


@pytest.mark.parametrize("index", [-1, 2**63])
def test_a_tlog_proof_that_could_not_be_read_back_is_not_written(index: int) -> None:
    with pytest.raises(ProofError):
        tlogproof.encode(index, [], _signed(HEAD.encode()))
    with pytest.raises(ProofError):
        tlogproof.encode(0, [b"short"], _signed(HEAD.encode()))


def _twins() -> list[VerifierKey]:
    """Two keys of one name and identifier: it has 32 bits, so some hundred thousand tries are enough."""
    seen: dict[bytes, bytes] = {}
    while True:
        public = len(seen).to_bytes(32, "big")
        first = seen.setdefault(note.key_id_of(ORIGIN, note.ED25519, public), public)
        if first != public:
            return [VerifierKey.of(ORIGIN, first), VerifierKey.of(ORIGIN, public)]


def test_two_trusted_keys_that_share_name_and_identifier_are_refused() -> None:
    with pytest.raises(BadKey):
        note.open_note(_signed("text\n"), _twins())


def test_heads_and_promises_that_could_not_be_read_back_cannot_be_built() -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)

    with pytest.raises(OutOfRange):
        Checkpoint(ORIGIN, -1, bytes(32))
    with pytest.raises(BadLength):
        Checkpoint(ORIGIN, 1, bytes(31))
    with pytest.raises(BadLength):
        Promise(ORIGIN, 10, bytes(31), noon)
    with pytest.raises(OutOfRange):
        Promise(ORIGIN, 10, bytes(32), noon.replace(tzinfo=None))
    with pytest.raises(BadSyntax):
        checkpoint.parse(HEAD.encode()[:-1])
    with pytest.raises(BadSyntax):
        tlogproof.parse(tlogproof.HEADER + "\nindex 0\n")
