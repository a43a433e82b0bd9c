"""Numbers in a text: where they stand, and their exact values."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["LONGEST", "Quantities", "Quantity", "spell"]

LONGEST: Final = 500
"""Digits of the longest number that is read."""

_CURRENCY = (
    r"(?:[$¢£¤¥֏؋৲৳฿₠-⃀﷼]|(?:US|C|A|NZ|HK|S|R|NT|MX|CA|AU)\$|Rs\.?|INR|USD|EUR|GBP|JPY|CNY|RMB"
    r"|CHF|CAD|AUD|BRL|MXN|RUB|KRW|SEK|NOK|DKK|PLN|kr\.?|zł|руб\.?)"
)
_SPACED = r"[1-9]\d{0,2}(?:[ ]\d{3})+(?!\d)(?:[.,]\d++)*"
_JOINED = r"\d++(?:[.,'_]\d++)*+"
_NUMBER = rf"(?:{_SPACED}|{_JOINED}|(?<![A-Za-z.])\.\d++)"
_EXPONENT = r"(?:[eE](?P<e>[-+]?\d{1,9})(?![A-Za-z0-9]))?"
_RAISED = r"\{?\(?(?P<%s>[-+]?\d++)\)?\}?"

_ONE = re.compile(
    rf"""
    (?P<odd>0[xX][0-9A-Fa-f]++                      # hexadecimal
      | \d++(?:\.\d++)?(?:[ ]?:[ ]?(?<!\d:[ ])\d++(?:\.\d++)?)+  # a time, a ratio
      | \d++/\d++(?:/\d++)+                         # a date
      | \d{{4}}-\d\d?-\d\d?(?!\d) | \d\d?-\d\d?-\d{{4}}(?!\d))
    | (?:(?P<frac_whole>\d{{1,500}}+)[ ]?)?\\[dtc]?frac[ ]?
      (?:\{{[ ]?(?P<frac_top>[-+]?{_NUMBER})[ ]?\}}|(?P<top>\d))[ ]?
      (?:\{{[ ]?(?P<frac_bottom>[-+]?{_NUMBER})[ ]?\}}|(?P<bottom>\d))
    | (?P<mixed_whole>\d{{1,500}}+)[ ](?:and[ ]|&[ ])?
      (?P<mixed_top>\d{{1,500}}+)/(?P<mixed_bottom>\d{{1,500}}+)(?![\d/.,])
    | (?P<number>{_NUMBER}){_EXPONENT}
      (?:[ ]?/[ ]?(?P<bottom_number>{_NUMBER})
       | [ ]?[×xX*·][ ]?10[ ]?\^[ ]?{_RAISED % "ten"}
       | [ ]?\^[ ]?{_RAISED % "power"})?
    """,
    re.VERBOSE,
)

# What stands before a number, at most this many characters of it.
_LOOK_BACK = 40
_PREFIX = re.compile(
    rf"(?:(?P<first>[-+])(?P<space> ?))?(?P<currency>(?<![A-Za-z]){_CURRENCY} ?)?(?P<second>[-+])?$"
)
_SPACED_LETTERS = r"A-Za-z\u00aa-\u024f\u0370-\u052f\u1e00-\u1fff"
_PART_OF_A_NAME = re.compile(rf"[{_SPACED_LETTERS}]$|[\w)}}]_\{{?$|\^[({{]*-?$|[A-Za-z]\.$")
_PRODUCT = re.compile(r"\d ?[xX]$")
_PART_OF_A_FORMULA = re.compile(
    r"\\[A-Za-z]+ ?[\[({]? ?$|(?<!\\)\{ ?$|[/÷√∛∜±∓] ?[({]?$|[\d.]\($"
    # An inequality, but no arrow, tag or quote.
    r"|[≤≥≮≯≪≫] ?$|[^-=<>\n](?<!<\w)(?<!\w\")[<>]=? $|[\w)] ?<=?$|(?<![-=\w\"'/><\n])>=?$"
)
_NEGATED = re.compile(
    r"(?:(?:\b(?:not|never|cannot)|n['’]t)(?: (?:be|equal(?: to)?|exactly|just))?"
    r"|\b(?:nicht|keine?|pas|no es|no son|non è|não é|niet|nie|не|nem|inte|ikke|değil|bukan|si)"
    r"|≠|!=|=/=|不是|不等于|并非|ليس|ليست|לא)[\s:\"'$(*]*$",
    re.IGNORECASE,
)
_ALTERNATIVE = re.compile(
    r"\d[^\d\n]{0,16}?(?:\b(?:or|oder|ou|или|lub|ili|nebo|vagy|veya|atau|hoặc)\b|或者?|または"
    r"|もしくは|또는|أو|یا|या|অথবা|หรือ)[\s$]*$",
    re.IGNORECASE,
)
_ENDS_A_TERM = re.compile(rf"[\d)\]}}%°{_SPACED_LETTERS}]$")
_SAYS = re.compile(r"\b(?:is|are|be|was|equals|ist|est|es)$", re.IGNORECASE)
_ENDS_A_WORD = re.compile(rf"[{_SPACED_LETTERS}]$")
_COPULA = re.compile(r"(?:[=:]|\b(?:is|are|be|was|ist|est|es))\s*\[$", re.IGNORECASE)

# What stands behind it.
_MAKES_A_FORMULA = re.compile(
    r"[xyzniabXYZN](?![A-Za-z]| ?\d)|[x-z]{2}|[\u0391-\u03a8\u03b1-\u03bb\u03bd-\u03c9]"
    r"|[\u0300-\u036f]| ?[√π∞!](?=[\d\w(])| ?[√π∞]|\^|_[\w{]|:\d|\d|\.?\\overline"
    r"| ?\\(?:sqrt|[dtc]?frac|ln|log|exp|sin|cos|tan|pm|mp|binom|over|choose|[pb]?mod|infty"
    r"|alpha|beta|gamma|theta|phi|omega|lambda|sigma|mathbb)"
    r"|(?: \w{1,20})? and (?:a|one) (?:half|third|quarter)| ?[₀-₉]"
)
_PERCENT = re.compile(
    r" ?(?:(?P<mille>‰)|%|(?:percent|per cent|per-cent|pct|prozent|pour ?cent|por ciento|por cento"
    r"|per cento|procent|persen|asilimia)(?![a-z])|процент\w{0,3}|відсот\w{0,4}|パーセント|퍼센트"
    r"|phần trăm|प्रतिशत|শতাংশ|శాతం|เปอร์เซ็นต์)",
    re.IGNORECASE,
)
_SCALES = {
    2: "hundred|百",
    3: "thousand|thousands|tausend|mille|mil|тыс|тысяч|тысячи|тысяча|тисяч|tysięcy|tysiące|duizend"
    "|bin|ribu|nghìn|ngàn|千|천|हज़ार|हजार|হাজার|వేల|వేలు|ألف|آلاف|هزار|พัน",
    4: "万|萬|만|หมื่น",
    5: "lakh|lakhs|lac|लाख|লাখ|లక్షల|లక్ష|แสน",
    6: "million|millions|millionen|millones|millón|milhão|milhões|milioni|milione|миллион"
    "|миллиона|миллионов|млн|мільйонів|mln|mio|mn|milyon|juta|triệu|miljoen|백만|ล้าน|مليون|ملايين",
    7: "crore|crores|करोड़|কোটি|కోట్ల",
    8: "億|亿|억",
    9: "billion|billions|milliarde|milliarden|milliard|milliards|miliardi|миллиард|миллиардов"
    "|миллиарда|млрд|mrd|bn|milyar|miliar|tỷ|miljard",
    12: "trillion|trillions|兆|조",
}
_POWERS = {word: power for power, words in _SCALES.items() for word in words.split("|")}
_WORDS = sorted((word for word in _POWERS if ord(word[0]) < 0x2E80), key=len, reverse=True)
_LONGEST_SCALE = 2 + max(map(len, _POWERS))
_SCALE = re.compile(
    rf"(?: ?(?P<word>(?:{'|'.join(_WORDS)}))(?!\w)|(?P<letter>(?-i:[kKM]))(?!\w)"
    r"|(?P<sign>[百万萬億亿兆만억조]|[千천](?![米克瓦卡])|백만))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in a text.

    Parameters
    ----------
    value : Fraction or None
        None where it is no single number: a time, a ratio, a root, "1,5" where a comma groups.
    start, end : int
        Where it stands, with its sign, currency and percent sign.
    is_citation : bool
        Whether it stands in brackets of its own, as in "18 [1]".
    """

    value: Fraction | None
    start: int
    end: int
    is_citation: bool = False


