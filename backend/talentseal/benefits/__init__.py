"""The catalogue of benefits: who provides what to which tier, how often and out of which budget (Art. 8)."""
