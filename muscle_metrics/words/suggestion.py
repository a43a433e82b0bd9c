"""Suggest a known name for an unknown one that is probably a typing mistake."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["nearest_name"]

# A file may hold any number of names, of any length: longer and later ones are not compared.
_LONGEST = 60
_MOST = 500
_LEAST_SIMILARITY = 0.6
_SHORTEST_START = 3


def nearest_name(given: str, known: Iterable[str]) -> str | None:
    """Known name that is most similar to a given one; only messages may use it, as a question.

    Parameters
    ----------
    given : str
        An unknown name.
    known : iterable of str
        The known names.

    Returns
    -------
    str or None
        A name of similar spelling, else one that holds the given name as a word (``question_id``
        for ``id``), else one that starts with it, else None.

    Examples
    --------
    >>> nearest_name("rogue1", ["rouge1", "bleu"]), nearest_name("f1", ["bleu", "token_f1"])
    ('rouge1', 'token_f1')
    >>> nearest_name("accuracy", ["rouge1", "bleu"]) is None
    True
    """
    from difflib import get_close_matches

    if len(given) > _LONGEST:
        return None
    wanted = given.lower()
    names: dict[str, str] = {}
    for name in known:
        if len(names) == _MOST:
            break
        if len(name) <= _LONGEST:
            names.setdefault(name.lower(), name)
    close = get_close_matches(wanted, names, n=1, cutoff=_LEAST_SIMILARITY)
    parts = [name for name in names if wanted in re.split(r"[\W_]+", name)]
    longer = [n for n in names if len(wanted) >= _SHORTEST_START and n.startswith(wanted)]
    return next((names[name] for name in (*close, *parts, *longer)), None)