class Quantities:
    """Numbers of a text in ASCII spelling (see `in_ascii`), each looked at when it is asked for.

    A digit in a name (H2O), an index or an exponent of a unit is none, and a number that is denied
    ("not 5") is none.

    Parameters
    ----------
    text : str
        A text in ASCII spelling.
    decimal : {"point", "comma"}
        How "1.234" and "1,234" are read, which are a decimal in one convention and thousands in
        the other.
    percent : {"unit", "fraction"}
        Whether "50%" is 50 or 1/2.
    """

    def __init__(self, text: str, *, decimal: str, percent: str) -> None:
        self._text, self._decimal, self._percent = text, decimal, percent
        self._found = list(_ONE.finditer(text))

    def __bool__(self) -> bool:
        befores = (_before(self._text, one) for one in self._found)
        return any(_counts(before, _prefix(before)) for before in befores)

    def __iter__(self) -> Iterator[Quantity]:
        return self._looked_at(range(len(self._found)))

    def __reversed__(self) -> Iterator[Quantity]:
        return self._looked_at(reversed(range(len(self._found))))

    def behind(self, position: int, *, near: int) -> tuple[Quantity, Iterator[Quantity]] | None:
        """Return the number that starts near behind a position, and those that follow it."""
        found, farthest = self._found, position + near
        first = bisect_right(found, position, key=re.Match.end)
        stop = bisect_right(found, farthest + _LOOK_BACK, lo=first, key=re.Match.start)
        one = next(self._looked_at(range(first, stop)), None)
        if one is None or one.start > farthest:
            return None
        following = bisect_left(found, one.end, lo=first, key=re.Match.start)
        return one, self._looked_at(range(following, len(found)))

    def _looked_at(self, places: Iterable[int]) -> Iterator[Quantity]:
        return (found for place in places if (found := self._quantity(place)) is not None)

    def _quantity(self, place: int) -> Quantity | None:
        """Look at a number and what stands around it; None where it is none."""
        text, one = self._text, self._found[place]
        before = _before(text, one)
        prefix = _prefix(before)
        if not _counts(before, prefix):
            return None
        lead = before[: prefix.start()]
        end = one.end()
        sign = _sign(prefix, lead)
        percents = _PERCENT.match(text, end)
        scale = None if percents else _SCALE.match(text, end)
        start = one.start() - len(before) + prefix.start()
        behind = percents or scale
        value = None
        is_cut = "." in one[0] and text.startswith(("...", "…"), end)
        if not (
            sign is None or is_cut or self._goes_on(place) or _is_formula(before, lead, text, end)
        ):
            value = _value(one, self._decimal)
        if value is not None:
            if scale:
                value *= 10 ** _scale(scale)
            if percents:
                value /= 10 if percents["mille"] else 1
                value /= 100 if self._percent == "fraction" else 1
            value *= sign or 1
        return Quantity(
            value, start, behind.end() if behind else end, _is_citation(before, text, one)
        )

    def _goes_on(self, place: int) -> bool:
        """Whether it is a further part of a number, as in "3 million 5 thousand"."""
        if place == 0:
            return False
        text, last = self._text, self._found[place - 1]
        gap = self._found[place].start() - last.end()
        if gap > _LONGEST_SCALE or _PERCENT.match(text, last.end()):
            return False
        scale = _SCALE.match(text, last.end())
        if scale is None or self._found[place].start() - scale.end() not in (0, 1):
            return False
        before = _before(text, last)
        return _counts(before, _prefix(before))


