"""The chain asked on a visitor's behalf: the few questions of a verification, read-only, and nothing else.

What comes back is this service's word about the chain. The page says so beside every step that rests on it.
"""

import re
import threading
import time
import urllib.request
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import ClassVar, Final

from sealproof import canonical
from sealproof.canonical import Json
from sealproof.errors import ProofError
from sealproof.rpc import check_url, fetch, opener_for, selector
from talentseal.errors import Invalid, TalentSealError, Unavailable

QUESTION_LIMIT: Final = 1024
"""Bytes of one question."""
ANSWER_LIMIT: Final = 1024 * 1024
TIMEOUT_SECONDS: Final = 5.0
QUESTIONS_A_MINUTE: Final = 300
"""By one address; a verification asks about fifteen."""
_AT_ONCE: Final = 4
_MINUTE: Final = 60.0
_REMEMBERED: Final = 10_000

_HASH: Final = re.compile(r"0x[0-9a-f]{64}")
_ACCOUNT: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_BLOCK: Final = re.compile(r"0x[0-9a-f]{1,16}|latest|finalized")
_WORD: Final = r"[0-9a-f]{64}"
_VIEWS: Final = re.compile(
    "0x(?:"
    f"{selector('headAt(uint64)').hex()}{_WORD}|{selector('agreementAt(bytes32)').hex()}{_WORD}"
    f"|{selector('deploymentId()').hex()})"
)


class QuestionRefused(Invalid):
    code: ClassVar[str] = "relay-question-refused"
    zh: ClassVar[str] = "代为查询只接受核验所需的只读问题，一次一个。其他问题请直接向链的节点提出。"
    en: ClassVar[str] = (
        "Only the read-only questions of a verification are passed on, one at a time; ask a node for others."
    )


class ContractNotServed(Invalid):
    code: ClassVar[str] = "relay-contract-refused"
    zh: ClassVar[str] = "代为查询只针对本服务登记过的合约。其他合约请直接向链的节点查询。"
    en: ClassVar[str] = "Only this service's own registries are asked; ask a node about other contracts."


class QuestionTooLong(TalentSealError):
    code: ClassVar[str] = "relay-question-too-long"
    status: ClassVar[int] = 413
    zh: ClassVar[str] = "问题超过 {limit} 字节，核验不会提出这样的问题。"
    en: ClassVar[str] = "The question has more than {limit} bytes; no verification asks such a one."


class TooManyQuestions(TalentSealError):
    code: ClassVar[str] = "relay-too-many-questions"
    status: ClassVar[int] = 429
    zh: ClassVar[str] = "查询过于频繁，请在 {retry_after} 秒后重试，或直接向链的节点查询。"
    en: ClassVar[str] = "Too many questions; try again in {retry_after} seconds, or ask a node directly."


class ChainSilent(Unavailable):
    code: ClassVar[str] = "relay-chain-silent"
    zh: ClassVar[str] = "链的节点没有应答，请稍后重试，或直接向其他节点查询。"
    en: ClassVar[str] = "The chain's node gave no answer; try again shortly, or ask another node directly."


def question(raw: bytes, contracts: Collection[str]) -> bytes:
    """The question of a request in our own spelling, so that nothing else can travel with it.

    contracts: EIP-55 addresses of the registries. Raises QuestionTooLong, QuestionRefused, ContractNotServed.
    """
    if len(raw) > QUESTION_LIMIT:
        raise QuestionTooLong(limit=QUESTION_LIMIT)
    try:
        asked = canonical.parse(raw, limit=QUESTION_LIMIT)
    except ProofError:
        raise QuestionRefused from None
    if not isinstance(asked, dict) or set(asked) != {"jsonrpc", "id", "method", "params"}:
        raise QuestionRefused
    method, params = asked["method"], asked["params"]
    if asked["jsonrpc"] != "2.0" or asked["id"] != 1 or not isinstance(params, list):
        raise QuestionRefused
    if method == "eth_call":
        _check_call(params, contracts)
    elif not isinstance(method, str) or method not in _ALLOWED or not _ALLOWED[method](params):
        raise QuestionRefused
    return canonical.encode({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})


def _check_call(params: list[Json], contracts: Collection[str]) -> None:
    if len(params) != 2 or params[1] != "latest":
        raise QuestionRefused
    call = params[0]
    if not isinstance(call, dict) or set(call) != {"to", "data"} or not _is(_VIEWS, call["data"]):
        raise QuestionRefused
    if not isinstance(call["to"], str) or call["to"] not in contracts:
        raise ContractNotServed


def _is(form: re.Pattern[str], value: Json) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _is_one(form: re.Pattern[str], second: Json) -> Callable[[list[Json]], bool]:
    return lambda params: len(params) == 2 and _is(form, params[0]) and params[1] is second


_ALLOWED: Final[dict[str, Callable[[list[Json]], bool]]] = {
    "eth_chainId": lambda params: params == [],
    "eth_getBlockByNumber": _is_one(_BLOCK, False),
    "eth_getBlockByHash": _is_one(_HASH, False),
    "eth_getCode": lambda params: len(params) == 2 and _is(_ACCOUNT, params[0]) and params[1] == "latest",
    "eth_getTransactionReceipt": lambda params: len(params) == 1 and _is(_HASH, params[0]),
}
"""What rpc.js asks besides eth_call: method and whether its parameters are such as it gives."""


class Turnstile:
    """Lets an address through QUESTIONS_A_MINUTE times a minute."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def enter(self, address: str) -> None:
        """Raises TooManyQuestions."""
        now = self._monotonic()
        with self._lock:
            since, count = self._counts.pop(address, (now, 0))
            if now - since >= _MINUTE:
                since, count = now, 0
            self._counts[address] = (since, count + 1)
            while len(self._counts) > _REMEMBERED:
                self._counts.popitem(last=False)
        if count >= QUESTIONS_A_MINUTE:
            raise TooManyQuestions(retry_after=int(since + _MINUTE - now) + 1)


class ChainRelay:
    """Passes questions on to the chain's node. One per process; safe between threads.

    url: JSON-RPC address of the node. Raises OutOfRange for one that is no http address.
    """

    def __init__(self, url: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._url = check_url(url)
        self._opener = opener_for(url)
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self.turnstile = Turnstile(monotonic)

    def ask(self, asked: bytes) -> bytes:
        """The node's reply as it came. Raises ChainSilent, also while too many others wait for the node."""
        if not self._places.acquire(timeout=TIMEOUT_SECONDS):
            raise ChainSilent
        try:
            request = urllib.request.Request(  # noqa: S310 - the address was checked
                self._url, asked, {"Content-Type": "application/json", "Accept": "application/json"}
            )
            return fetch(self._opener, request, limit=ANSWER_LIMIT, timeout_seconds=TIMEOUT_SECONDS)
        except ProofError:
            raise ChainSilent from None
        finally:
            self._places.release()
