"""Vectors about notes, checkpoints, promises, tile paths and tlog-proofs; signed with demonstration keys."""

from collections.abc import Iterator
from functools import cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.vectors.case import Case, accept, b64, flip, refuse
from tests.vectors.trees import TREE

ORIGIN = "log.example/talentseal"
TEXT = "第一行\n\nthird line\n"
DASH = "\u2014 "


@cache
def _secret(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(b"demo key of " + name.encode()).digest())


def _public(name: str) -> bytes:
    return _secret(name).public_key().public_bytes_raw()


def _key_id(name: str, key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + key).digest()[:4]


def vkey(name: str, *, algorithm: int = 1, public: bytes | None = None, key_id: bytes | None = None) -> str:
    key = bytes([algorithm]) + (_public(name) if public is None else public)
    return f"{name}+{(key_id or _key_id(name, key)).hex()}+{b64(key)}"


def line(text: str, name: str, *, signer: str = "", key_id: bytes | None = None) -> str:
    """Signature line of name over text; signer: whose key truly signs, key_id: the identifier shown."""
    shown = _key_id(name, b"\x01" + _public(name)) if key_id is None else key_id
    return f"{DASH}{name} {b64(shown + _secret(signer or name).sign(text.encode()))}\n"


def sign(text: str, *names: str) -> str:
    return f"{text}\n" + "".join(line(text, name) for name in names or (ORIGIN,))


def notes() -> Iterator[Case]:
    """note, keys: are all signatures by keys right, and is there one? text: what the note says."""
    keys = [vkey(ORIGIN)]
    for why, text, names in (
        ("one signature", TEXT, (ORIGIN,)),
        ("the text is one newline", "\n", (ORIGIN,)),
        ("a stranger signs too", TEXT, ("stranger.example", ORIGIN)),
        ("sixteen signatures", TEXT, (*(f"w{number}.example" for number in range(15)), ORIGIN)),
        ("one signature twice", TEXT, (ORIGIN, ORIGIN)),
        ("the text holds a line like a signature's", f"{DASH}x y\n", (ORIGIN,)),
        ("the text holds a whole note", sign("inner\n"), (ORIGIN,)),
    ):
        yield accept(why, note=sign(text, *names), keys=keys, text=text)
    both = [vkey(ORIGIN), vkey("witness.example")]
    yield accept("two trusted keys, one signs", note=sign(TEXT), keys=both, text=TEXT)
    stranger = line(TEXT, ORIGIN, signer="stranger.example", key_id=b"\x00\x00\x00\x01")
    yield accept("a stranger with the log's name", note=sign(TEXT) + stranger, keys=keys, text=TEXT)
    yield from _false_notes(keys)
    yield from _broken_notes(keys)
    yield from _broken_keys()


def _false_notes(keys: list[str]) -> Iterator[Case]:
    good = sign(TEXT)
    yield refuse(
        "signature-false", "one letter of the text altered", note=good.replace("third", "thirD"), keys=keys
    )
    yield refuse("signature-false", "a newline more", note="\n" + good, keys=keys)
    yield refuse(
        "signature-false",
        "signed with another key",
        note=TEXT + "\n" + line(TEXT, ORIGIN, signer="x"),
        keys=keys,
    )
    yield refuse("signature-false", "one right, one false", note=good + line("other\n", ORIGIN), keys=keys)
    yield refuse("no-trusted-signature", "strangers only", note=sign(TEXT, "stranger.example"), keys=keys)
    yield refuse("no-trusted-signature", "no key is trusted", note=good, keys=[])
    other = TEXT + "\n" + line(TEXT, ORIGIN, key_id=b"\x00\x00\x00\x01")
    yield refuse("no-trusted-signature", "the name matches, the identifier does not", note=other, keys=keys)
    named = (
        TEXT
        + "\n"
        + line(TEXT, "stranger.example", signer=ORIGIN, key_id=_key_id(ORIGIN, b"\x01" + _public(ORIGIN)))
    )
    yield refuse("no-trusted-signature", "the identifier matches, the name does not", note=named, keys=keys)
    yield refuse("signature-false", "the last bit of s altered", note=TEXT + "\n" + _altered(), keys=keys)


def _altered() -> str:
    raw = _key_id(ORIGIN, b"\x01" + _public(ORIGIN)) + flip(_secret(ORIGIN).sign(TEXT.encode()))
    return f"{DASH}{ORIGIN} {b64(raw)}\n"