def _before(text: str, one: re.Match[str]) -> str:
    return text[max(0, one.start() - _LOOK_BACK) : one.start()]


def _prefix(before: str) -> re.Match[str]:
    found = _PREFIX.search(before)
    if found is None:  # for type checkers: it matches nothing, too
        raise AssertionError
    return found


def _counts(before: str, prefix: re.Match[str]) -> bool:
    """Whether digits are a number at all, by what stands before them."""
    lead = before[: prefix.start()]
    is_signed = bool(prefix["first"] or prefix["second"])
    # In "2x3" the letter is a sign.
    is_factor = not is_signed and _PRODUCT.search(before)
    if not prefix["currency"] and not is_factor and _PART_OF_A_NAME.search(before):
        return False
    # GPT-4, COVID-19
    if is_signed and not prefix["space"] and _ENDS_A_WORD.search(lead):
        return False
    return not _is_behind(_NEGATED, lead)


def _is_formula(before: str, lead: str, text: str, end: int) -> bool:
    if _is_behind(_ALTERNATIVE, lead) or _PART_OF_A_FORMULA.search(lead):
        return True
    return bool(_PART_OF_A_FORMULA.search(before) or _MAKES_A_FORMULA.match(text, end))


def _is_behind(words: re.Pattern[str], lead: str) -> bool:
    """Whether text ends with some of these words; most text ends with another character."""
    last = lead.rstrip(" \t\n:\"'$(*")[-1:]
    return (last.isalpha() or last in "≠=") and bool(words.search(lead))


