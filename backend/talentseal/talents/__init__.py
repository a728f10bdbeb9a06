"""People: who they are, which tier they have, and until when."""
