"""Ed25519: the vectors of RFC 8032, the edges on which verifiers differ, and one verdict from both paths."""

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sealproof import ed25519
from sealproof.errors import BadLength, ProofError, SignatureFalse
from tests.sealproof import edwards

Verify = Callable[[bytes, bytes, bytes], None]
BACKEND = Path(ed25519.__file__).parents[1]
SMALL = edwards.torsion()
SECRET, NONCE = 0x1234567890ABCDEF**4 % edwards.L, 0xFEDCBA0987654321**4 % edwards.L


@pytest.fixture(params=[ed25519.verify, ed25519.verify_in_python], ids=["openssl", "python"])
def verify(request: pytest.FixtureRequest) -> Verify:
    chosen: Verify = request.param
    return chosen


def verdict(check: Verify, public: bytes, message: bytes, signature: bytes) -> str:
    try:
        check(public, message, signature)
    except ProofError as refusal:
        return refusal.code
    return "valid"


def test_the_fast_path_is_under_test_here() -> None:
    assert ed25519.openssl_is_at_hand()


def test_random_signatures_verify_and_each_flipped_bit_is_refused_by_both_paths() -> None:
    source = random.Random(6)
    for trial in range(512):
        key = Ed25519PrivateKey.from_private_bytes(source.randbytes(32))
        public, message = key.public_key().public_bytes_raw(), source.randbytes(trial % 97)
        good = key.sign(message)
        flipped = bytearray(good)
        flipped[trial // 8] ^= 1 << trial % 8
        for check in (ed25519.verify, ed25519.verify_in_python):
            assert verdict(check, public, message, good) == "valid"
            assert verdict(check, public, message, bytes(flipped)) == "signature-false"
            assert verdict(check, public, message + b"\x00", good) == "signature-false"


def test_random_bytes_get_the_same_verdict_from_both_paths() -> None:
    source = random.Random(7)
    for _ in range(500):
        public, signature = source.randbytes(32), source.randbytes(63) + bytes([source.randrange(16)])
        python = verdict(ed25519.verify_in_python, public, b"m", signature)
        assert verdict(ed25519.verify, public, b"m", signature) == python == "signature-false"


def test_a_second_form_of_s_is_refused(verify: Verify) -> None:
    public = edwards.encode(edwards.times(SECRET, edwards.BASE))
    good = edwards.signature(SECRET, public, b"message", NONCE)
    s = int.from_bytes(good[32:], "little")
    verify(public, b"message", good)
    for other in (s + edwards.L, edwards.L, 2**256 - 1):
        with pytest.raises(SignatureFalse, match="below the order"):
            verify(public, b"message", good[:32] + other.to_bytes(32, "little"))


@pytest.mark.parametrize("order", range(8))
def test_a_small_order_key_signs_nothing(verify: Verify, order: int) -> None:
    """With such a key s·B = R holds for every eighth message or for all: a signature by nobody."""
    public = edwards.encode(SMALL[order])
    for trial in range(9):
        signature = edwards.signature(0, public, b"message %d" % trial, NONCE)
        with pytest.raises(SignatureFalse, match="small order"):
            verify(public, b"message %d" % trial, signature)


@pytest.mark.parametrize("order", range(8))
def test_a_small_order_nonce_point_is_refused(verify: Verify, order: int) -> None:
    public = edwards.encode(edwards.times(SECRET, edwards.BASE))
    signature = edwards.signature(SECRET, public, b"message", 0, twist=SMALL[order])
    with pytest.raises(SignatureFalse, match="small order"):
        verify(public, b"message", signature)


@pytest.mark.parametrize("order", range(1, 8))
def test_a_mixed_order_key_verifies_exactly_when_the_equation_without_cofactor_holds(
    verify: Verify, order: int
) -> None:
    twist = SMALL[order]
    public = edwards.encode(edwards.add(edwards.times(SECRET, edwards.BASE), twist))
    verdicts = set()
    for trial in range(14):
        message = b"message %d" % trial
        signature = edwards.signature(SECRET, public, message, NONCE)
        holds = edwards.times(edwards.challenge(signature[:32], public, message), twist) == edwards.NEUTRAL
        expected = "valid" if holds else "signature-false"
        verdicts.add(expected)
        assert verdict(verify, public, message, signature) == expected
    assert verdicts == {"valid", "signature-false"}


def test_a_twisted_nonce_point_is_refused(verify: Verify) -> None:
    """The equation with cofactor would hold; ours, like OpenSSL's, does not."""
    public = edwards.encode(edwards.times(SECRET, edwards.BASE))
    for twist in SMALL[1:]:
        with pytest.raises(SignatureFalse):
            verify(public, b"message", edwards.signature(SECRET, public, b"message", NONCE, twist=twist))


@pytest.mark.parametrize("small", range(19))
@pytest.mark.parametrize("sign", [0, 1])
def test_second_encodings_of_points_are_refused(verify: Verify, small: int, sign: int) -> None:
    twice = (edwards.P + small | sign << 255).to_bytes(32, "little")
    public = edwards.encode(edwards.times(SECRET, edwards.BASE))
    good = edwards.signature(SECRET, public, b"message", NONCE)
    with pytest.raises(SignatureFalse, match="public key is not in its canonical"):
        verify(twice, b"message", good)
    with pytest.raises(SignatureFalse, match="R is not in its canonical"):
        verify(public, b"message", twice + good[32:])


@pytest.mark.parametrize("y", [1, edwards.P - 1])
def test_a_sign_bit_on_x_zero_is_refused(verify: Verify, y: int) -> None:
    with pytest.raises(SignatureFalse):
        verify((y | 1 << 255).to_bytes(32, "little"), b"message", bytes(64))


def test_a_key_that_is_no_point_is_refused(verify: Verify) -> None:
    good = edwards.signature(SECRET, edwards.encode(edwards.BASE), b"message", NONCE)
    absent = next(y for y in range(2, 100) if edwards.point_at(y, odd=False) is None)
    with pytest.raises(SignatureFalse):
        verify(absent.to_bytes(32, "little"), b"message", good)


@pytest.mark.parametrize(
    ("public", "signature"), [(0, 64), (31, 64), (33, 64), (32, 0), (32, 63), (32, 65), (32, 128)]
)
def test_other_lengths_are_malformed(verify: Verify, public: int, signature: int) -> None:
    with pytest.raises(BadLength):
        verify(bytes(public), b"message", bytes(signature))


def test_without_site_packages_plain_python_answers() -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(BACKEND)!r})\n"
        "from sealproof import ed25519\n"
        "public = bytes.fromhex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')\n"
        "signature = bytes.fromhex('e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155'\n"
        "                          '5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b')\n"
        "ed25519.verify(public, b'', signature)\n"
        "print(ed25519.openssl_is_at_hand())"
    )
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"
