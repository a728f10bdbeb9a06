"""The auditor's command line: `sealproof verify | log | consistency | tlog-proof | trust`.

Reads arguments and files, prints a report, ends with its exit code. Every rule is in the modules it calls.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from sealproof import audit, trust, verify
from sealproof.bundle import BUNDLE_LIMIT
from sealproof.canonical import Json
from sealproof.document import DocumentDigests
from sealproof.encoding import utf8_decode
from sealproof.entry import ENTRY_LIMIT
from sealproof.errors import DecodeError, Oversized, ProofError
from sealproof.logfiles import LogDirectory, LogFiles, LogSite
from sealproof.note import NOTE_LIMIT
from sealproof.report import MALFORMED, Report
from sealproof.rpc import JsonRpcChain
from sealproof.tlogproof import PROOF_LIMIT
from sealproof.trust import TRUST_LIMIT, Trust
from sealproof.wording import Language, Said, said

_BLOCK: Final = 1 << 20
_KEY_LIMIT: Final = 4096
_QUIET_SECONDS: Final = 2.0
_INTERRUPTED: Final = 130
_BROKEN_PIPE: Final = 141

_EXIT_CODES: Final = Said(
    "exit codes:\n  0  every step passed\n  1  a step failed: something is false\n"
    "  2  wrong usage, or a malformed or unreadable file\n  3  nothing failed, but something was not checked",
    "退出码：\n  0  全部步骤通过\n  1  有步骤未通过：内容不实\n"
    "  2  用法有误，或文件格式有误、无法读取\n  3  没有步骤不通过，但有步骤未检查",
)


Run = Callable[[argparse.Namespace], "Report | Json"]
"""A command: options in, a report or something to show out. Raises ProofError."""


class UnusableFile(DecodeError):
    """A file named on the command line cannot be read."""

    code = "unusable-file"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code. Never lets an exception out."""
    try:
        code = _main(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        return _BROKEN_PIPE
    except OSError as failure:
        _drop_output()
        print(f"sealproof: {failure.strerror or failure}", file=sys.stderr)
        return MALFORMED
    except KeyboardInterrupt:
        return _INTERRUPTED
    return code


def _main(given: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show Chinese gets escapes instead of an error in the middle of a report.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    language = _language(given)
    try:
        options = _parser(language).parse_args(given)
    except SystemExit as end:  # help was shown, or wrong usage explained
        return end.code if isinstance(end.code, int) else MALFORMED
    return _run(options, language)


def _drop_output() -> None:
    """Nobody reads on: the interpreter must not try to flush what is left at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(options: argparse.Namespace, language: Language) -> int:
    run: Run = options.run
    try:
        result = run(options)
    except ProofError as error:
        print(f"sealproof: {said(error).within(language)}", file=sys.stderr)
        return MALFORMED
    if isinstance(result, Report):
        shown: Json = result.to_json() if options.json else result.text(language)
    else:
        shown = result
    print(shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False, indent=1), end="")
    if not isinstance(shown, str):
        print()
    return result.exit_code if isinstance(result, Report) else 0


def _verify(options: argparse.Namespace) -> Report:
    document = None
    if options.document is not None:
        document = DocumentDigests.of(_blocks(options.document))
    trusted = _trust(options)
    chain = None if options.rpc is None else JsonRpcChain(options.rpc)
    return verify.verify(_file(options.bundle, BUNDLE_LIMIT), trust=trusted, document=document, chain=chain)


def _log(options: argparse.Namespace) -> Report:
    progress = _Progress(sys.stderr.isatty())
    report = audit.audit_log(
        _log_files(options), _trust(options), entries=not options.tiles_only, progress=progress.show
    )
    progress.end()
    return report


def _consistency(options: argparse.Namespace) -> Report:
    old, new = (utf8_decode(_file(path, NOTE_LIMIT)) for path in (options.old, options.new))
    return audit.check_growth(old, new, _log_files(options), _trust(options))


def _tlog_proof(options: argparse.Namespace) -> Report:
    entry = _file(options.entry, ENTRY_LIMIT)
    return audit.check_tlog_proof(_file(options.proof, PROOF_LIMIT), entry, _trust(options))


def _trust_show(options: argparse.Namespace) -> Json:
    shown = trust.load(_file(options.trust, TRUST_LIMIT))
    if options.json:
        value: Json = json.loads(shown.dump())
        return value
    lines = [
        f"label     {shown.label}",
        f"log       {shown.log.name}",
        f"key id    {shown.log.key_id.hex()}",
        f"key       {shown.log}",
    ]
    if shown.chain is not None:
        lines += [f"{name:<21} {value}" for name, value in shown.chain.to_json().items()]
        depth = f" {shown.finality.depth}" if shown.finality.depth else ""
        lines.append(f"finality              {shown.finality.policy.value}{depth}")
    return "\n".join(lines) + "\n"


def _trust(options: argparse.Namespace) -> Trust | None:
    return None if options.trust is None else trust.load(_file(options.trust, TRUST_LIMIT))


def _log_files(options: argparse.Namespace) -> LogFiles:
    place: str = options.log
    if "://" not in place:
        return LogDirectory(Path(place))
    key_file = getattr(options, "key_file", None)
    key = None if key_file is None else utf8_decode(_file(key_file, _KEY_LIMIT)).strip()
    if key is not None and not (key.isascii() and key.isprintable()):
        raise UnusableFile(f"{key_file}: expected one line of printable ASCII")
    return LogSite(place, None if key is None else f"Bearer {key}")


def _file(name: str, limit: int) -> bytes:
    """A file's bytes, `-` for standard input. Reads no more than `limit` bytes. Raises UnusableFile,
    Oversized."""
    try:
        if name == "-":
            raw = sys.stdin.buffer.read(limit + 1)
        else:
            with Path(name).open("rb") as file:
                raw = file.read(limit + 1)
    except (OSError, ValueError) as failure:
        raise UnusableFile(f"{name}: {getattr(failure, 'strerror', None) or failure}") from None
    if len(raw) > limit:
        raise Oversized(f"{name}: more than {limit} bytes")
    return raw


def _blocks(name: str) -> Iterator[bytes]:
    """A document in blocks of 1 MiB. Raises UnusableFile."""
    try:
        with Path(name).open("rb") as file:
            while block := file.read(_BLOCK):
                yield block
    except (OSError, ValueError) as failure:
        raise UnusableFile(f"{name}: {getattr(failure, 'strerror', None) or failure}") from None


class _Progress:
    """Says on stderr how far an audit is, once it has lasted two seconds: in place on a terminal, else each
    tenth."""

    def __init__(self, on_terminal: bool) -> None:
        self._on_terminal = on_terminal
        self._begun = time.monotonic()
        self._last = 0
        self._shown = False

    def show(self, done: int, total: int) -> None:
        """Called after each tile."""
        tenth, percent = done * 10 // total, done * 100 // total
        moved = percent if self._on_terminal else tenth
        if moved == self._last or time.monotonic() - self._begun < _QUIET_SECONDS:
            return
        self._last, self._shown = moved, True
        end = "\r" if self._on_terminal else "\n"
        print(f"{percent:>3} %  {done}/{total}", end=end, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leaves the terminal on a fresh line."""
        if self._shown and self._on_terminal:
            print(file=sys.stderr)


def _language(arguments: Sequence[str]) -> Language:
    """`--lang` when given, else English where the environment asks for a language other than Chinese, else
    Chinese."""
    for place, argument in enumerate(arguments):
        chosen = argument.removeprefix("--lang=") if argument.startswith("--lang=") else None
        if argument == "--lang" and place + 1 < len(arguments):
            chosen = arguments[place + 1]
        if chosen in set(Language):
            return Language(chosen)
    wished = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return Language.ZH if not wished or wished.lower().startswith("zh") else Language.EN


def _parser(language: Language) -> argparse.ArgumentParser:
    def text(en: str, zh: str) -> str:
        return Said(en, zh).within(language)

    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", help=text("print JSON", "输出 JSON"))
    shared.add_argument(
        "--lang", choices=[item.value for item in Language], help=text("language of the report", "报告语言")
    )
    trusted = argparse.ArgumentParser(add_help=False)
    trusted.add_argument(
        "--trust",
        metavar="FILE",
        help=text(
            "trust.json: log key and chain that you trust", "信任文件 trust.json：您所信任的日志公钥与链"
        ),
    )
    parser = argparse.ArgumentParser(
        prog="sealproof",
        description=text(
            "Checks TalentSeal evidence with nothing but Python; asks no one but the node you name.",
            "校验人才存证材料：只需 Python，除您指定的节点外不询问任何人。",
        ),
        epilog=_EXIT_CODES.within(language),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(
        name: str,
        run: Run,
        about: str,
        *parents: argparse.ArgumentParser,
    ) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name,
            help=about,
            description=about,
            epilog=_EXIT_CODES.within(language),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            parents=[shared, *parents],
        )
        made.set_defaults(run=run)
        return made

    _add_verify(
        command("verify", _verify, text("check a bundle *.seal.json", "校验证明材料 *.seal.json"), trusted),
        text,
    )
    _add_log(command("log", _log, text("audit a whole log", "全面审计日志"), trusted), text)
    growing = text("check that a log only grew", "校验日志只增不改")
    _add_consistency(command("consistency", _consistency, growing, trusted), text)
    included = text("check a C2SP *.tlog-proof", "校验 C2SP *.tlog-proof")
    _add_tlog_proof(command("tlog-proof", _tlog_proof, included, trusted), text)
    shown = command("trust", _trust_show, text("show what a trust file trusts", "查看信任文件的内容"))
    shown.add_argument("show", choices=["show"], help=text("the only action", "唯一的操作"))
    shown.add_argument("trust", metavar="FILE")
    return parser


def _add_consistency(parser: argparse.ArgumentParser, text: Callable[[str, str], str]) -> None:
    parser.add_argument("old", metavar="OLD", help=text("earlier checkpoint", "较早的检查点"))
    parser.add_argument("new", metavar="NEW", help=text("later checkpoint", "较晚的检查点"))
    parser.add_argument(
        "--log", required=True, metavar="DIR|URL", help=text("the log's files", "日志文件所在")
    )


def _add_tlog_proof(parser: argparse.ArgumentParser, text: Callable[[str, str], str]) -> None:
    parser.add_argument("proof", metavar="FILE", help=text("the proof", "证明文件"))
    parser.add_argument("--entry", required=True, metavar="FILE", help=text("exact entry bytes", "条目原文"))


def _add_verify(parser: argparse.ArgumentParser, text: Callable[[str, str], str]) -> None:
    parser.add_argument(
        "bundle", metavar="BUNDLE", help=text("the bundle; - for standard input", "证明材料；- 为标准输入")
    )
    parser.add_argument(
        "--document", metavar="FILE", help=text("the document that an agreement is about", "协议所附的文件")
    )
    parser.add_argument(
        "--rpc",
        metavar="URL",
        help=text("JSON-RPC address of a node of the chain", "链上节点的 JSON-RPC 地址"),
    )


def _add_log(parser: argparse.ArgumentParser, text: Callable[[str, str], str]) -> None:
    parser.add_argument("log", metavar="DIR|URL", help=text("the log's files", "日志文件所在"))
    parser.add_argument(
        "--tiles-only",
        action="store_true",
        help=text("hash tiles only, for who may not read entries", "只审计哈希瓦片，供无权读取条目者使用"),
    )
    parser.add_argument(
        "--key-file",
        metavar="FILE",
        help=text("file with the API key that may read entries", "可读取条目的 API 密钥所在文件"),
    )


if __name__ == "__main__":
    sys.exit(main())
