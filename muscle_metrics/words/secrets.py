"""Keys and passwords that a log may hold: hidden before a report is published, and counted."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from muscle_metrics.words.escape import brief, terminal

__all__ = ["HIDDEN", "Hidden", "brief_name", "hide_secrets", "plain_line", "without_secrets"]

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

# One of these parts is in every secret. To look for them is much faster than the search.
_PARTS = (
    "sk-", "hf_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "akia", "asia", "key",
    "token", "password",
)  # fmt: skip
# Letters that a search without case takes for i, k and s, and that `lower` leaves as they are.
_LETTERS = str.maketrans("\u0130\u0131\u017f\u212a", "iisk")


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
    if isinstance(value, str):
        if not _may_hold_one(value):
            return Hidden(value, 0)
        return Hidden(*_SECRET.subn(lambda found: (found["name"] or "") + HIDDEN, value))
    if isinstance(value, (list, tuple)):
        parts = [hide_secrets(part) for part in value]
        count = sum(part.number for part in parts)
        return Hidden(type(value)([part.value for part in parts]) if count else value, count)
    return Hidden(value, 0)


def without_secrets(text: str) -> str:
    """Replace every key or password in a text.

    Examples
    --------
    >>> without_secrets("model=m,api_key=0123456789")
    'model=m,api_key=[hidden secret]'
    """
    return str(hide_secrets(text).value)


def plain_line(text: str) -> str:
    r"""Make text fit for a `terminal`, without its secrets.

    Examples
    --------
    >>> plain_line("\x1b password: 0123456789")
    '\\u001b password: [hidden secret]'
    """
    return terminal(without_secrets(text))


def brief_name(name: str, limit: int) -> str:
    """Cut a name as `brief` does, without its secrets: what is cut is not recognised as one.

    Examples
    --------
    >>> brief_name("password: 0123456789 and more", 30)
    'password: [hidden secret] and…'
    """
    return brief(without_secrets(name), limit)


def _may_hold_one(text: str) -> bool:
    low = text.lower() if text.isascii() else text.translate(_LETTERS).lower()
    for part in _PARTS:  # noqa: SIM110 - a generator takes three times as long
        if part in low:
            return True
    return False
