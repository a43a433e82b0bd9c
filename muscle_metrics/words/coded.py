"""Texts that UTF-8 and a key of several parts can hold, whatever characters they have."""

from __future__ import annotations

import re

__all__ = ["ESCAPE", "SEPARATOR", "code_key", "code_text", "decode_text"]

SEPARATOR = "\x1f"
"""Stands between id and repeat in a key."""
ESCAPE = "\U0010fffe"
"""Begins what a coded text has for a character that a key or UTF-8 cannot hold."""

# Lone surrogates move to the private use area.
_MOVE = 0xE000 - 0xD800
_HIDDEN = re.compile(f"[{ESCAPE}{SEPARATOR}\ud800-\udfff]")
_SHOWN = re.compile(f"{ESCAPE}(.)", re.DOTALL)


def code_text(text: str) -> str:
    r"""Code a text.

    Examples
    --------
    >>> decode_text(code_text("a\ud800b")) == "a\ud800b"
    True
    """
    return text if not _HIDDEN.search(text) else _HIDDEN.sub(_hide, text)


def code_key(name: str, repeat: str | None) -> str:
    """Code the id and the repeat of an item as one text; no two pairs give the same."""
    key = code_text(name)
    return key if repeat is None else f"{key}{SEPARATOR}{code_text(repeat)}"


def decode_text(text: str) -> str:
    """Read a text back as it was.

    Examples
    --------
    >>> decode_text("a")
    'a'
    """
    return text if ESCAPE not in text else _SHOWN.sub(_show, text)


def _hide(found: re.Match[str]) -> str:
    code = ord(found[0])
    hidden = {ESCAPE: "e", SEPARATOR: "s"}.get(found[0])
    return ESCAPE + (hidden or chr(code + _MOVE))


def _show(found: re.Match[str]) -> str:
    return {"e": ESCAPE, "s": SEPARATOR}.get(found[1]) or chr(ord(found[1]) - _MOVE)
