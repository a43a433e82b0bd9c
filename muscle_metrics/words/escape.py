r"""Untrusted text made visible: the only place that escapes.

Nothing is stripped: a character that could act on a terminal, a page or a CI runner is shown as an
escape, so an ESC byte reads ``\u001b``. Every function takes untrusted text and returns safe text.

This module imports nothing of the package: error messages quote untrusted text too.
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

# Spreadsheets compute a cell that starts with one of these.
_FORMULA_SIGNS = ("=", "+", "-", "@")
_FORMULA_START = 8
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")

# Every punctuation mark as an entity. An @ is escaped twice: renderers resolve entities, and then
# make links of addresses, also in raw HTML.
_MARKDOWN = str.maketrans(
    {char: f"&#{ord(char)};" for char in string.punctuation} | {"@": "&#92;u0040"}
)


def visible(text: str) -> str:
    r"""Escape every character that acts without being seen, as ``\uXXXX`` or ``\UXXXXXXXX``.

    These are C0 and C1 controls (newline and tab too), DEL, format characters, line and paragraph
    separators, lone surrogates and noncharacters. The result is one line, and valid UTF-8.

    Examples
    --------
    >>> print(visible("two\nlines \x1b[2J"))
    two\u000alines \u001b[2J
    """
    if text.isprintable():
        return text
    return text.translate(_ESCAPES)


def lines(text: str) -> str:
    r"""Make text `visible` and keep line feeds and tabs, for a page that escapes markup itself.

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
    r"""Make text `visible` for a cell of a spreadsheet, which computes formulas.

    An apostrophe comes before text that starts as a formula does, also in wide letters or after
    blanks. A plain number such as -5 stays a number.

    Examples
    --------
    >>> print(spreadsheet("=1+1"), spreadsheet("a=1"), spreadsheet("-5"))
    '=1+1 a=1 -5
    """
    start = unicodedata.normalize("NFKC", text.lstrip()[:_FORMULA_START]).lstrip()
    is_formula = start.startswith(_FORMULA_SIGNS) and not _PLAIN_NUMBER.fullmatch(text)
    return f"'{visible(text)}" if is_formula else visible(text)


def terminal(text: str) -> str:
    r"""Make text `visible` for a terminal or a CI runner: ``::`` and ``##[`` do not occur in it.

    Examples
    --------
    >>> print(terminal("::error::x ##[group]"))
    \u003a:error\u003a:x \u0023#[group]
    """
    # Runners obey `::name::` at the start of a line. A terminal folds long words, so any `::` may
    # start a line, and every one is escaped; in `:::` the first pass leaves another.
    whole = visible(text).replace("::", r"\u003a:").replace("::", r"\u003a:")
    return _BRACKET_COMMAND.sub(r"\\u0023", whole)


def html(text: str) -> str:
    r"""Make text `visible` and escape markup, for an element or a quoted attribute of HTML.

    Examples
    --------
    >>> print(html("<b>\x1b</b>"))
    &lt;b&gt;\u001b&lt;/b&gt;
    """
    return escape_markup(visible(text))


def markdown(text: str) -> str:
    r"""Make text `visible` for one line of Markdown, in a paragraph or in a cell of a table.

    Every ASCII punctuation mark is an entity. Sites look for no mentions and no issues in the
    ``<code>`` element.

    Examples
    --------
    >>> print(markdown("a | *b*"))
    <code>a &#124; &#42;b&#42;</code>
    """
    return f"<code>{visible(text).translate(_MARKDOWN)}</code>"


def json_source(text: str) -> str:
    r"""Escape ``##[``, which CI runners obey, in JSON text in ASCII; the JSON means the same.

    Examples
    --------
    >>> print(json_source('["##[error]x"]'))
    ["\u0023#[error]x"]
    """
    return _BRACKET_COMMAND.sub(r"\\u0023", text)


def annotation(text: str) -> str:
    r"""Escape text for the message of a CI annotation, in which runners decode ``%0A``.

    Examples
    --------
    >>> print(annotation("100%0A::error::x"))
    100%250A\u003a:error\u003a:x
    """
    return terminal(text).replace("%", "%25")


def annotation_property(text: str) -> str:
    r"""Escape text for a property of a CI annotation, which ``:`` or ``,`` would end.

    Examples
    --------
    >>> print(annotation_property("a, b: c"))
    a%2C b%3A c
    """
    return annotation(text).replace(":", "%3A").replace(",", "%2C")


def shorten(text: str, limit: int) -> str:
    """Cut text to at most `limit` characters; the last one is an ellipsis where text was cut.

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
            # Not cached: a text may hold every character of Unicode.
            return char
        self[code] = f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
        return self[code]


_ESCAPES = _Escapes()
