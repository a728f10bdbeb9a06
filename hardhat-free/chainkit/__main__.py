"""`python -m chainkit compile | artifact | node | deploy`: what others type Hardhat for.

Each command imports what it needs itself: web3 takes more than a second to load, and the node does without.
"""

import argparse
import secrets
import signal
import sys
from pathlib import Path

from chainkit.pins import ToolchainError


def compile_command(_: argparse.Namespace) -> None:
    """Compile and say what came out."""
    from chainkit.compile import compile_contracts, find_compiler

    compiler = find_compiler()
    made = compile_contracts(compiler)
    size = len(made.deployed_bytecode) // 2 - 1
    print(f"{made.contract_name}: {size} bytes of {24_576} deployed, solc {made.solc} ({compiler.name})")


def artifact_command(options: argparse.Namespace) -> None:
    """Compile and write the artifact that ships."""
    from chainkit.compile import SHIPPED, compile_contracts

    out = options.out or SHIPPED
    out.write_text(compile_contracts().to_json(), encoding="utf-8")
    print(f"written: {out}")


def node_command(options: argparse.Namespace) -> None:
    """Run a node until SIGTERM or Ctrl-C."""
    from chainkit.node import Anvil

    with Anvil(options.state, options.port, chain_id=options.chain_id, block_time=options.block_time) as node:
        # Only now, because a blocked signal stays blocked in children, and Anvil needs its SIGTERM.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        print(f"{node.url}: chain {node.chain_id}, state in {options.state}", flush=True)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


def deploy_command(options: argparse.Namespace) -> None:
    """Deploy the shipped artifact once and write the record."""
    from eth_account import Account

    from chainkit.compile import Artifact
    from chainkit.deploy import deploy_once

    key = options.key_file.read_text(encoding="ascii").strip()
    sender = Account.from_key(key).address
    record = deploy_once(
        options.rpc,
        options.out,
        Artifact.load(),
        sender_key=key,
        admin=options.admin or sender,
        admin_delay=options.admin_delay,
        deployment_id="0x" + secrets.token_hex(32),
        predecessor=options.predecessor,
        roles=dict(role.split("=", 1) for role in options.role),
    )
    print(
        f"{record.contract} on chain {record.chain_id}, block {record.deployment_block_number}: {options.out}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chainkit", description=__doc__)
    commands = parser.add_subparsers(required=True)
    commands.add_parser("compile", help="compile contracts/").set_defaults(run=compile_command)
    artifact = commands.add_parser("artifact", help="write the artifact that ships with the service")
    artifact.add_argument("--out", type=Path)
    artifact.set_defaults(run=artifact_command)
    node = commands.add_parser("node", help="run a local Anvil on loopback")
    node.add_argument("--state", type=Path, default=Path(".state/chain"))
    node.add_argument("--port", type=int, default=8545)
    node.add_argument("--chain-id", type=int)
    node.add_argument("--block-time", type=int)
    node.set_defaults(run=node_command)
    deploy = commands.add_parser("deploy", help="deploy the shipped artifact, once")
    deploy.add_argument("--rpc", required=True)
    deploy.add_argument("--key-file", type=Path, required=True, help="the sender's private key in hex")
    deploy.add_argument("--admin", help="address of the admin; the sender when left out")
    deploy.add_argument("--admin-delay", type=int, default=172_800, help="seconds; two days when left out")
    deploy.add_argument("--predecessor", default="0x" + "00" * 32)
    deploy.add_argument("--role", action="append", default=[], metavar="NAME=ADDRESS")
    deploy.add_argument("--out", type=Path, required=True, help="the record, JSON")
    deploy.set_defaults(run=deploy_command)
    return parser


def main() -> int:
    """Run one command; a fault of the toolchain is a sentence and exit code 1."""
    options = _parser().parse_args()
    try:
        options.run(options)
    except ToolchainError as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
