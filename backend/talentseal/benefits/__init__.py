"""The catalogue of benefits: who provides what to which tier, how often, out of which budget (Article 8)."""
