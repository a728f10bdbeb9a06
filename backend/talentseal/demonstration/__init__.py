"""The demonstration: a local chain, invented partners, the main job walked with the partners' own commands.

Nothing here is used by the service; it stands above everything, builds what an operator would set up by hand,
and then only runs commands and reads what they answer.
"""
