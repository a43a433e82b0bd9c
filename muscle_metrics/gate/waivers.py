"""Waivers: known regressions that somebody answers for, each with a reason and a last day.

A waiver lets a pinned item break until its last day. It takes no item out of a rate: the bound of
a rate is a statement about all items, and leaving out those that were seen to break would lower it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import UsageError
from muscle_metrics.gate.files import read_toml
from muscle_metrics.words.escape import shorten, terminal, visible
from muscle_metrics.words.place import describe, item_name, show
from muscle_metrics.words.suggestion import nearest_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

__all__ = [
    "Waiver",
    "check_waivers",
    "proposed_waivers",
    "read_day",
    "read_waivers",
    "today_in_utc",
    "waivers_digest",
    "waivers_of",
]

KEY = "waivers"
REQUIRED = ("id", "owner", "reason", "expires")
KEYS = (*REQUIRED, "task")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

HEAD = """\
# Proposed waivers. None holds before a person fills in an owner, a reason and the last day
# (expires = 2027-01-31, valid through that day in UTC): until then a gate refuses this file.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """One known regression, and who answers for it.

    Parameters
    ----------
    id : str
        Id of the item.
    owner : str
        Who answers for it.
    reason : str
        Why it may stay broken.
    expires : datetime.date or str
        Last day on which the waiver holds, in UTC, such as "2027-01-31".
    task : str, optional
        Task of the item; needed where several tasks hold its id.

    Raises
    ------
    UsageError
        If a field is no text, says nothing, or `expires` is no day.

    Examples
    --------
    >>> Waiver(id="q1", owner="Ada", reason="new tokenizer", expires="2027-01-31").expires
    datetime.date(2027, 1, 31)
    """

    id: str
    owner: str
    reason: str
    expires: date
    task: str | None = None

    def __post_init__(self) -> None:
        for name, value in (("id", self.id), ("task", self.task or "none")):
            if not isinstance(value, str) or not value:
                raise UsageError(
                    f"expected {name} of a waiver to be a text, got {_given(value)}: write it as "
                    f"in the runs, in quotes"
                )
        of = f" of the waiver of {show(self.id)}"
        _check_words(f"owner{of}", self.owner, "name who answers for this item")
        _check_words(f"reason{of}", self.reason, "say why this item may stay broken")
        object.__setattr__(self, "expires", _day(f"expires{of}", self.expires))

    @property
    def key(self) -> tuple[str | None, str]:
        """Task and id, as items have them."""
        return self.task, self.id

    @property
    def name(self) -> str:
        """Task and id in one text."""
        return item_name(self.task, self.id, None)


def read_waivers(path: str | PathLike[str]) -> tuple[Waiver, ...]:
    r"""Read waivers from TOML: one table ``[[waivers]]`` for each.

    Parameters
    ----------
    path : str or path
        The file. Each table has `id`, `owner`, `reason` and `expires`, and may have `task`.

    Returns
    -------
    tuple of Waiver

    Raises
    ------
    UsageError
        If the file cannot be read, holds another key, or a waiver is not complete.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "waivers.toml")
    ...     rows = "[[waivers]]\nid = 'q1'\nowner = 'Ada'\nreason = 'new'\nexpires = 2027-01-31"
    ...     _ = path.write_text(rows)
    ...     read_waivers(path)[0].owner
    'Ada'
    """
    content = read_toml(Path(path), "waivers")
    where = visible(os.fspath(path))
    others = sorted(set(content) - {KEY})
    if others:
        raise UsageError(
            f"{where}: expected tables [[waivers]] alone, got {show(others[0])}: write each waiver "
            f"as a table [[waivers]] with {', '.join(REQUIRED)}"
        )
    return waivers_of(content.get(KEY, []), where)


def waivers_of(rows: object, where: str) -> tuple[Waiver, ...]:
    """Make waivers of the tables in a file.

    Parameters
    ----------
    rows : object
        A list of tables, as TOML gives it.
    where : str
        Name of the file, for messages.

    Raises
    ------
    UsageError
        If a table is not a complete waiver.
    """
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise UsageError(
            f"{where}: expected tables [[waivers]], got {describe(rows)}: write each waiver as a "
            f"table [[waivers]] with {', '.join(REQUIRED)}"
        )
    return tuple(_waiver(row, number, where) for number, row in enumerate(rows, 1))


def check_waivers(waivers: object, today: object) -> tuple[Waiver, ...]:
    """Refuse waivers without a day to judge them by, and two waivers of one item.

    Raises
    ------
    UsageError
        If they are no waivers, or `today` is no day.
    """
    given: Any = waivers if isinstance(waivers, (list, tuple)) else [waivers]
    several = [one for one in given if isinstance(one, Waiver)]
    others = [one for one in given if not isinstance(one, Waiver)]
    if others:
        raise UsageError(
            f"expected a list of waivers, got {describe(others[0])}: name their file with "
            f"--waivers FILE (waivers=[Waiver(...)])"
        )
    if today is not None and (isinstance(today, datetime) or not isinstance(today, date)):
        raise UsageError(
            f"expected today to be a day without a time, got {shorten(repr(today), 60)}: pass "
            f"--today 2027-01-31 (today=datetime.date(2027, 1, 31))"
        )
    if several and today is None:
        raise UsageError(
            "expected the day by which waivers expire, got none: pass --today 2027-01-31 "
            "(today=datetime.date(2027, 1, 31)); the command line takes the day in UTC by itself"
        )
    tasks: dict[str, list[str | None]] = {}
    for waiver in several:
        tasks.setdefault(waiver.id, []).append(waiver.task)
    for name, found in tasks.items():
        # Without a task a waiver is of the one task that holds the id.
        if len(set(found)) < len(found) or (len(found) > 1 and None in found):
            raise UsageError(
                f"expected one waiver of every item, got {len(found)} of {show(name)}: keep one, "
                f"or give each its task"
            )
    return tuple(several)


def waivers_digest(waivers: Iterable[Waiver]) -> str:
    """Digest of what waivers say, in 12 digits: their order and comments in a file do not count.

    Examples
    --------
    >>> waivers_digest([Waiver(id="q1", owner="Ada", reason="new", expires="2027-01-31")])
    'bae4030ba38c'
    """
    rows = sorted(
        json.dumps([w.task, w.id, w.owner, w.reason, w.expires.isoformat()]) for w in waivers
    )
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:12]


def proposed_waivers(items: Iterable[tuple[str | None, str]]) -> tuple[str, int]:
    r"""Write a file of waivers to be filled in, which is refused until a person has done so.

    Parameters
    ----------
    items : iterable of (str or None, str)
        Task and id of every item.

    Returns
    -------
    (str, int)
        The file, and how many items TOML cannot hold: those with half of a surrogate pair.

    Examples
    --------
    >>> print(proposed_waivers([(None, 'say "hi"')])[0].partition("\n\n")[2])
    [[waivers]]
    id = "say \"hi\""
    owner = ""
    reason = ""
    expires = ""
    <BLANKLINE>
    """
    tables, left_out = [], 0
    for task, name in items:
        if any("\ud800" <= char <= "\udfff" for char in f"{task}{name}"):
            left_out += 1
            continue
        where = [] if task is None else [f"task = {_quoted(task)}"]
        rows = ["[[waivers]]", *where, f"id = {_quoted(name)}"]
        tables.append("\n".join([*rows, 'owner = ""', 'reason = ""', 'expires = ""', ""]))
    return "\n".join([HEAD, *tables]), left_out


def today_in_utc() -> date:
    """Day of the clock, in UTC; only programs that people start may ask for it."""
    return datetime.now(UTC).date()


def read_day(name: str, text: str) -> date:
    """Read a day that somebody typed.

    Raises
    ------
    UsageError
        If it is none.

    Examples
    --------
    >>> read_day("--today", "2027-01-31")
    datetime.date(2027, 1, 31)
    """
    return _day(name, text)


def _waiver(row: Mapping[str, Any], number: int, where: str) -> Waiver:
    place = f"{where}: expected waiver {number}"
    for key in row:
        if key not in KEYS:
            near = nearest_name(key, KEYS)
            hint = f"did you mean {near!r}?" if near else f"known are {', '.join(KEYS)}"
            raise UsageError(f"{place} to have keys of a waiver, got {show(key)}: {hint}")
    absent = [key for key in REQUIRED if key not in row]
    if absent:
        raise UsageError(
            f"{place} to have {', '.join(REQUIRED)}, got no {' and no '.join(absent)}: fill in "
            f"all of them"
        )
    try:
        return Waiver(**row)
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}") from error


def _check_words(name: str, value: object, advice: str) -> None:
    """Refuse what says nothing: blanks, signs alone, and characters that nobody sees."""
    if not isinstance(value, str) or not any(map(str.isalnum, value)):
        raise UsageError(f"expected words as {name}, got {_given(value)}: {advice}")


def _day(name: str, value: object) -> date:
    # A datetime is a date to Python, but a time needs a zone, and nobody means an hour here.
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise UsageError(
        f"expected {name} to be a day, got {_given(value)}: write it as 2027-01-31, which holds "
        f"through that day in UTC"
    )


def _given(value: object) -> str:
    return show(str(value)) if isinstance(value, str | date) else describe(value)


def _quoted(text: str) -> str:
    # TOML knows the escapes of JSON, and those that make hidden characters visible.
    return terminal(json.dumps(text, ensure_ascii=False))
