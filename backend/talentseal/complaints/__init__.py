"""Complaints of talents and their marks for service (Articles 3, 11)."""