def _is_citation(before: str, text: str, one: re.Match[str]) -> bool:
    in_brackets = before.endswith("[") and text.startswith("]", one.end())
    return in_brackets and len(one[0]) <= 3 and not _COPULA.search(before)


def _sign(prefix: re.Match[str], lead: str) -> int | None:
    """1 or -1; None where a hyphen may be a minus, a dash or a bullet."""
    if prefix["second"] and prefix["currency"]:
        return -1 if prefix["second"] == "-" else 1
    if prefix["first"] and prefix["second"]:
        return None
    sign = prefix["second"] or prefix["first"]
    if sign != "-":
        return 1
    if not lead or lead[-1] == "\n":
        is_bullet = bool(prefix["first"] and prefix["space"])
        return 1 if is_bullet else -1
    if prefix["first"] and prefix["space"]:
        end = lead.rstrip(" ")
        if not end or end[-1] == "\n":
            return 1
        if end[-1] in "=([,≈×*$":
            return -1
        return 1 if _ENDS_A_TERM.search(end) and not _SAYS.search(end) else None
    if lead[-1] == "-":
        return None
    if _ENDS_A_TERM.search(lead):
        return 1
    # "5 -10" may be two numbers, a range or a difference.
    return None if re.search(r"[\d)\]}%] +$", lead) else -1


def _scale(found: re.Match[str]) -> int:
    if found["letter"]:
        return 6 if found["letter"] == "M" else 3
    return _POWERS[(found["word"] or found["sign"]).lower()]


