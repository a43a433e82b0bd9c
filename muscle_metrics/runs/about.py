"""What the reader of a harness says about itself: the table of formats is made of it."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ANSWERS", "PROMPTS", "REFERENCES", "REPEATS", "SCORES", "About"]

ANSWERS, REFERENCES, SCORES = "answers", "references", "scores"
REPEATS, PROMPTS = "repeats", "prompts"


class About(NamedTuple):
    """What a log holds, as its reader reads it.

    Parameters
    ----------
    title : str
        The harness, as its authors write it.
    files : str
        Files that are read, in Markdown.
    gives : frozenset of str
        Attributes of records, among `ANSWERS`, `REFERENCES`, `SCORES`, `REPEATS` and `PROMPTS`.
    texts : tuple of str
        Texts that are read for listed items only: "question", "response", "options".
    fields : str
        A path into the rows of the log, for ``--slice-field`` and its like; empty where there
        are no rows.
    page : str
        The page about the harness, below ``docs/how-to``.

    Examples
    --------
    >>> About("Toy", "`out.json`", frozenset({SCORES})).fields
    ''
    """

    title: str
    files: str
    gives: frozenset[str]
    texts: tuple[str, ...] = ()
    fields: str = ""
    page: str = ""
