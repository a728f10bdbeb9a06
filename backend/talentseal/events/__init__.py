"""Events for partners' own systems: a feed to be read, and webhooks that carry it to them."""
