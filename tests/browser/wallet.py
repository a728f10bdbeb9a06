"""A wallet stand-in: what an extension such as MetaMask does to a page (EIP-1193), with a key of the test."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account.messages import encode_defunct, encode_typed_data
from playwright.sync_api import BrowserContext

SCRIPT = (Path(__file__).parent / "wallet.js").read_text("utf-8")

USER_REJECTED = 4001
UNAUTHORISED = 4100
UNSUPPORTED = 4200
UNKNOWN_CHAIN = 4902
INVALID_PARAMETERS = -32602


class WalletError(Exception):
    """An error of the wallet, as EIP-1193 numbers them."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass  # without slots: Playwright keeps its wrapper of our method in the object
class Wallet:
    """Answers a page's wallet requests. Set `refuses` to have its owner press "reject" from now on.

    key: an eth_account LocalAccount. chain_id: the network that the wallet is on. chains: those it can be
    switched to. asked: the methods that pages called so far.
    """

    key: Any
    chain_id: int
    refuses: bool = False
    chains: frozenset[int] = frozenset()
    asked: list[str] = field(default_factory=list)
    _connected: bool = False

    def install(self, context: BrowserContext) -> None:
        """Put `window.ethereum` into every page of the context from its next document on."""
        context.expose_function("__walletAnswers", self._answer)
        context.add_init_script(SCRIPT)

    def _answer(self, method: str, parameters: list[Any]) -> dict[str, Any]:
        self.asked.append(method)
        before = self.chain_id
        try:
            result = self._result(method, parameters)
        except WalletError as error:
            return {"error": {"code": error.code, "message": str(error)}}
        moved = [["chainChanged", hex(self.chain_id)]] if self.chain_id != before else []
        return {"result": result, "events": moved}

    def _result(self, method: str, parameters: list[Any]) -> Any:
        match method:
            case "eth_chainId":
                return hex(self.chain_id)
            case "eth_accounts":
                return [self.key.address] if self._connected else []
            case "eth_requestAccounts":
                self._ask()
                self._connected = True
                return [self.key.address]
            case "wallet_switchEthereumChain":
                return self._switch(int(parameters[0]["chainId"], 16))
            case "eth_signTypedData_v4":
                return self._sign_typed_data(*parameters)
            case "personal_sign":
                return self._personal_sign(*parameters)
        raise WalletError(UNSUPPORTED, f"The wallet does not know {method}.")

    def _ask(self) -> None:
        """The question that a wallet puts to its owner."""
        if self.refuses:
            raise WalletError(USER_REJECTED, "User rejected the request.")

    def _authorise(self, address: str) -> None:
        """Sign for the own address only, once the page was let in."""
        if not self._connected or address.lower() != self.key.address.lower():
            raise WalletError(UNAUTHORISED, "The requested account has not been authorized by the user.")
        self._ask()

    def _switch(self, chain_id: int) -> None:
        if chain_id != self.chain_id and chain_id not in self.chains:
            raise WalletError(UNKNOWN_CHAIN, f"Unrecognized chain ID {hex(chain_id)}.")
        self._ask()
        self.chain_id = chain_id

    def _sign_typed_data(self, address: str, text: Any) -> str:
        """Sign as wallets do: the data comes as text, and its domain is on the wallet's own chain."""
        if not isinstance(text, str):
            raise WalletError(INVALID_PARAMETERS, "Expected the typed data as JSON text.")
        message = json.loads(text)
        if "EIP712Domain" not in message["types"]:
            raise WalletError(INVALID_PARAMETERS, "Expected the type EIP712Domain among the types.")
        chain_id = int(message["domain"].get("chainId", self.chain_id))
        if chain_id != self.chain_id:
            why = f'Provided chainId "{chain_id}" must match the active chainId "{self.chain_id}"'
            raise WalletError(INVALID_PARAMETERS, why)
        self._authorise(address)
        return self._signed(encode_typed_data(full_message=message))

    def _personal_sign(self, text: str, address: str) -> str:
        self._authorise(address)
        return self._signed(encode_defunct(hexstr=text))

    def _signed(self, message: Any) -> str:
        return "0x" + bytes(self.key.sign_message(message).signature).hex()
