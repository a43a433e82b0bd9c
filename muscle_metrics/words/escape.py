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
from itertools import pairwise

__all__ = [
    "annotation",
    "annotation_property",
    "brief",
    "distinct",
    "html",
    "json_source",
    "lines",
    "markdown",
    "markup_source",
    "one_line",
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

# Markup in JSON would end the script element of a page that holds it; Go's encoder does the same.
_JSON_MARKUP = {ord(char): f"\\u{ord(char):04x}" for char in "<>&"}

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


def distinct(name: str) -> str:
    r"""Escape the parts of a name that are not in Unicode's composed form (NFC).

    Two names that differ look different then: an e with a combining accent prints as é does. Only
    names need it. Texts in many scripts are not in that form, and would be hard to read.

    Examples
    --------
    >>> print(distinct("caf\u00e9"), distinct("cafe\u0301"), distinct("\u212b"))
    café cafe\u0301 \u212b
    """
    if unicodedata.is_normalized("NFC", name):
        return name
    starts = [0, *(i for i, char in enumerate(name) if i and not _follows(char)), len(name)]
    shown = "".join(_composed(name[start:end]) for start, end in pairwise(starts))
    if unicodedata.is_normalized("NFC", shown):
        return shown
    # Letters of a later Unicode that compose, though they are no marks.
    return "".join(char if char.isascii() else _escape(char) for char in name)


def spreadsheet(text: str) -> str:
    r"""Make text fit for a `terminal` and for a spreadsheet, which computes formulas.

    An apostrophe comes before text that starts as a formula does, also in wide letters or after
    blanks. A plain number such as -5 stays a number.

    Examples
    --------
    >>> print(spreadsheet("=1+1"), spreadsheet("a=1"), spreadsheet("-5"))
    '=1+1 a=1 -5
    """
    start = unicodedata.normalize("NFKC", text.lstrip()[:_FORMULA_START]).lstrip()
    is_formula = start.startswith(_FORMULA_SIGNS) and not _PLAIN_NUMBER.fullmatch(text)
    return f"'{terminal(text)}" if is_formula else terminal(text)


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


def one_line(text: str) -> str:
    r"""Make text fit for a `terminal`, with a sign for each end of a line.

    Examples
    --------
    >>> print(one_line("two\r\nlines \x1b[2J"))
    two↵lines \u001b[2J
    """
    # Before the escapes: a sign may part two colons that a runner would obey.
    return terminal(text.replace("\r\n", "\n").replace("\n", "↵"))


def html(text: str) -> str:
    r"""Make text `visible` and escape markup, for an element or a quoted attribute of HTML.

    Examples
    --------
    >>> print(html("<b>\x1b</b>"))
    &lt;b&gt;\u001b&lt;/b&gt;
    """
    return markup_source(escape_markup(visible(text)))


def markup_source(text: str) -> str:
    r"""Escape what CI runners obey in the source of HTML or XML, which means the same.

    Examples
    --------
    >>> print(markup_source("<p>::error::x ##[group]</p>"))
    <p>&#58;:error&#58;:x &#35;#[group]</p>
    """
    # Any line of a text may start with `::`; in `:::` the first pass leaves another.
    whole = text.replace("::", "&#58;:").replace("::", "&#58;:")
    return _BRACKET_COMMAND.sub("&#35;", whole)


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
    r"""Escape what CI runners and pages obey in JSON text in ASCII; the JSON means the same.

    Examples
    --------
    >>> print(json_source('["##[error]x", "</script>"]'))
    ["\u0023#[error]x", "\u003c/script\u003e"]
    """
    return _BRACKET_COMMAND.sub(r"\\u0023", text).translate(_JSON_MARKUP)


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


def brief(name: str, limit: int) -> str:
    r"""Make a name `distinct`, and cut it to at most `limit` characters.

    Examples
    --------
    >>> print(brief("cafe\u0301", 99), brief("negative flips", 9))
    cafe\u0301 negative…
    """
    # Cut before escaping too: a name may be megabytes long.
    return shorten(distinct(name[: limit + 1]), limit)


def _follows(char: str) -> bool:
    """Whether a character composes with the one before it: marks, and vowels and ends of Hangul."""
    is_mark = unicodedata.category(char).startswith("M")
    return is_mark or "\u1161" <= char <= "\u1175" or "\u11a8" <= char <= "\u11c2"


def _composed(cluster: str) -> str:
    """Escape the marks of a cluster that is not composed, or a letter that has another form."""
    if unicodedata.is_normalized("NFC", cluster):
        return cluster
    first = cluster[0]
    whole = first if unicodedata.is_normalized("NFC", first) else _escape(first)
    return whole + "".join(map(_escape, cluster[1:]))


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


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
        self[code] = _escape(char)
        return self[code]


_ESCAPES = _Escapes()
