"""People: their fields, applications, tiers, codes and reviews (Articles 6, 7, 9, 12, 15)."""