def _value(one: re.Match[str], decimal: str) -> Fraction | None:
    """Exact value of what was found, without its sign; None where it has none, or is too long."""
    if one["odd"]:
        return None
    top, bottom = one["frac_top"] or one["top"], one["frac_bottom"] or one["bottom"]
    whole = one["frac_whole"]
    if one["mixed_top"]:
        whole, top, bottom = one["mixed_whole"], one["mixed_top"], one["mixed_bottom"]
    if top:
        part = _ratio(_signed(top, decimal), _signed(bottom, decimal))
        if part is None or not whole:
            return part
        return int(whole) + part if 0 < part < 1 else None
    value = _plain(one["number"], decimal)
    if value is None:
        return None
    exponents = [int(one[name][:10]) for name in ("e", "ten") if one[name]]
    if any(abs(exponent) > LONGEST for exponent in exponents):
        return None
    value *= Fraction(10) ** sum(exponents)
    if one["bottom_number"]:
        return _ratio(value, _plain(one["bottom_number"], decimal))
    if one["power"]:
        return _to_the_power(value, int(one["power"][:10]))
    return value


def _to_the_power(value: Fraction, power: int) -> Fraction | None:
    longest = max(value.numerator.bit_length(), value.denominator.bit_length())
    if longest * abs(power) > LONGEST * 4 or (value == 0 and power <= 0):
        return None
    return value**power


def _ratio(top: Fraction | None, bottom: Fraction | None) -> Fraction | None:
    return top / bottom if top is not None and bottom else None


def _signed(text: str, decimal: str) -> Fraction | None:
    value = _plain(text.lstrip("+-"), decimal)
    return -value if value is not None and text.startswith("-") else value


_GROUPS = re.compile(r"[1-9]\d{0,2}(?:[.,' _]\d{3})+")
_LAKH = re.compile(r"[1-9]\d?(?:,\d\d)+,\d{3}")


def _plain(text: str, decimal: str) -> Fraction | None:
    """Value of digits with separators; None where these follow no convention."""
    if len(text) > LONGEST:
        return None
    marks = {mark for mark in text if mark in ".,' _"}
    if not marks:
        return Fraction(text)
    last = max(text.rfind("."), text.rfind(","))
    kinds = len(marks)
    mark = text[last] if last >= 0 else ""
    if kinds == 1:
        own = "," if decimal == "comma" else "."
        is_once = text.count(mark) == 1 if mark else False
        if is_once and mark == own:
            return Fraction(text.replace(",", "."))
        if _GROUPS.fullmatch(text) or _LAKH.fullmatch(text):
            return Fraction(re.sub(r"\D", "", text))
        # A point separates no list, so "12.5" is clear in any convention; "1,5" may be two numbers.
        return Fraction(text) if is_once and mark == "." else None
    whole, rest = text[:last], text[last + 1 :]
    if kinds > 2 or not rest.isdigit() or mark in whole:
        return None
    if _GROUPS.fullmatch(whole) or (mark == "." and _LAKH.fullmatch(whole)):
        return Fraction(f"{re.sub(r'[^0-9]', '', whole)}.{rest}")
    return None


def spell(value: Fraction, *, decimal: str) -> str | None:
    """Spell a number in the one way that equal numbers share; None where it is too long.

    Returns
    -------
    str or None
        An integer, a decimal if it ends, else a fraction. It reads as itself.

    Examples
    --------
    >>> from fractions import Fraction
    >>> spell(Fraction("12.50"), decimal="point"), spell(Fraction(-2, 6), decimal="point")
    ('12.5', '-1/3')
    """
    top, bottom = value.numerator, value.denominator
    if max(top.bit_length(), bottom.bit_length()) > LONGEST * 3:
        return None
    digits = _decimals(bottom)
    if digits is None or digits > LONGEST // 4:
        return f"{top}/{bottom}"
    if not digits:
        return str(top)
    shifted = str(abs(top) * 10**digits // bottom).rjust(digits + 1, "0")
    mark = "," if decimal == "comma" else "."
    return f"{'-' if top < 0 else ''}{shifted[:-digits]}{mark}{shifted[-digits:]}"


def _decimals(bottom: int) -> int | None:
    """How many decimals 1 / bottom has; None where they never end."""
    counts = []
    for prime in (2, 5):
        count = 0
        while bottom % prime == 0:
            bottom //= prime
            count += 1
        counts.append(count)
    return max(counts) if bottom == 1 else None
