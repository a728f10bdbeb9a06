"""Full audit of a log's published files, proofs between two of its checkpoints, and the check of a C2SP
`.tlog-proof`.

The audit reads every entry and every hash tile once, front to back, and holds one tile of each level in
memory.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sealproof import checkpoint as checkpoints
from sealproof import tlogproof
from sealproof.checkpoint import Checkpoint, open_checkpoint
from sealproof.encoding import HASH_LENGTH, utf8_decode
from sealproof.errors import BadLength, ConsistencyFalse, DecodeError, ProofError, RootMismatch
from sealproof.logfiles import (
    ENTRIES_LIMIT,
    TILE_LIMIT,
    LogFiles,
    LogUnreadable,
    read_checkpoint,
    tile_reader,
)
from sealproof.merkle import (
    EMPTY_ROOT,
    check_consistency,
    check_inclusion,
    leaf_hash,
    leaf_hashes_of,
    root_of,
)
from sealproof.note import split_note
from sealproof.report import Finding, Report, Step, Verdict, failed, not_checked, passed
from sealproof.tiles import (
    TILE_WIDTH,
    Tile,
    consistency_path_from_tiles,
    decode_entries,
    entries_path,
    root_from_tiles,
    tiles_of,
)
from sealproof.trust import Trust
from sealproof.wording import Said, said

Progress = Callable[[int, int], None]
"""Called now and then with (entries done, entries in all)."""

_CHECKPOINT: Final = Said("checkpoint", "检查点")
_SIGNATURE: Final = Said("checkpoint signature", "检查点签名")
_ENTRIES: Final = Said("entries", "条目")
_TILES: Final = Said("hash tiles", "哈希瓦片")
_ROOT: Final = Said("root", "树根")
_OLD: Final = Said("earlier checkpoint", "较早的检查点")
_NEW: Final = Said("later checkpoint", "较晚的检查点")
_CONSISTENCY: Final = Said("consistency", "一致性")
_PROOF: Final = Said("proof well-formed", "证明格式")
_INCLUSION: Final = Said("inclusion in the log", "日志包含")
_NO_TRUST: Final = not_checked(
    "no trust file names the log's key (--trust FILE)", "没有信任文件指明日志公钥（--trust 文件）"
)
_LIMITS: Final = (
    Said("that what the entries commit to is true", "条目所承诺的内容属实"),
    Said(
        "that others were shown the same log: compare checkpoints with them, or with the chain",
        "他人看到的是同一日志：请与他人或与链上的检查点比对",
    ),
)


def _finding(check: Callable[[], Finding]) -> Finding:
    """What a check finds; a file that is not there leaves it unchecked, any other refusal fails it."""
    try:
        return check()
    except LogUnreadable as error:
        why = said(error)
        return not_checked(why.en, why.zh)
    except ProofError as error:
        why = said(error)
        return failed(why.en, why.zh)


def _signature(note: str, trust: Trust | None) -> Finding:
    if trust is None:
        return _NO_TRUST
    head = open_checkpoint(note, [trust.log])
    return passed(f"the log {head.origin} signed it", f"由日志 {head.origin} 签名")


def _read_head(note: str) -> Checkpoint:
    """The checkpoint of a note, signatures unchecked. Raises a DecodeError."""
    return checkpoints.parse(split_note(note)[0])


def _malformed(error: ProofError) -> Report:
    why = said(error)
    step = Step.of(1, _CHECKPOINT, failed(why.en, why.zh))
    return Report((step,), malformed=isinstance(error, DecodeError), limits=_LIMITS)


def _head_text(head: Checkpoint) -> Finding:
    return passed(f"log {head.origin}, {head.size} entries", f"日志 {head.origin}，{head.size} 个条目")


def audit_log(
    files: LogFiles, trust: Trust | None, *, entries: bool = True, progress: Progress | None = None
) -> Report:
    """Steps: 1 checkpoint, 2 its signature, 3 every entry hashes to the tiles, 4 every tile to those above, 5
    root.

    entries: False checks hash tiles alone, for who may not read entries; step 3 is then not checked.
    """
    try:
        note = read_checkpoint(files)
        head = _read_head(note)
    except LogUnreadable as error:
        why = said(error)
        return Report((Step.of(1, _CHECKPOINT, failed(why.en, why.zh)),), malformed=True, limits=_LIMITS)
    except ProofError as error:
        return _malformed(error)
    walk = _Walk(files, head.size, entries, progress or (lambda _done, _all: None))
    tiles = _finding(walk.run)
    leaves, root = _leaf_finding(walk, tiles), _root_finding(walk, tiles, head)
    findings = (
        (_CHECKPOINT, _head_text(head)),
        (_SIGNATURE, _finding(lambda: _signature(note, trust))),
        (_ENTRIES, leaves),
        (_TILES, tiles),
        (_ROOT, root),
    )
    steps = tuple(Step.of(number, name, finding) for number, (name, finding) in enumerate(findings, start=1))
    return Report(steps, limits=_LIMITS)


def _leaf_finding(walk: "_Walk", tiles: Finding) -> Finding:
    if not walk.entries:
        return not_checked("entry bundles were left out (--tiles-only)", "未读取条目包（--tiles-only）")
    if tiles.verdict is not Verdict.PASSED:
        return not_checked("the audit stopped, see the next step", "审计中止，见下一步")
    return passed(
        f"all {walk.size} entries hash to the leaves of the tiles",
        f"全部 {walk.size} 个条目与瓦片中的叶子哈希一致",
    )


def _root_finding(walk: "_Walk", tiles: Finding, head: Checkpoint) -> Finding:
    if tiles.verdict is not Verdict.PASSED:
        return not_checked("the audit stopped, see the step before", "审计中止，见上一步")
    if walk.root != head.root:
        return failed(
            "the root recomputed from all entries is another than the checkpoint's; keep the files",
            "由全部条目重新算出的树根与检查点不同，请保留这些文件",
        )
    return passed(
        "the root recomputed from all leaves is the checkpoint's", "由全部叶子重新算出的树根与检查点相同"
    )


@dataclass
class _Walk:
    """One pass over all files of a log, from the leaves up. Owned by one `audit_log` call.

    root and edge (the hashes of each level's unfinished tile) are filled by `run`.
    """

    files: LogFiles
    size: int
    entries: bool
    progress: Progress
    root: bytes = EMPTY_ROOT
    edge: dict[int, bytes] = field(default_factory=dict)

    def run(self) -> Finding:
        """Raises LogUnreadable, Truncated, TrailingBytes, BadLength, RootMismatch."""
        roots, level = self._level_zero(), 1
        while roots:
            roots, level = self._level(level, roots), level + 1
        self.root = root_from_tiles(lambda level, _number, _width: self.edge[level], self.size)
        count = len(tiles_of(self.size))
        return passed(
            f"all {count} tiles hold the hashes of what is below them",
            f"全部 {count} 个瓦片与其下层内容的哈希一致",
        )

    def _level_zero(self) -> list[bytes]:
        """Checks leaves against their tiles; gives the root of each full tile."""
        full, rest = divmod(self.size, TILE_WIDTH)
        stored = self.files.read_all([Tile(0, number).path() for number in range(full)], TILE_LIMIT)
        bundles = self.files.read_all(
            [entries_path(number) for number in range(full)] if self.entries else [], ENTRIES_LIMIT
        )
        roots = []
        for number, tile in enumerate(stored):
            leaves = (
                leaf_hashes_of(decode_entries(next(bundles), TILE_WIDTH)) if self.entries else _hashes(tile)
            )
            self._compare(Tile(0, number), leaves, tile)
            roots.append(root_of(leaves))
            self.progress((number + 1) * TILE_WIDTH, self.size)
        if rest:
            tile = tile_reader(self.files)(0, full, rest)
            leaves = leaf_hashes_of(self._last_entries(full, rest)) if self.entries else _hashes(tile)
            self._compare(Tile(0, full, rest), leaves, tile)
            self.edge[0] = tile
            self.progress(self.size, self.size)
        return roots

    def _level(self, level: int, hashes: list[bytes]) -> list[bytes]:
        """Checks the tiles of one level against the roots of the tiles below; gives the root of each full
        one."""
        roots = []
        for start in range(0, len(hashes), TILE_WIDTH):
            part = hashes[start : start + TILE_WIDTH]
            tile = Tile(level, start // TILE_WIDTH, len(part))
            stored = tile_reader(self.files)(level, tile.number, tile.width)
            self._compare(tile, part, stored)
            if tile.width == TILE_WIDTH:
                roots.append(root_of(part))
            else:
                self.edge[level] = stored
        return roots

    def _last_entries(self, number: int, width: int) -> list[bytes]:
        """Entries of the partial bundle; of the full one when the log has grown and dropped the partial."""
        try:
            return decode_entries(self.files.read(entries_path(number, width), ENTRIES_LIMIT), width)
        except LogUnreadable:
            return decode_entries(self.files.read(entries_path(number), ENTRIES_LIMIT), TILE_WIDTH)[:width]

    def _compare(self, tile: Tile, expected: list[bytes], stored: bytes) -> None:
        if b"".join(expected) == stored:
            return
        if len(stored) != tile.width * HASH_LENGTH:
            raise BadLength(f"{tile.path()}: expected {tile.width * HASH_LENGTH} bytes, met {len(stored)}")
        differing = next(place for place, own in enumerate(expected) if own != _hashes(stored)[place])
        what = "entry" if tile.level == 0 else f"subtree of level {tile.level}"
        raise RootMismatch(
            f"{tile.path()}: its hash {differing} is not that of {what} "
            f"{tile.number * TILE_WIDTH + differing}; one of "
            "the two was altered"
        )


def _hashes(tile: bytes) -> list[bytes]:
    return [tile[start : start + HASH_LENGTH] for start in range(0, len(tile), HASH_LENGTH)]


def check_growth(old_note: str, new_note: str, files: LogFiles, trust: Trust | None) -> Report:
    """Steps: 1 and 2 both checkpoints with their signatures, 3 the later log contains the earlier one
    unchanged.

    The proof is computed from the hash tiles in `files`, which need not be trusted.
    """
    try:
        old, new = _read_head(old_note), _read_head(new_note)
    except ProofError as error:
        return _malformed(error)
    findings = (
        (_OLD, _finding(lambda: _signature(old_note, trust))),
        (_NEW, _finding(lambda: _signature(new_note, trust))),
        (_CONSISTENCY, _finding(lambda: _consistency(old, new, files))),
    )
    steps = tuple(Step.of(number, name, finding) for number, (name, finding) in enumerate(findings, start=1))
    return Report(steps, limits=_LIMITS)


def _consistency(old: Checkpoint, new: Checkpoint, files: LogFiles) -> Finding:
    if old.origin != new.origin:
        raise ConsistencyFalse(f"the checkpoints are of two logs, {old.origin} and {new.origin}")
    path: list[bytes] = []
    if 0 < old.size < new.size:
        path = consistency_path_from_tiles(tile_reader(files), old.size, new.size)
    check_consistency(old.size, old.root, new.size, new.root, path)
    return passed(
        f"the first {old.size} of {new.size} entries are unchanged",
        f"{new.size} 个条目中的前 {old.size} 个未有变动",
    )


def check_tlog_proof(raw: bytes, entry: bytes, trust: Trust | None) -> Report:
    """Steps: 1 proof well-formed, 2 checkpoint's signature, 3 inclusion of exactly this entry."""
    try:
        proof = tlogproof.parse(utf8_decode(raw))
        head = _read_head(proof.checkpoint)
    except ProofError as error:
        return _malformed(error)

    def included() -> Finding:
        check_inclusion(leaf_hash(entry), proof.index, head.size, proof.path, head.root)
        return passed(
            f"exactly this entry stands at index {proof.index} of {head.size}",
            f"{head.size} 个条目中的第 {proof.index} 号正是该条目",
        )

    findings = (
        (_PROOF, _head_text(head)),
        (_SIGNATURE, _finding(lambda: _signature(proof.checkpoint, trust))),
        (_INCLUSION, _finding(included)),
    )
    steps = tuple(Step.of(number, name, finding) for number, (name, finding) in enumerate(findings, start=1))
    return Report(steps, limits=_LIMITS)
