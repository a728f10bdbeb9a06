"""A thin port to an EVM chain, with a web3 adapter and an in-memory one. Knows neither database nor log."""
