"""sealproof: everything an auditor needs to check TalentSeal's evidence, on Python's standard library alone.

It promises that the same bytes give the same verdict everywhere: the service, the tests and the auditor run
this code. It holds no state, opens no database and trusts nothing but the keys that the caller names.
"""
