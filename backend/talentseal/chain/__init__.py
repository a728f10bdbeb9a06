"""A thin port to an EVM chain, with a web3 adapter and an in-memory one. Knows neither database nor log.

eth-account and web3 bring in a library that, on being imported, raises the interpreter's recursion limit a
hundredfold for the whole process. Deeply nested JSON, in a request or a node's reply, would then overflow
the C stack and kill the process instead of raising RecursionError. So it is imported here, and the limit is
put back.
"""

import sys

import eth_account

RECURSION_LIMIT = 1000
"""Python's own default."""

sys.setrecursionlimit(RECURSION_LIMIT)

__all__ = ["RECURSION_LIMIT", "eth_account"]
