"""What a talent shows at a counter: codes, cards, the texts in their QR codes, and how they are verified."""
