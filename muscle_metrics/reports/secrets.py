"""Keys and passwords that a log may hold, kept out of what is published, and counted."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from muscle_metrics.comparison import Comparison
    from muscle_metrics.gate import Verdict

__all__ = ["HIDDEN", "Hidden", "hide_comparison_secrets", "hide_secrets", "hide_verdict_secrets"]

HIDDEN = "[hidden secret]"
TEXT_COLUMNS = ("old", "new", "references", "asked")

# Every repetition is bounded, or runs on to the end of its match: time is linear in the text.
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
    """Replace what looks like a key or a password in a text, or in every text of a list.

    Parameters
    ----------
    value : Any
        Untrusted; anything but texts and lists or tuples of them stays as it is.

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


def hide_comparison_secrets(comparison: Comparison) -> Hidden:
    """Replace secrets in every prompt, answer, reference and recorded circumstance.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> comparison = compare(old=["hf_" + "a1" * 9], new=["B"], references=["A"])
    >>> hidden = hide_comparison_secrets(comparison)
    >>> hidden.number, hidden.value.table.old
    (1, ('[hidden secret]',))
    """
    table = comparison.table
    columns = {name: hide_secrets(getattr(table, name)) for name in TEXT_COLUMNS}
    circumstances = [
        {part: hide_secrets(text) for part, text in fingerprint.items()}
        for fingerprint in comparison.fingerprints
    ]
    found = [*columns.values(), *(one for parts in circumstances for one in parts.values())]
    count = sum(part.number for part in found)
    if not count:
        return Hidden(comparison, 0)
    old, new = ({name: one.value for name, one in parts.items()} for parts in circumstances)
    values = {name: column.value for name, column in columns.items()}
    shown = replace(comparison, table=replace(table, **values), fingerprints=(old, new))
    return Hidden(shown, count)


def hide_verdict_secrets(verdict: Verdict) -> Verdict:
    """Replace secrets in every text of a verdict; how many there were is one more reason.

    Examples
    --------
    >>> from muscle_metrics import Policy, check_gate, compare
    >>> comparison = compare(old=["A"] * 99, new=["A"] * 99, references=["A"] * 99)
    >>> verdict = check_gate(comparison, Policy(max_nfr="0.05"))
    >>> hide_verdict_secrets(verdict) is verdict
    True
    """
    texts = {name: getattr(verdict, name) for name in ("broken_pins", "names", "signature")}
    texts["reasons"] = verdict.reasons
    texts["checks"] = tuple((c.criterion, c.sample, c.advice) for c in verdict.checks)
    hidden = {name: hide_secrets(value) for name, value in texts.items()}
    count = sum(part.number for part in hidden.values())
    if not count:
        return verdict
    values = {name: part.value for name, part in hidden.items()}
    values["checks"] = tuple(
        replace(check, criterion=criterion, sample=sample, advice=advice)
        for check, (criterion, sample, advice) in zip(verdict.checks, values["checks"], strict=True)
    )
    values["reasons"] += (f"secrets hidden in this report, examples aside: {count}",)
    return replace(verdict, **values)
