"""One JSON-RPC call, standard library only: enough to drive a node without loading web3."""

import json
import urllib.request
from typing import Any

REPLY_LIMIT = 16 * 1024 * 1024
"""Bytes read of one answer: a block of a local node is far smaller."""


class RpcError(Exception):
    """The node answered with a JSON-RPC error, whose text this carries."""


def call(url: str, method: str, *parameters: Any, timeout: float = 5.0) -> Any:
    """Return the `result` of one call.

    Raises OSError when nothing answers within `timeout` seconds, RpcError when the node refuses, ValueError
    when the answer is not JSON or the address not http.
    """
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
    # An empty proxy table: a node is asked directly, whatever the environment says about proxies.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    body = json.dumps(request).encode()
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{url} is no http address")
    headers = {"Content-Type": "application/json"}
    ask = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 - the scheme was just checked
    with opener.open(ask, timeout=timeout) as reply:
        answer = json.loads(reply.read(REPLY_LIMIT))
    if not isinstance(answer, dict) or "result" not in answer:
        raise RpcError(f"{method}: {json.dumps(answer)[:500]}")
    return answer["result"]
