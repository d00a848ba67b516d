"""`gymnasium:<id>`: a world made for any Gymnasium id with RGB pictures."""
