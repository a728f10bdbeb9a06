"""Every page there is: what the tests of every page open. A new page adds its line, and nothing else."""

PUBLIC = [
    "/",
]
"""Pages that need no account."""
