"""`python -m talentseal`: the same as the installed command."""

from talentseal.cli import main

main()
