"""The tool that mutates the package is run by name, and needs an extra of its own."""

collect_ignore = ["kill_mutants.py"]
