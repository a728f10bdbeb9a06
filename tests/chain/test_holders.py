"""Who holds the contract's roles, as a real chain says: grants, and what was taken back."""

from typing import Any

from eth_account import Account
from eth_utils.crypto import keccak

from chainkit.anvil_accounts import DEMO_ACCOUNTS
from chainkit.node import Anvil
from talentseal.chain.port import Call
from tests.chain.conftest import Adapter, on_anvil, sender
from tests.conftest import ROLES


def test_a_role_is_shown_while_it_is_held(anvil: Anvil, deployment: Any) -> None:
    chain = on_anvil(anvil, deployment)
    admin = sender(chain, DEMO_ACCOUNTS[0].key)
    adapter = Adapter(chain, admin, admin, admin)
    guest, role = str(Account.create().address), keccak(text="PAUSER")

    before = chain.holders()
    assert adapter.run(Call("grantRole", (role, guest)), admin).succeeded
    during = chain.holders()
    assert adapter.run(Call("revokeRole", (role, guest)), admin).succeeded

    assert before.admin == DEMO_ACCOUNTS[0].address
    assert before.roles == {name: (address,) for name, address in ROLES.items()}
    assert during.roles["PAUSER"] == (ROLES["PAUSER"], guest)
    assert chain.holders() == before
