"""Keys and passwords that a log may hold: hidden before a report is published, and counted."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

__all__ = ["HIDDEN", "Hidden", "hide_secrets"]

HIDDEN = "[hidden secret]"

# Every repetition is bounded or runs to the end of its match: the search takes linear time.
_SECRET = re.compile(
    r"""
      \bsk-(?=[A-Za-z_-]{0,64}[0-9])[A-Za-z0-9_-]{16,}
    | \bhf_[A-Za-z0-9]{16,}
    | \b(?:gh[pousr]|github_pat)_[A-Za-z0-9_]{20,}
    | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b
    | -----BEGIN\ [A-Z0-9 ]{0,40}PRIVATE\ KEY-----
      (?s:.*?)(?:-----END\ [A-Z0-9 ]{0,40}PRIVATE\ KEY-----|\Z)
    | (?P<name>(?i:(?:api|secret)[_-]?key|(?:access|auth)[_-]?token|password)
        ["']?\s{0,3}[=:]\s{0,3}["']?)
      (?!\[hidden\ secret\])[^\s"',;&()\[\]{}]{4,}
    """,
    re.VERBOSE,
)


class Hidden(NamedTuple):
    """A value without its secrets, and how many there were."""

    value: Any
    number: int


def hide_secrets(value: Any) -> Hidden:
    """Replace every key or password in a text, or in every text of a list.

    Parameters
    ----------
    value : Any
        Untrusted; any value but a text, or a list or tuple of texts, is returned unchanged.

    Returns
    -------
    Hidden

    Examples
    --------
    >>> hide_secrets("model=m,api_key=0123456789")
    Hidden(value='model=m,api_key=[hidden secret]', number=1)
    """
    if isinstance(value, str) and _SECRET.search(value):
        return Hidden(*_SECRET.subn(lambda found: (found["name"] or "") + HIDDEN, value))
    if isinstance(value, (list, tuple)):
        parts = [hide_secrets(part) for part in value]
        count = sum(part.number for part in parts)
        return Hidden(type(value)([part.value for part in parts]) if count else value, count)
    return Hidden(value, 0)
