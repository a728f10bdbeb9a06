"""What is used at the counter: reserve, complete, reverse, receipts (Articles 8 to 11)."""
