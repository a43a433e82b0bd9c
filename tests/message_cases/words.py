"""Messages of names with options, as they stand behind --metric and --answer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from muscle_metrics.words.calls import parse_call

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHED = ["words/calls"]

read = partial(parse_call, option="--metric")

CASES: dict[str, Callable[[], object]] = {
    "calls: no name": lambda: read("(stem=true)"),
    "calls: not closed": lambda: read("rouge1(stem=true"),
    "calls: no value": lambda: read("rouge1(stem)"),
    "calls: not quoted": lambda: read("rouge1(stem=true tokenizer=unicode)"),
    "calls: a wrong escape": lambda: read('rouge1(tokenizer="\\q")'),
    "calls: an option twice": lambda: read("rouge1(stem=true, stem=false)"),
}