def _broken_notes(keys: list[str]) -> Iterator[Case]:
    good, seal = sign(TEXT), line(TEXT, ORIGIN)
    for code, why, note in (
        ("truncated", "nothing", ""),
        ("truncated", "the last newline is missing", good[:-1]),
        ("bad-syntax", "no blank line", "text\n" + seal),
        ("missing-field", "no signature", TEXT + "\n"),
        ("bad-syntax", "text after the signatures", good + "more\n"),
        ("bad-syntax", "a hyphen for the dash", good.replace(DASH, "- ")),
        ("bad-syntax", "a signature line without signature", f"{TEXT}\n{DASH}{ORIGIN}\n"),
        ("bad-encoding", "two spaces before the signature", good.replace(f"{ORIGIN} ", f"{ORIGIN}  ")),
        ("bad-encoding", "the signature's padding is missing", good.rstrip("=\n") + "\n"),
        ("bad-encoding", "base64url in the signature", f"{TEXT}\n{DASH}{ORIGIN} AAAA-_AA\n"),
        ("bad-encoding", "bits after the signature's last byte", f"{TEXT}\n{DASH}{ORIGIN} AAAAAAB=\n"),
        ("bad-length", "an identifier without signature", f"{TEXT}\n{DASH}{ORIGIN} {b64(bytes(4))}\n"),
        ("bad-key", "a plus in the key's name", f"{TEXT}\n{DASH}a+b {b64(bytes(68))}\n"),
        ("bad-key", "an empty name", f"{TEXT}\n{DASH} {b64(bytes(68))}\n"),
        ("bad-key", "an ideographic space in the name", f"{TEXT}\n{DASH}a\u3000b {b64(bytes(68))}\n"),
        ("bad-text", "a carriage return", good.replace("\n", "\r\n")),
        ("bad-text", "a tab", sign("a\tb\n")),
        ("bad-text", "a NUL", sign("a\x00\n")),
        ("oversized", "101 signatures", TEXT + "\n" + f"{DASH}a AAAAAAA=\n" * 101),
        ("bad-length", "a signature of 63 bytes", f"{TEXT}\n{seal[: seal.rindex(' ')]} {b64(_short())}\n"),
    ):
        yield refuse(code, why, note=note, keys=keys)


def _short() -> bytes:
    return _key_id(ORIGIN, b"\x01" + _public(ORIGIN)) + bytes(63)


def _broken_keys() -> Iterator[Case]:
    note, good = sign(TEXT), vkey(ORIGIN)
    for code, why, key in (
        ("bad-key", "an identifier of another key", vkey(ORIGIN, key_id=b"\x01\x02\x03\x04")),
        ("bad-key", "a space in the name", vkey("a b", public=_public(ORIGIN))),
        ("bad-key", "an empty name", vkey("", public=_public(ORIGIN))),
        (
            "bad-encoding",
            "an identifier in capitals",
            good.replace(good.split("+")[1], good.split("+")[1].upper()),
        ),
        ("bad-length", "an identifier of three bytes", f"{ORIGIN}+010203+{good.split('+', 2)[2]}"),
        ("bad-length", "a key of 31 bytes", vkey(ORIGIN, public=bytes(31))),
        ("bad-length", "a key of nothing", f"{ORIGIN}+01020304+"),
        ("unsupported-algorithm", "a cosignature key", vkey(ORIGIN, algorithm=4)),
        ("bad-syntax", "no plus", ORIGIN),
        ("bad-encoding", "a newline after the key", good + "\n"),
    ):
        yield refuse(code, f"the trusted key has {why}", note=note, keys=[key])


