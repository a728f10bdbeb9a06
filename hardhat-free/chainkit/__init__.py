"""The chain toolchain that does without Hardhat: compile, node, deploy. Knows nothing of backend/."""
