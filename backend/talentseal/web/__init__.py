"""What every route shares: problem documents, security headers, idempotency."""