def checkpoints() -> Iterator[Case]:
    """note, key: the checkpoint of a log whose key is given. size, root: what it says."""
    for size in (0, 1, 8, 300):
        root = b64(TREE.root(0, size))
        yield accept(
            f"size {size}", note=sign(_head(str(size), root)), key=vkey(ORIGIN), size=size, root=root
        )
    root = b64(TREE.root(0, 8))
    for code, why, text in (
        ("truncated", "no root", f"{ORIGIN}\n8\n"),
        ("trailing-bytes", "an extension line", _head("8", root) + "extension\n"),
        ("trailing-bytes", "an empty line at the end", _head("8", root) + "\n"),
        ("bad-number", "a leading zero", _head("08", root)),
        ("bad-number", "a plus sign", _head("+8", root)),
        ("bad-number", "a negative size", _head("-8", root)),
        ("bad-number", "digits of another script", _head("８", root)),
        ("bad-number", "no size", _head("", root)),
        ("out-of-range", "a size of 2**63", _head(str(2**63), root)),
        ("out-of-range", "a size of 5,000 digits", _head("9" * 5_000, root)),
        ("bad-length", "a root of 31 bytes", _head("8", b64(bytes(31)))),
        ("bad-length", "an empty root", _head("8", "")),
        ("bad-encoding", "a root in hexadecimal", _head("8", TREE.root(0, 8).hex() + "0")),
        ("bad-encoding", "a root without padding", _head("8", root.rstrip("="))),
        ("bad-encoding", "bits after the root's last byte", _head("8", "A" * 42 + "B=")),
        ("bad-encoding", "a space after the root", _head("8", root + " ")),
        ("root-mismatch", "size 0 with a root", _head("0", root)),
        ("bad-key", "an empty origin", f"\n8\n{root}\n"),
        ("bad-key", "an origin with a space", f"log example\n8\n{root}\n"),
        ("out-of-range", "an origin that ends like a promise", f"{ORIGIN}/promise\n8\n{root}\n"),
        ("origin-mismatch", "another log's origin", f"other.example/log\n8\n{root}\n"),
        ("truncated", "a promise of three lines", f"{ORIGIN}/promise\n10\n"),
        ("trailing-bytes", "a promise", _promise()),
    ):
        yield refuse(code, why, note=sign(text), key=vkey(ORIGIN))
    yield refuse(
        "signature-false",
        "the size altered",
        note=sign(_head("8", root)).replace("\n8\n", "\n9\n"),
        key=vkey(ORIGIN),
    )


def _head(size: str, root: str) -> str:
    return f"{ORIGIN}\n{size}\n{root}\n"


def promises() -> Iterator[Case]:
    """note, key: the promise of a log whose key is given."""
    yield accept("a promise", note=sign(_promise()), key=vkey(ORIGIN))
    for code, why, text in (
        ("bad-syntax", "a first line like a checkpoint's", _promise(title=ORIGIN)),
        ("out-of-range", "a promise about promises", _promise(title=f"{ORIGIN}/promise/promise")),
        ("origin-mismatch", "another log's promise", _promise(title="other.example/promise")),
        ("out-of-range", "kind 0", _promise(kind="0")),
        ("out-of-range", "kind 65,536", _promise(kind="65536")),
        ("bad-number", "a kind in words", _promise(kind="ten")),
        ("bad-length", "a leaf hash of 20 bytes", _promise(leaf=b64(bytes(20)))),
        ("bad-encoding", "a deadline in seconds", _promise(deadline="1795420800")),
        (
            "bad-encoding",
            "a deadline in Shanghai time",
            _promise(deadline="2026-11-23T16:00:00.000000+08:00"),
        ),
        ("out-of-range", "a deadline at 24 o'clock", _promise(deadline="2026-11-23T24:00:00.000000Z")),
        ("truncated", "a checkpoint", _head("8", b64(TREE.root(0, 8)))),
        ("trailing-bytes", "a fifth line", _promise() + "more\n"),
    ):
        yield refuse(code, why, note=sign(text), key=vkey(ORIGIN))
    moved = sign(_promise()).replace("08:00:00", "09:00:00")
    yield refuse("signature-false", "the deadline moved", note=moved, key=vkey(ORIGIN))


def _promise(
    *,
    title: str = f"{ORIGIN}/promise",
    kind: str = "10",
    leaf: str = b64(TREE.root(0, 1)),
    deadline: str = "2026-11-23T08:00:00.000000Z",
) -> str:
    return f"{title}\n{kind}\n{leaf}\n{deadline}\n"


def tile_paths() -> Iterator[Case]:
    """path of a hash tile; level, number, width: what it names."""
    for path, level, number, width in (
        ("tile/0/000", 0, 0, 256),
        ("tile/0/273.p/112", 0, 273, 112),
        ("tile/1/001.p/17", 1, 1, 17),
        ("tile/0/x001/x234/067", 0, 1_234_067, 256),
        ("tile/0/x001/x234/067.p/1", 0, 1_234_067, 1),
        ("tile/63/000.p/255", 63, 0, 255),
        ("tile/2/x001/000", 2, 1_000, 256),
    ):
        yield accept(
            f"level {level}, number {number}, width {width}",
            path=path,
            level=level,
            number=number,
            width=width,
        )
    for code, why, path in (
        ("bad-syntax", "no number", "tile/0/"),
        ("bad-syntax", "a number of two digits", "tile/0/01"),
        ("bad-syntax", "the last group with x", "tile/0/x001"),
        ("bad-syntax", "the first group without x", "tile/0/001/067"),
        ("bad-syntax", "a group of zeros in front", "tile/0/x000/067"),
        ("bad-syntax", "a level with leading zero", "tile/00/000"),
        ("out-of-range", "level 64", "tile/64/000"),
        ("bad-syntax", "width 0", "tile/0/000.p/0"),
        ("bad-syntax", "width 256 named", "tile/0/000.p/256"),
        ("out-of-range", "width 257", "tile/0/000.p/257"),
        ("bad-syntax", "a width with leading zero", "tile/0/000.p/01"),
        ("bad-syntax", "a way up", "tile/0/../000"),
        ("bad-syntax", "a leading slash", "/tile/0/000"),
        ("bad-syntax", "a newline at the end", "tile/0/000\n"),
        ("bad-syntax", "digits of another script", "tile/0/００１"),
        ("bad-syntax", "an entry bundle", "tile/entries/000"),
        ("bad-syntax", "the height in the path, as in Go's sumdb", "tile/8/0/000"),
        ("out-of-range", "a number above 2**55", "tile/0/x999/x999/x999/x999/x999/x999/999"),
    ):
        yield refuse(code, why, path=path)


