r"""Untrusted text made visible: the only place that escapes.

Nothing is stripped: what could act on a terminal, a page or a CI runner is shown as an escape,
so an ESC byte reads ``\u001b``.

This module imports nothing of the package and is the one exception to its layers: anything may
import it, because error messages quote untrusted text too.
"""

from __future__ import annotations

import re
import string
import unicodedata
from html import escape as escape_markup

__all__ = [
    "annotation",
    "annotation_property",
    "html",
    "json_source",
    "lines",
    "markdown",
    "shorten",
    "spreadsheet",
    "terminal",
    "visible",
]

# Controls, format characters (bidirectional, zero width), lone surrogates, line and paragraph ends.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

# Runners obey `##[name]` anywhere in a line; others `##vso[name]` and `##teamcity[name]`.
_BRACKET_COMMAND = re.compile(r"#(?=#\w*\[)")

# Spreadsheets compute what starts with one of these.
_FORMULA_SIGNS = ("=", "+", "-", "@")
_FORMULA_START = 8
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")

# Anything that could be markup as an entity. An @ has to go: renderers make links of addresses
# after they have resolved entities, and in raw HTML too.
_MARKDOWN = str.maketrans(
    {char: f"&#{ord(char)};" for char in string.punctuation} | {"@": "&#92;u0040"}
)


def visible(text: str) -> str:
    r"""Text in which every character that acts without being seen is an escape.

    Parameters
    ----------
    text : str
        Untrusted text, lone surrogates included.

    Returns
    -------
    str
        The text, one line long, with ``\uXXXX`` or ``\UXXXXXXXX`` in place of C0 and C1 controls
        (newline and tab too), DEL, format characters, line and paragraph separators, lone
        surrogates and noncharacters. It can be encoded as UTF-8.

    Examples
    --------
    >>> print(visible("two\nlines \x1b[2J"))
    two\u000alines \u001b[2J
    """
    if text.isprintable():
        return text
    return text.translate(_ESCAPES)


def lines(text: str) -> str:
    r"""Text that keeps its lines: `visible` but for line feeds and tabs.

    Parameters
    ----------
    text : str
        Untrusted text.

    Returns
    -------
    str
        For a page, which still has to make markup of it harmless.

    Examples
    --------
    >>> print(lines("two\nlines \x1b[2J"))
    two
    lines \u001b[2J
    """
    if text.isprintable():
        return text
    return "\n".join("\t".join(map(visible, line.split("\t"))) for line in text.split("\n"))


def spreadsheet(text: str) -> str:
    r"""Text for a cell of a table that a spreadsheet takes for no formula.

    Parameters
    ----------
    text : str
        Untrusted text.

    Returns
    -------
    str
        `visible` text; where it starts as a formula does, also in wide letters or after blanks, an
        apostrophe comes first. A plain number such as -5 stays one.

    Examples
    --------
    >>> print(spreadsheet("=1+1"), spreadsheet("a=1"), spreadsheet("-5"))
    '=1+1 a=1 -5
    """
    start = unicodedata.normalize("NFKC", text.lstrip()[:_FORMULA_START]).lstrip()
    is_formula = start.startswith(_FORMULA_SIGNS) and not _PLAIN_NUMBER.fullmatch(text)
    return f"'{visible(text)}" if is_formula else visible(text)


def terminal(text: str) -> str:
    r"""Text that neither a terminal nor a CI runner obeys, wherever a line is folded.

    Parameters
    ----------
    text : str
        Untrusted text.

    Returns
    -------
    str
        `visible` text in which ``::`` and ``##[`` do not occur.

    Examples
    --------
    >>> print(terminal("::error::x ##[group]"))
    \u003a:error\u003a:x \u0023#[group]
    """
    # Runners obey `::name::` at the start of a line, and a long word that is folded can put any
    # part of a text there, so every `::` is broken; in `:::` the first pass leaves another.
    whole = visible(text).replace("::", r"\u003a:").replace("::", r"\u003a:")
    return _BRACKET_COMMAND.sub(r"\\u0023", whole)


def html(text: str) -> str:
    r"""Text that a page shows as it is, in an element or in a quoted attribute.

    Parameters
    ----------
    text : str
        Untrusted text.

    Returns
    -------
    str
        `visible` text without markup.

    Examples
    --------
    >>> print(html("<b>\x1b</b>"))
    &lt;b&gt;\u001b&lt;/b&gt;
    """
    return escape_markup(visible(text))


def markdown(text: str) -> str:
    r"""Text that Markdown shows as it is, on one line, in a paragraph or in a cell of a table.

    Parameters
    ----------
    text : str
        Untrusted text.

    Returns
    -------
    str
        `visible` text in a ``<code>`` element, where sites look for no mentions and no issues;
        every ASCII punctuation mark is an entity.

    Examples
    --------
    >>> print(markdown("a | *b*"))
    <code>a &#124; &#42;b&#42;</code>
    """
    return f"<code>{visible(text).translate(_MARKDOWN)}</code>"


def json_source(text: str) -> str:
    r"""JSON text that means the same, and that a CI runner does not obey when it is printed.

    Parameters
    ----------
    text : str
        Whole JSON in ASCII, as `json.dumps` writes it.

    Returns
    -------
    str
        JSON in which ``##[`` does not occur.

    Examples
    --------
    >>> print(json_source('["##[error]x"]'))
    ["\u0023#[error]x"]
    """
    return _BRACKET_COMMAND.sub(r"\\u0023", text)


def annotation(text: str) -> str:
    r"""Text for the message of a CI annotation.

    Parameters
    ----------
    text : str
        Untrusted text.

    Returns
    -------
    str
        `terminal` text in which ``%``, by which a runner unescapes, is escaped.

    Examples
    --------
    >>> print(annotation("100%0A::error::x"))
    100%250A\u003a:error\u003a:x
    """
    return terminal(text).replace("%", "%25")


def annotation_property(text: str) -> str:
    r"""Text for a property of a CI annotation, such as its title.

    Parameters
    ----------
    text : str
        Untrusted text.

    Returns
    -------
    str
        `annotation` text in which ``:`` and ``,``, which end a property, are escaped.

    Examples
    --------
    >>> print(annotation_property("a, b: c"))
    a%2C b%3A c
    """
    return annotation(text).replace(":", "%3A").replace(",", "%2C")


def shorten(text: str, limit: int) -> str:
    """Text of at most `limit` characters; what was cut off is an ellipsis.

    Parameters
    ----------
    text : str
        Any text.
    limit : int
        Largest length of the result, at least 1.

    Returns
    -------
    str
        The text itself where it fits.

    Examples
    --------
    >>> shorten("negative flips", 9)
    'negative…'
    """
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in _HIDDEN or _is_noncharacter(ord(char))


def _is_noncharacter(code: int) -> bool:
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF


class _Escapes(dict[int, str]):
    """Escape of each hidden character, as `str.translate` asks for it."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if not _is_hidden(char):
            # Not kept: a text may hold every character there is.
            return char
        self[code] = f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
        return self[code]


_ESCAPES = _Escapes()
