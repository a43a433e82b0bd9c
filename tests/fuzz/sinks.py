"""No text of a run acts on the reader of a report: drawn strings in every field and every sink.

The checks are the tests of the sinks themselves: each function of `tests.reports` that takes
hostile texts, or a verdict that is full of them, is called with strings drawn at random.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from tests.reports import conftest, test_csv, test_sinks
from tests.reports.html import test_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from random import Random

    from tests.fuzz.cases import Case

CASES_OF_A_ROUND = 10
KINDS = ("judged", "invalid", "accepted")

# Parts that act somewhere: on a page, a terminal, a runner, a spreadsheet, a parser or a database.
PARTS = [
    "<script>", "</script", "</ScRiPt >", "<!--", "-->", "]]>", "<![CDATA[", "<svg/onload=",
    "<img src=x>", "&lt;", "&#x3c;", "&amp", "javascript:", "data:text/html,", "' onmouseover='",
    "\" style=\"", "{{7*7}}", "{% raw %}", "${7*7}", "%s", "{0}", "{}", "::error::", "::", ":",
    "%0A", "%", "##[error]", "##[", "#", "##vso[x]", "##teamcity[", "\x1b[2J", "\x1b]8;;", "\x07",
    "\x9b31m", "\r", "\n", "\r\n", "\t", "\x00", "\x08", "\x0b", "\x0c", "\x85", "\xa0", "\u2028",
    "\u2029", "\u202e", "\u2066", "\u200b", "\ufeff", "\ufffe", "\uffff", "\ud800", "\udc80",
    "\U000e0041", "\U0010ffff", "\ufdd0", "=1+1", "+1", "-1", "@SUM", "＝1", "|", "||", "\\",
    "\\\\", "`", "```", "~~~", "# ", "> ", "- ", "1. ", "* ", "_", "**", "[x](y)", "![x](y)",
    "http://e.x", "www.e.x", "a@e.x", "@a", "#1", "<details>", "</code>", "</td>", "'", "\"", "''",
    ";", "--", "e\u0301", "é", "ß", "ı", "水", "العربية", "👩\u200d👩\u200d👧", "a", "b", " ", "  ",
    "0", "nan", "null", "\u3000",
]  # fmt: skip


def draw(rng: Random) -> Iterator[Case]:
    """Yield lists of strings."""
    for _ in range(CASES_OF_A_ROUND):
        texts = ["".join(rng.choices(PARTS, k=rng.choice([1, 2, 3, 8]))) for _ in range(3)]
        texts.append(rng.choice(PARTS) * rng.choice([1, 50, 3000]))
        last = rng.choice([0x100, 0x3000, 0x110000])
        texts.append("".join(chr(rng.randrange(last)) for _ in range(20)))
        # JSON reads two halves of a character that stand together as that character.
        whole = [
            t.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") for t in texts
        ]
        yield {"kind": rng.choice(KINDS), "texts": whole}


def check(case: Case, folder: Path) -> str:
    """Run every check of a sink; an AssertionError is a fault."""
    attacked = conftest.attack(case["kind"], case["texts"])
    given: dict[str, Any] = {"attacked": attacked, "hostile": case["texts"]}
    for test in CHECKS:
        test(**{name: given[name] for name in inspect.signature(test).parameters})
    return f"{case['kind']}: {attacked.verdict.outcome}"


def _checks() -> list[Callable[..., None]]:
    """Tests that need hostile texts and nothing else."""
    return [
        function
        for module in (test_sinks, test_csv, test_page)
        for name, function in vars(module).items()
        if name.startswith("test_")
        and {"attacked"} >= (given := {*inspect.signature(function).parameters} - {"hostile"})
        and (given or "hostile" in inspect.signature(function).parameters)
    ]


CHECKS = _checks()
