"""Evidence to the chain: heads of the log and acts for the registry, submitted, confirmed and made final."""
