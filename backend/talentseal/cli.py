"""`talentseal`, the command line: puts the commands together and turns every refusal into one clear line.

Exit codes: 0 done · 1 refused, with the reason · 2 wrong usage · 3 service, database or chain not reachable,
try again.
"""

import sys

import typer
from pydantic import ValidationError

from talentseal.commands import agreements, custody, keys, master_keys, operator, people, policy, registers
from talentseal.commands import run as demonstration
from talentseal.commands.console import REFUSED, UNREACHABLE, USAGE, speaks_english, words
from talentseal.errors import TalentSealError

EPILOG = words(
    "退出码：0 完成 · 1 被拒绝 · 2 用法错误 · 3 暂不可达，请重试",
    "Exit codes: 0 done · 1 refused · 2 wrong usage · 3 not reachable, try again",
)


def build() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        name="talentseal",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
        help=words(
            "人才存证：协议、签署、存证、锚定。", "TalentSeal: agreements, signatures, evidence, anchors."
        ),
        epilog=EPILOG,
    )
    app.add_typer(keys.app, name="keys")
    app.add_typer(master_keys.app, name="master-keys")
    app.add_typer(registers.app, name="register")
    app.add_typer(people.app, name="people")
    agreements.mount(app)
    operator.mount(app)
    custody.mount(app)
    policy.mount(app)
    demonstration.mount(app)
    return app


def main() -> None:
    """Run one command; the process ends with its exit code."""
    sys.exit(run(build()))


def run(app: typer.Typer, arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code. No traceback reaches the user."""
    try:
        app(arguments, standalone_mode=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else USAGE
    except KeyboardInterrupt:
        return _line("已中断。", "Interrupted.", 130)
    except Exception as error:  # noqa: BLE001 - the last line of defence of a command line
        return _refused(error)
    return 0


def _refused(error: Exception) -> int:
    from talentseal.chain.port import ChainUnavailable
    from talentseal.client import ServiceRefused, ServiceUnreachable

    if isinstance(error, TalentSealError):
        code = UNREACHABLE if error.status == 503 else REFUSED
        return _line(error.sentence_zh, error.sentence_en, code)
    if isinstance(error, ServiceRefused):
        code = UNREACHABLE if error.status == 503 else REFUSED
        where = f" ({'; '.join(error.fields)})" if error.fields else ""
        return _line(f"{error.zh}{where}", f"{error.en}{where}", code)
    if isinstance(error, ServiceUnreachable):
        return _line(
            f"无法连接服务（{error}），请稍后重试。",
            f"The service cannot be reached ({error}); try again.",
            UNREACHABLE,
        )
    if isinstance(error, ChainUnavailable):
        return _line(
            f"链节点无应答（{error}），请稍后重试。",
            f"The chain does not answer ({error}); try again.",
            UNREACHABLE,
        )
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        named = ".".join(str(part) for part in first["loc"])
        return _line(
            f"设置有误：{named}：{first['msg']}", f"A setting is wrong: {named}: {first['msg']}", USAGE
        )
    kind = type(error).__name__
    return _line(
        f"操作失败（{kind}）。请运行 talentseal doctor。", f"Failed ({kind}); run talentseal doctor.", REFUSED
    )


def _line(zh: str, en: str, code: int) -> int:
    print(" ".join((en if speaks_english() else zh).split()), file=sys.stderr)
    return code
