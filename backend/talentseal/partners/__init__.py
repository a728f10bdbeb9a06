"""What organisations have: signing keys, asked for, proven, approved, registered on the contract and revoked;
outlets with terminals and staff, at whose counters talents are met.
"""
