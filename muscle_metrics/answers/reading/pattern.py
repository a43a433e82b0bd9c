"""The reader of a regular expression, which must not be slow on any text."""

from __future__ import annotations

import re
import time
from functools import lru_cache
from typing import Final

from muscle_metrics.answers.reading.reader import Reader
from muscle_metrics.errors import UsageError

__all__ = ["READERS"]

LONGEST = 20_000
"""Texts that are longer are searched in this many of their last characters."""

# Characters on which patterns backtrack; those of the pattern itself are tried too.
_PROBES = ("a", "A", "1", " ", "\n", ".", "é", "中")
_MOST_PROBES = 24
# On 400 characters a quadratic pattern takes under a millisecond, a cubic one over a tenth second.
_PROBE_LENGTH = 400
_SLOW = 0.01


def _prediction(text: str, *, pattern: str | None = None, last: bool = False) -> str | None:
    """Find the first match, or the last; its first group if the pattern has one."""
    compiled = _compiled(pattern, last)
    text = text[-LONGEST:]
    found = compiled.search(text)
    if found is None:
        return None
    if last:
        for found in compiled.finditer(text):  # noqa: B007
            pass
    value = found[1] if compiled.groups else found[0]
    return value.strip() if value and value.strip() else None


def _reference(text: str, *, pattern: str | None = None, last: bool = False) -> str | None:
    """Read a reference by the pattern; the bare answer where it does not match."""
    return _prediction(text, pattern=pattern, last=last) or text.strip() or None


@lru_cache(64, typed=True)
def _compiled(pattern: str | None, last: object) -> re.Pattern[str]:
    if not isinstance(pattern, str) or not pattern:
        raise UsageError(
            f"expected a regular expression for --answer regex (answer=), got {pattern!r}: write "
            f"it, such as --answer 'regex:answer is (\\w+)'"
        )
    if not isinstance(last, bool):
        raise UsageError(
            f"expected true or false as option last of --answer regex (answer=), got {last!r}: "
            f"write it as in regex(pattern=..., last=true)"
        )
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(
            f"expected a regular expression for --answer regex (answer=), got {pattern!r}, in "
            f"which re finds: {error}: correct it, or escape special characters with a backslash"
        ) from error
    _refuse_slow(compiled)
    return compiled


def _refuse_slow(compiled: re.Pattern[str]) -> None:
    """Refuse a pattern that takes longer than quadratic time: it would run for hours.

    Each probe grows until it takes too long, so that an exponential pattern ends early.
    """
    own = dict.fromkeys(character for character in compiled.pattern if character.isalnum())
    probes = dict.fromkeys((*_PROBES, *own, compiled.pattern))
    for probe in list(probes)[:_MOST_PROBES]:
        length = 8
        while length <= _PROBE_LENGTH:
            text = (probe * length)[:length] + "\x00"
            if _seconds(compiled, text) > _SLOW and _seconds(compiled, text) > _SLOW:
                raise UsageError(
                    f"expected a regular expression that is fast on every text for --answer regex "
                    f"(answer=), got {compiled.pattern!r}, which takes over "
                    f"{1000 * _SLOW:.0f} ms for a short one: write no repeat inside another, as in "
                    f"(a+)+, nor three that match the same text, as in .*.*.*"
                )
            length += max(length // 4, 1)


def _seconds(compiled: re.Pattern[str], text: str) -> float:
    start = time.process_time()
    for _ in compiled.finditer(text):
        pass
    return time.process_time() - start


READERS: Final = (
    Reader(
        name="regex",
        does="the first match of a pattern (the last by last=true), or its first group; references "
        "may be the bare answer",
        prediction=_prediction,
        reference=_reference,
    ),
)
