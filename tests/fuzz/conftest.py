"""Fuzzers read and write files of packages behind extras: without these they are not collected."""

from __future__ import annotations

from importlib.util import find_spec

NEEDED = ("duckdb", "jinja2", "pyarrow")
collect_ignore = (
    []
    if all(map(find_spec, NEEDED))
    else ["__main__.py", "engines.py", "fuzzers.py", "readers.py", "sinks.py", "watch.py"]
)