def tlog_proofs() -> Iterator[Case]:
    """proof, leaf, key: does the proof show the leaf under a checkpoint of the log?"""
    for index, size in ((0, 1), (2, 5), (7, 8), (64, 100), (299, 300)):
        yield accept(f"entry {index} of {size}", **_proof(index, size))
    yield accept("with extra bytes", **_proof(2, 5, extra="extra AAEC\n"))
    yield accept("with no extra bytes on the extra line", **_proof(2, 5, extra="extra \n"))
    good = str(_proof(2, 5)["proof"])
    head, path = "c2sp.org/tlog-proof@v1\n", [b64(digest) for digest in TREE.inclusion(2, 0, 5)]
    for code, why, proof in (
        ("unknown-version", "version 2", good.replace("@v1", "@v2")),
        ("unknown-version", "nothing", ""),
        ("bad-syntax", "no index", good.replace("index 2\n", "")),
        ("bad-syntax", "the index before the extra line, misspelt", good.replace("index", "Index")),
        ("bad-number", "an index with leading zero", good.replace("index 2", "index 02")),
        ("bad-number", "a negative index", good.replace("index 2", "index -2")),
        ("out-of-range", "an index of 2**63", good.replace("index 2", f"index {2**63}")),
        (
            "bad-encoding",
            "the extra line after the index",
            good.replace("index 2\n", "index 2\nextra AAEC\n"),
        ),
        ("bad-encoding", "extra bytes in base64url", good.replace("index", "extra _-_-\nindex")),
        ("bad-length", "a hash of 31 bytes", good.replace(path[0], b64(bytes(31)))),
        ("bad-encoding", "a hash in hexadecimal", good.replace(path[0], "zz" * 32 + "!")),
        ("inclusion-false", "a hash missing", good.replace(path[0] + "\n", "")),
        ("inclusion-false", "a hash twice", good.replace(path[0] + "\n", (path[0] + "\n") * 2)),
        ("inclusion-false", "another index", good.replace("index 2", "index 3")),
        ("inclusion-false", "an index beyond the size", good.replace("index 2", "index 5")),
        (
            "oversized",
            "64 hashes",
            head + "index 2\n" + (path[0] + "\n") * 64 + "\n" + good.partition("\n\n")[2],
        ),
        ("bad-encoding", "no blank line before the checkpoint", good.replace("\n\n", "\n", 1)),
        ("truncated", "no checkpoint", good.partition("\n\n")[0] + "\n\n"),
        ("truncated", "the checkpoint breaks off", good[:-1]),
        ("bad-text", "carriage returns", good.replace("\n", "\r\n")),
        ("signature-false", "another size in the checkpoint", good.replace("\n5\n", "\n6\n")),
    ):
        yield refuse(code, why, **_proof(2, 5) | {"proof": proof})
    yield refuse("inclusion-false", "another leaf", **_proof(2, 5) | {"leaf": b64(TREE.root(3, 4))})
    stranger = _proof(2, 5) | {"key": vkey("stranger.example")}
    yield refuse("no-trusted-signature", "another log's key", **stranger)


def _proof(index: int, size: int, *, extra: str = "") -> dict[str, object]:
    path = "".join(f"{b64(digest)}\n" for digest in TREE.inclusion(index, 0, size))
    note = sign(_head(str(size), b64(TREE.root(0, size))))
    proof = f"c2sp.org/tlog-proof@v1\n{extra}index {index}\n{path}\n{note}"
    return {"proof": proof, "leaf": b64(TREE.root(index, index + 1)), "key": vkey(ORIGIN)}
