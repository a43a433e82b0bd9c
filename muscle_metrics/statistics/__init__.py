"""Intervals, tests and plans for counts of flips; one idea per file."""
