"""A local node keeps its chain, is never another's, and never outlives its owner."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from chainkit import rpc
from chainkit.guard import whole_state
from chainkit.node import HOST, Anvil, ForeignPort, NodeError, StateInUse, StateTorn

WAIT_SECONDS = 15.0


def height(node: Anvil) -> int:
    return int(node.call("eth_blockNumber"), 16)


def genesis(node: Anvil) -> str:
    found: str = node.call("eth_getBlockByNumber", "0x0", False)["hash"]
    return found


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            pytest.fail("waited in vain")
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """A zombie counts as gone: in a container nobody may reap it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def dumped(node: Anvil, blocks: int) -> bool:
    """Has the spare copy reached this height?"""
    return node.spare_file.exists() and f'"number":"{hex(blocks)}"' in node.spare_file.read_text(
        encoding="utf-8"
    ).replace(" ", "")


@pytest.fixture
def node(tmp_path: Path) -> Anvil:
    return Anvil(tmp_path / "chain")


@pytest.fixture(autouse=True)
def _stopped(node: Anvil) -> object:
    yield
    node.stop()


def test_a_stopped_node_goes_on_where_it_was(node: Anvil) -> None:
    node.start().call("anvil_mine", "0x5")
    first = genesis(node)
    node.stop()
    assert not node.running
    assert node.pid == 0

    node.start()

    assert (height(node), genesis(node)) == (5, first)


def test_a_chain_has_one_genesis_however_often_it_restarts(node: Anvil) -> None:
    """Anvil makes one at every start, and takes any of those that a dump holds."""
    node.start().call("anvil_mine", "0x1")
    first, met = genesis(node), set()

    for _ in range(6):
        node.stop()
        time.sleep(1)  # a genesis of the same second is the same genesis
        met.add(genesis(node.start()))

    assert met == {first}


def test_it_keeps_its_port_over_a_restart(node: Anvil) -> None:
    port = node.start().port
    node.stop()
    assert node.start().port == port


def test_starting_twice_starts_one(node: Anvil) -> None:
    assert node.start().pid == node.start().pid


def test_a_killed_node_loses_at_most_what_the_last_dump_lacked(node: Anvil) -> None:
    node.start().call("anvil_mine", "0x3")
    wait_until(lambda: dumped(node, 3))
    node.kill()

    assert height(node.start()) == 3


@pytest.mark.parametrize("left", [0, 1, 0.5, 0.99])
def test_a_torn_dump_is_replaced_by_the_spare_and_kept_aside(node: Anvil, left: float) -> None:
    node.start().call("anvil_mine", "0x2")
    wait_until(lambda: dumped(node, 2))
    node.kill()
    whole = node.state_file.read_bytes()
    torn = whole[: int(left if left >= 1 else left * len(whole))]
    node.state_file.write_bytes(torn)

    assert height(node.start()) == 2
    assert node.state_file.with_suffix(".torn.json").read_bytes() == torn


def test_a_lost_dump_is_replaced_by_the_spare(node: Anvil) -> None:
    node.start().call("anvil_mine", "0x2")
    wait_until(lambda: dumped(node, 2))
    node.kill()
    node.state_file.unlink()

    assert height(node.start()) == 2


def test_without_a_whole_spare_no_empty_chain_is_started(node: Anvil) -> None:
    node.start()
    wait_until(node.state_file.exists)
    node.stop()
    node.state_file.write_bytes(node.state_file.read_bytes()[:-1])
    node.spare_file.write_bytes(b'{"accounts"')

    with pytest.raises(StateTorn, match="torn"):
        node.start()


def test_only_a_full_parse_calls_a_dump_whole() -> None:
    assert whole_state(b'{"accounts": {}}')
    for torn in (b"", b"{", b'{"accounts": {}', b"[]", b"\xff", b"{}", b'{"accounts": {"a": {}}'):
        assert not whole_state(torn)


def test_a_port_that_answers_is_refused_and_left_alone(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ForeignPort, match=str(port)):
            Anvil(tmp_path, port).start()
        assert other.fileno() >= 0


def test_another_node_of_ours_on_the_port_is_refused_too(node: Anvil, tmp_path: Path) -> None:
    node.start()
    with pytest.raises(ForeignPort):
        Anvil(tmp_path / "second", node.port).start()
    assert height(node) == 0


def test_one_state_serves_one_node(node: Anvil, tmp_path: Path) -> None:
    node.start()
    with pytest.raises(StateInUse):
        Anvil(tmp_path / "chain").start()
    assert height(node) == 0


