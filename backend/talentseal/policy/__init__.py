"""Policy instruments: versions with dates, articles and interpretations, and what may happen under them."""
