"""Load on `slugline serve`: how many requests it takes, and what it stands."""
