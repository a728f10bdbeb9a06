"""The TalentSeal service: evidence, agreements, accounts and the anchoring of the log to a chain."""
