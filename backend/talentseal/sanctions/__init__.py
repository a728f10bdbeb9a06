"""Suspension rules and cases, terminations, appeals: who decides that a code rests or ends (Arts. 13, 14)."""
