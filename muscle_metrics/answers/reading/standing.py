"""Whether a written letter stands for an option: what follows it, and which letters join it.

Every pattern is linear: repeats are bounded or cannot give back what they took.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TypeAlias

from muscle_metrics.answers.reading.alphabets import letter_names
from muscle_metrics.answers.reading.markers import CONNECTIVE, OPTION, SUFFIX

__all__ = ["CLOSING", "JOINED", "NEGATION", "OPENING", "Found", "Options", "options_of"]

# The letters that were found; none of them means "no single selection", such as "A or B".
Found: TypeAlias = tuple[str, ...]

OPENING = r"""(?:[(\[{（【〔「『《*_`~$"'“”„‘’«‹\s\\]|</?[A-Za-z]{1,12}>)"""
CLOSING = r"""(?:[)\]}）】〕」』》>*_`~$"'“”’»›]|\s?\\[)\]]|\s[})$])"""
_AND = (
    r"(?:[,;&+/、，；،]|(?<![^\W_])(?i:and|und|et|y|e|en|och|og|ve|dan|na|и|та|και)(?![^\W_])|"
    "和|及|与|與|と|や|및|और|এবং|আর|و|และ)"
)
_OR = (
    r"(?:(?<![^\W_])(?i:or|oder|ou|o|u|of|eller|veya|atau|au|tabi|hoặc|или|або|ή|nor)(?![^\W_])|"
    "或者?|또는|या|বা|অথবা|أو|หรือ|または|か)"
)
JOINED = re.compile(rf"(?:{_AND}|{_OR})[\s(*]{{0,9}}\Z")
NEGATION = re.compile(
    r"(?<![^\W_])(?i:not|cannot|nor|neither|never|eliminate[ds]?|exclude[ds]?|rule[ds]? out|"
    r"wrong|incorrect|false|except|unlike|than|nicht|keine?|no|non|pas|não|не|bukan|değil|sio)"
    r"(?![^\W_])|n['’]t\b|不|非|没|沒|排除|错|錯|ليس|नहीं|নয়"
)
_SEPARATOR = re.compile(
    rf"\s{{0,9}}(?:(?P<either>{_OR})|{_AND})\s{{0,9}}(?:{_OR}|{_AND})?{OPENING}{{0,8}}+"
    rf"(?:{OPTION}{OPENING}{{0,8}}+)?"
)
_NEXT_BRACKET = re.compile(r"\s?[(\[（](?=.[)\]）])")
_NEXT_LINE = re.compile(r"[^\S\n]{0,9}\n\s{0,9}(?=\S{1,3}\s{0,9}(?:\n|\Z))")
_SHUT = re.compile(rf"{CLOSING}{{0,12}}+")
_FOLLOWED = re.compile(
    r"\s*+\Z|[^\S\n]*+\n|\s?[.。．;；:：,，!！、।॥…؛،|](?!\d|\w(?!\w))|\s+[-–—−]{1,2}\s|[–—]|\s\(|\s?[<（✀-➿😀-🙏]|"
    rf"\\|\s?{SUFFIX}|\s+(?P<linked>{CONNECTIVE})"
)
_DENIED = re.compile(
    r"\s*+(?:ではな|じゃな|ではあり|[가이은는도]?\s?아[니닙]|(?:है\s)?नहीं|নয়|değil|(?:选?项|選?項)?(?:不[对對是正]|是?[错錯]|"
    r"是不)|نیست|نہیں|ليس|ไม่ใช่|இல்லை|కాదు|[?？؟])"
)
_VERB = re.compile(
    r"\s+(?i:is|are|was|were|isn't|cannot|can't|can|could|may|might|does|doesn't|do|has|had|would|"
    r"wouldn't|will|seems|looks|appears|says|states|ist|es|est|è|é)(?![^\W_])"
)
_SPECIES = re.compile(
    r"\.\s(?:coli|elegans|difficile|aureus|pylori|melanogaster|subtilis|cerevisiae|botulinum|"
    r"perfringens|albicans|tetani|anthracis|cereus|faecalis|vivax|falciparum|sapiens)\b"
)
_TURKISH = re.compile(r"['’][dt][ıiuü]r(?![^\W_])")
_FRENCH_BECAUSE = re.compile(r"\s+car\b")
_WORD = re.compile(r"\s+[^\W_]")
_CAPITAL = re.compile(r"[^\S\n]+[A-Z][a-z]")
_UNLIKE_ARTICLE = re.compile(
    r"\s+(?i:because|since|it is|it must be|is the|is correct|is right|weil|porque|parce|perché|"
    r"karena|çünkü|vì|потому|not|and not|rather than)(?![^\W_])"
)
_NEXT_OPTION = re.compile(
    r"[*]{0,2}[)\].:）．][^\n]{0,300}\n[\s*]{0,6}+[(\[（]?([^\W\d_])[)\].:）．]"
)
# Letters that are words of some language: "a dog", "I think", "y", "o", "e", "и", "я".
_WORDS = frozenset("AIaieoyuEOYUиияаоу")


@lru_cache(64)
def options_of(choices: str | None) -> Options:
    """Make the patterns for the letters of an item's options once."""
    return Options(choices)


class Options:
    """Letters of an item's options, and whether they stand for one in a text.

    Parameters
    ----------
    choices : str or None
        As in `letter_names`.
    """

    def __init__(self, choices: str | None) -> None:
        self.names = letter_names(choices)
        meant = dict.fromkeys(self.names.values())
        self.order = (
            "".join(sorted(meant))
            if choices is None
            else "".join(letter for letter in unicodedata.normalize("NFKC", choices).upper())
        )
        single = "".join(sorted(name for name in self.names if len(name) == 1))
        longer = sorted((name for name in self.names if len(name) > 1), key=len, reverse=True)
        self.pattern = f"(?P<x>{'|'.join([*longer, f'[{single}]'])})"
        self._letter = re.compile(self.pattern)
        self._has_choices = choices is not None
        together = self.order if choices else self.order[:10]
        self._together = re.compile(rf"[{together}]{{2,26}}+(?![^\W_])")

    def spell(self, found: Found | None, *, several: bool) -> str | None:
        """Letters in the order of the options; None where these are none, or several."""
        if not found or (len(set(found)) > 1 and not several):
            return None
        letters = "".join(sorted(set(found), key=self.order.index))
        return letters if len(letters) == 1 or self._together.fullmatch(letters) else None

    def letter_at(self, text: str, start: int) -> re.Match[str] | None:
        """Return the match of a letter at a place."""
        return self._letter.match(text, start)

    def selection(self, text: str, match: re.Match[str]) -> Found | None:
        """Return the letters that start at a match; none of them for "A or B"; None for no letter.

        Parameters
        ----------
        text : str
            The answer.
        match : re.Match
            Of a pattern with the group ``x`` for the letter, and ``noun`` and ``gap`` for what
            announces it.
        """
        run = self._together.match(text, match.start("x"))
        if run:
            letters = list(run[0])
            is_selection = self._has_choices or letters == sorted(letters)
            return tuple(letters) if is_selection and len({*letters}) == len(letters) else None
        joined, has_or = [match], False
        while found := self._joined(text, joined[-1].end("x")):
            if len(joined) > len(self.order):
                return ()
            joined.append(found[0])
            has_or |= found[1]
        if len(joined) == 1:
            return (self.names[match["x"]],) if self._stands(text, match) else None
        end = joined[-1].end("x")
        letters = [self.names[one["x"]] for one in joined]
        if len(set(letters)) == 1:
            return (letters[0],)
        return () if has_or or NEGATION.search(text, end, end + 30) else tuple(letters)

    def _joined(self, text: str, end: int) -> tuple[re.Match[str], bool] | None:
        """Return a further letter, behind a conjunction, a comma or a line break; is it "or"."""
        stop = _end(_SHUT, text, end)
        link = _SEPARATOR.match(text, stop)
        line = None if link else _NEXT_LINE.match(text, stop) or _NEXT_BRACKET.match(text, stop)
        behind = link or line
        further = behind and self._letter.match(text, behind.end())
        if not behind or not further or text[further.end() : further.end() + 1].isalnum():
            return None
        is_word = any(character.isalpha() for character in behind[0])
        is_sure = is_word and further["x"].isupper() and further["x"] not in _WORDS
        if is_sure or self._stands(text, further, in_list=True):
            return further, bool(link and link["either"])
        again = _SEPARATOR.match(text, _end(_SHUT, text, further.end()))
        is_middle = again is not None and self._letter.match(text, again.end()) is not None
        return (further, bool(link and link["either"])) if is_middle else None

    def _stands(self, text: str, match: re.Match[str], *, in_list: bool = False) -> bool:
        start, end = match.span("x")
        if unicodedata.category(text[end : end + 1] or " ")[0] == "M" or _is_listed(text, end):
            return False
        if _TURKISH.match(text, end):
            return True
        stop = _end(_SHUT, text, end)
        closed = text[end:stop]
        if _DENIED.match(text, stop) or _SPECIES.match(text, end):
            return False
        if closed == "*" and "*" not in text[max(0, start - 40) : start]:
            return False  # "A*" is an algorithm.
        is_bare = not closed.strip("'’")
        if is_bare and closed and text[stop : stop + 1].isalnum():
            return False  # "I'm"
        following = _FOLLOWED.match(text, stop)
        if not following:
            return not in_list and self._stands_before_word(text, match, stop, is_bare=is_bare)
        if is_bare and match["x"] == "I" and text[stop : stop + 1] == ",":
            return False
        is_article = is_bare and match["x"] in _WORDS and following["linked"]
        return not is_article or _UNLIKE_ARTICLE.match(text, stop) is not None

    def _stands_before_word(
        self, text: str, match: re.Match[str], stop: int, *, is_bare: bool
    ) -> bool:
        if not _WORD.match(text, stop) or _VERB.match(text, stop):
            return False
        if not is_bare:
            return True
        marker = match.groupdict()
        if (marker.get("noun") or "").lower().endswith("ponse") and _FRENCH_BECAUSE.match(
            text, stop
        ):
            return True
        is_announced = ":" in (marker.get("gap") or "") and _CAPITAL.match(text, stop) is not None
        return is_announced and match["x"].isupper() and match["x"] not in _WORDS


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start


def _is_listed(text: str, end: int) -> bool:
    """Whether the next line goes on with the next letter, as in a list of options."""
    following = _NEXT_OPTION.match(text, end)
    if following is None:
        return False
    return ord(following[1].upper()[0]) == ord(text[end - 1].upper()[0]) + 1
