"""Readers of harness logs, one per harness."""
