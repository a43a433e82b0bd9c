"""Counts of flips, score changes, and every rate derived from them."""
