"""Limits, evidence, and the verdict on an update."""
