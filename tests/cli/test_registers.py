"""`talentseal register import`: the big-data bureau shares numbers from its own machine."""

from pathlib import Path

from talentseal.accounts.roles import Role
from tests.cli.conftest import Ended, Listening, Shell, private
from tests.world import Member


def test_a_register_is_shared_and_its_wrong_lines_are_named(
    shell: Shell, listening: Listening, tmp_path: Path
) -> None:
    world = listening.api.world
    bureau, bank = world.joined("虚构大数据局", role=Role.BIG_DATA_BUREAU), world.joined("虚构银行")
    file = tmp_path / "register.csv"
    file.write_text("kind,number\nGRADUATION_CERTIFICATE,XG-1\nDEGREE,XG-2\n", "utf-8")

    def share(member: Member, *more: str) -> Ended:
        key = private(tmp_path / f"{member.id}.key", listening.api.key_of(member))
        return shell("register", "import", file, "--api-key-file", key, "--url", listening.url, *more)

    shared, again, refused = share(bureau), share(bureau, "--json"), share(bank)

    assert (shared.code, "新增 1，已有 0" in shared.out, "第 3 行：KIND" in shared.out) == (1, True, True)
    assert again.answer == {"added": 0, "known": 1, "refused": [{"line": 3, "fault": "KIND"}]}
    assert (refused.code, "register:import" in refused.err) == (1, True)
