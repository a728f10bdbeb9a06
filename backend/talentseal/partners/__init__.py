"""The signing keys of organisations: asked for, proven, approved, registered on the contract, revoked."""
