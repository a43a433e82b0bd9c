"""Runs: records, the files and harness logs they come from, and how two runs are joined."""