def test_what_anvil_says_on_a_failed_start_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match="no-such-switch"):
        Anvil(tmp_path, extra=("--no-such-switch",)).start()


def test_it_listens_on_loopback_alone(node: Anvil) -> None:
    node.start()
    # Every address of 127/8 is this machine: only the one it was bound to may answer.
    with socket.socket() as probe:
        assert probe.connect_ex((HOST, node.port)) == 0
    listening = subprocess.run(
        [sys.executable, "-c", LISTENING, str(node.port)], capture_output=True, text=True, check=True
    )
    assert listening.stdout.split() == ["0100007F"]


LISTENING = """
import sys
rows = [line.split() for name in ("/proc/net/tcp", "/proc/net/tcp6") for line in open(name)][1:]
for row in rows:
    address, _, port = row[1].rpartition(":")
    if row[3] == "0A" and int(port, 16) == int(sys.argv[1]):
        print(address)
"""


def readable_by(node: Anvil, origin: str) -> bool:
    """Whether a browser would let a page of that origin read what the node answers."""
    question = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'
    headers = {"Content-Type": "application/json", "Origin": origin}
    with urllib.request.urlopen(urllib.request.Request(node.url, question, headers)) as reply:
        return reply.headers["Access-Control-Allow-Origin"] in {origin, "*"}


def test_pages_read_its_answers_only_where_one_origin_was_let_in(node: Anvil, tmp_path: Path) -> None:
    ours, other = "http://127.0.0.1:8640", "http://pages.example"

    with node, Anvil(tmp_path / "open", page_origin=ours) as opened:
        readable = [readable_by(each, origin) for each in (node, opened) for origin in (ours, other)]

    assert readable == [False, False, True, False]


def test_a_chain_without_fees_charges_nothing(tmp_path: Path) -> None:
    with Anvil(tmp_path, zero_fee=True) as free:
        assert free.call("eth_gasPrice") == "0x0"
        assert free.call("eth_getBlockByNumber", "latest", False)["baseFeePerGas"] == "0x0"


def test_a_new_key_is_funded(node: Anvil) -> None:
    node.start().fund("0x00000000000000000000000000000000000000aA", 10**18)
    assert node.call("eth_getBalance", "0x00000000000000000000000000000000000000aA", "latest") == hex(10**18)


def test_a_refused_call_says_why(node: Anvil) -> None:
    with pytest.raises(rpc.RpcError, match="no_such_method"):
        node.start().call("no_such_method")


OWNER = """
import os, sys, threading, time
from pathlib import Path
from chainkit.node import Anvil

node = Anvil(Path(sys.argv[1]))
if sys.argv[2] == "thread":
    starter = threading.Thread(target=node.start); starter.start(); starter.join()
else:
    node.start()
if sys.argv[2] == "fork" and os.fork() == 0:
    time.sleep(30)
    os._exit(0)
node.call("anvil_mine", "0x4")
print(node.pid, node._guard.pid, node.port, flush=True)
time.sleep(60)
"""


def started_by_another(state: Path, manner: str = "plain") -> tuple[subprocess.Popen[str], int, int, int]:
    """Another Python that started a node: it, the process ids of Anvil and its guard, and the port."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(state), manner],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert owner.stdout is not None
    anvil, guard, port = map(int, owner.stdout.readline().split())
    return owner, anvil, guard, port


@pytest.mark.parametrize("manner", ["plain", "thread", "fork"])
def test_a_killed_python_leaves_no_node_and_loses_no_block(node: Anvil, tmp_path: Path, manner: str) -> None:
    owner, anvil, guard, _ = started_by_another(tmp_path / "chain", manner)
    with owner:
        assert alive(anvil)

        owner.kill()
        wait_until(lambda: not alive(anvil) and not alive(guard))
        os.killpg(owner.pid, signal.SIGKILL) if manner == "fork" else None

    assert height(node.start()) == 4


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_a_killed_guard_takes_the_node_along(tmp_path: Path) -> None:
    owner, anvil, guard, _ = started_by_another(tmp_path / "chain")
    with owner:
        os.kill(guard, signal.SIGKILL)
        wait_until(lambda: not alive(anvil))
        owner.kill()


def test_a_thread_that_ends_does_not_take_its_node_along(tmp_path: Path) -> None:
    owner, anvil, _, port = started_by_another(tmp_path / "chain", "thread")
    with owner:
        assert rpc.call(f"http://{HOST}:{port}", "eth_blockNumber") == "0x4"
        assert alive(anvil)
        owner.terminate()
    wait_until(lambda: not alive(anvil))
