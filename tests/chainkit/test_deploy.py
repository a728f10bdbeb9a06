"""A deployment is made once, recorded, and recognised; another chain in its place is noticed."""

import secrets
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_utils import keccak

from chainkit.anvil_accounts import DEMO_ACCOUNTS, DEMO_ADDRESSES
from chainkit.compile import Artifact
from chainkit.deploy import ChainReset, DeployError, Deployment, connect, deploy, deploy_once
from chainkit.node import Anvil
from tests.conftest import ROLES

ADMIN = DEMO_ACCOUNTS[0]


def arguments(**changed: Any) -> dict[str, Any]:
    given = {
        "sender_key": ADMIN.key,
        "admin": ADMIN.address,
        "admin_delay": 172_800,
        "deployment_id": "0x" + secrets.token_hex(32),
        "predecessor": "0x" + "00" * 32,
        "roles": ROLES,
    }
    return given | changed


def test_the_record_tells_the_contract_and_its_chain(chain_url: str) -> None:
    given = arguments()
    made = deploy(chain_url, Artifact.load(), **given)

    client = connect(chain_url)
    contract = client.eth.contract(address=client.to_checksum_address(made.contract), abi=Artifact.load().abi)
    assert (
        "0x" + contract.functions.deploymentId().call().hex() == made.deployment_id == given["deployment_id"]
    )
    assert made.code_hash == "0x" + keccak(client.eth.get_code(contract.address)).hex()
    assert made.genesis_hash == client.eth.get_block(0)["hash"].to_0x_hex()
    assert (
        made.deployment_block_hash == client.eth.get_block(made.deployment_block_number)["hash"].to_0x_hex()
    )
    assert made.chain_id == 31337


def test_each_role_is_held_by_its_own_account_alone(chain_url: str, deployment: Deployment) -> None:
    client = connect(chain_url)
    contract = client.eth.contract(
        address=client.to_checksum_address(deployment.contract), abi=Artifact.load().abi
    )
    held = {
        (role, address)
        for role in ROLES
        for address in DEMO_ADDRESSES
        if contract.functions.hasRole(keccak(text=role), address).call()
    }
    assert held == set(ROLES.items())


def test_a_second_deployment_uses_the_first(chain_url: str, tmp_path: Path) -> None:
    record = tmp_path / "deployments" / "31337.json"
    first = deploy_once(chain_url, record, Artifact.load(), **arguments())
    height = connect(chain_url).eth.block_number

    assert deploy_once(chain_url, record, Artifact.load(), **arguments()) == first
    assert connect(chain_url).eth.block_number == height
    assert Deployment.load(record) == first


def test_a_restarted_chain_is_the_same_chain(tmp_path: Path) -> None:
    node, record = Anvil(tmp_path / "chain"), tmp_path / "record.json"
    with node:
        first = deploy_once(node.url, record, Artifact.load(), **arguments())
    with node:
        assert deploy_once(node.url, record, Artifact.load(), **arguments()) == first


@pytest.mark.parametrize("same_genesis", [True, False])
def test_a_wiped_chain_is_noticed_and_nothing_is_deployed(tmp_path: Path, same_genesis: bool) -> None:
    record = tmp_path / "record.json"
    born = ("--timestamp", "1800000000")
    with Anvil(tmp_path / "first", extra=born) as node:
        deploy_once(node.url, record, Artifact.load(), **arguments())
    other = ("--timestamp", "1800000001")
    with Anvil(tmp_path / "second", extra=born if same_genesis else other) as node:
        with pytest.raises(ChainReset, match="code_hash") as noticed:
            deploy_once(node.url, record, Artifact.load(), **arguments())
        assert ("genesis_hash" in str(noticed.value)) is not same_genesis
        assert node.call("eth_blockNumber") == "0x0"


def test_a_redeployment_at_the_same_address_is_noticed(tmp_path: Path) -> None:
    """The address depends on sender and nonce alone: such a chain looks alike until its block is compared."""
    record = tmp_path / "record.json"
    with Anvil(tmp_path / "first") as node:
        first = deploy_once(node.url, record, Artifact.load(), **arguments())
    with Anvil(tmp_path / "second") as node:
        again = deploy(node.url, Artifact.load(), **arguments())
        assert again.contract == first.contract
        with pytest.raises(ChainReset, match="deployment_block_hash"):
            deploy_once(node.url, record, Artifact.load(), **arguments())


def test_roles_are_granted_by_the_admin_alone(chain_url: str) -> None:
    with pytest.raises(DeployError, match="admin"):
        deploy(chain_url, Artifact.load(), **arguments(admin=DEMO_ACCOUNTS[1].address))
    made = deploy(chain_url, Artifact.load(), **arguments(admin=DEMO_ACCOUNTS[1].address, roles={}))
    assert made.contract.startswith("0x")


def test_code_that_is_not_the_compiled_one_is_not_recorded(chain_url: str, tmp_path: Path) -> None:
    artifact = Artifact.load()
    other = replace(artifact, deployed_bytecode=artifact.deployed_bytecode[:-2] + "ff")
    with pytest.raises(DeployError, match="not the compiled one"):
        deploy_once(chain_url, tmp_path / "record.json", other, **arguments())
    assert not (tmp_path / "record.json").exists()


def test_what_the_constructor_refuses_is_a_deploy_error(chain_url: str) -> None:
    with pytest.raises(DeployError):
        deploy(chain_url, Artifact.load(), **arguments(deployment_id="0x" + "00" * 32))
    with pytest.raises(DeployError, match="32 bytes"):
        deploy(chain_url, Artifact.load(), **arguments(deployment_id="0x00"))


def test_a_chain_that_does_not_answer_is_a_deploy_error(tmp_path: Path) -> None:
    with Anvil(tmp_path) as node:
        gone = node.url
    with pytest.raises(DeployError, match="did not carry"):
        deploy(gone, Artifact.load(), **arguments())


def test_a_recorded_chain_that_does_not_answer_is_no_reset(tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    with Anvil(tmp_path) as node:
        deploy_once(node.url, record, Artifact.load(), **arguments())
        gone = node.url
    with pytest.raises(DeployError, match="cannot be asked") as refused:
        deploy_once(gone, record, Artifact.load(), **arguments())
    assert not isinstance(refused.value, ChainReset)


def test_loading_it_leaves_the_recursion_limit_safe() -> None:
    source = "import sys, chainkit.deploy; print(sys.getrecursionlimit())"
    said = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert said.stdout == "1000\n"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"chain_id": 1}'])
def test_a_broken_record_is_refused_rather_than_replaced(
    chain_url: str, tmp_path: Path, content: str
) -> None:
    record = tmp_path / "record.json"
    record.write_text(content, encoding="utf-8")
    with pytest.raises(DeployError, match="no deployment record"):
        deploy_once(chain_url, record, Artifact.load(), **arguments())
    assert record.read_text(encoding="utf-8") == content


def test_the_zero_fee_chain_is_deployed_to_as_well(tmp_path: Path) -> None:
    with Anvil(tmp_path, zero_fee=True) as node:
        made = deploy(node.url, Artifact.load(), **arguments())
        assert (
            connect(node.url).eth.get_balance(connect(node.url).to_checksum_address(ADMIN.address))
            == 10_000 * 10**18
        )
        assert made.deployment_block_number == 1
