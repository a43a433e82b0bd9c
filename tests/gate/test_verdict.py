"""What a verdict says: refused data, the order of checks, and texts that came from data."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from muscle_metrics.errors import InputError
from muscle_metrics.gate.verdict import (
    Check,
    Outcome,
    Verdict,
    hide_verdict_secrets,
    refuse,
    verdict_text,
)
from muscle_metrics.gate.waived import JudgedWaiver, WaiverState
from muscle_metrics.gate.waivers import Waiver

KEY = "sk-" + "a1" * 10


def check(outcome: Outcome, **texts: Any) -> Check:
    words = {"criterion": f"rate {outcome}", "sample": "3 of 100 items", "advice": "", **texts}
    return Check(
        outcome=outcome, estimate=0.03, low=0.01, high=0.05, limit=Fraction(1, 20), **words
    )


def verdict(*checks: Check, **fields: object) -> Verdict:
    texts = {"broken_pins": (), "reasons": (), "names": ("v1", "v2"), "signature": "signed"}
    return Verdict(outcome=Outcome.FAIL, checks=checks, confidence=0.95, **{**texts, **fields})


def test_data_that_cannot_be_compared_are_invalid_and_say_why() -> None:
    refused = refuse(InputError("no items"), names=("v1", "v2"), confidence=0.9)
    assert (refused.outcome, refused.checks, refused.broken_pins) == (Outcome.INVALID, (), ())
    assert (refused.reasons, refused.names, refused.confidence) == (
        ("no items",),
        ("v1", "v2"),
        0.9,
    )
    assert re.fullmatch(r"muscle-metrics \d+\.\d+\.\d+; nothing was compared", refused.signature)


def test_failed_checks_come_first_and_passed_ones_last() -> None:
    outcomes = [Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.FAIL]
    listed = verdict(*map(check, outcomes)).worst_first()
    assert [one.outcome for one in listed] == [
        Outcome.FAIL,
        Outcome.FAIL,
        Outcome.INCONCLUSIVE,
        Outcome.PASS,
    ]


def test_text_names_five_pins_at_most_and_escapes_what_data_say() -> None:
    shown = verdict(
        check(Outcome.PASS),
        broken_pins=tuple(f"q{i}" for i in range(6)),
        reasons=("models differ\x1b[31m",),
    )
    assert verdict_text(shown).splitlines() == [
        "FAIL: v1 -> v2",
        r"models differ\u001b[31m",
        "PASS rate PASS 3.00% (bounds 1.00% to 5.00%), limit 5%: 3 of 100 items",
        "FAIL pinned items: 6 broke (q0, q1, q2, q3, q4)",
        "one-sided confidence 0.95; signed",
    ]


def test_bounds_of_two_quantities_name_them() -> None:
    bounds = {("beyond noise", "with noise"): "1.00% beyond noise to 5.00% with noise"}
    bounds["", ""] = "1.00% to 5.00%"
    for bounded, text in bounds.items():
        shown = check(Outcome.PASS, method="Gaffke", bounded=bounded)
        assert f" 3.00% (Gaffke bounds {text}), limit 5%: " in str(shown)


def test_waivers_lose_their_secrets_too() -> None:
    known = Waiver(id=f"q {KEY}", owner=f"Ada {KEY}", reason=f"is {KEY}", expires="2027-01-31")
    secret = verdict(waivers=(JudgedWaiver(known, WaiverState.WAIVED, True),))
    (shown,) = hide_verdict_secrets(secret).waivers
    assert KEY not in str(shown)
    assert (shown.waiver.owner, shown.waiver.expires) == ("Ada [hidden secret]", known.expires)
    assert "examples aside: 3" in hide_verdict_secrets(secret).reasons[-1]


def test_every_text_of_a_verdict_loses_its_secrets_and_nothing_else_changes() -> None:
    secret = verdict(
        check(Outcome.FAIL, criterion=f"rate of {KEY}", sample=f"of {KEY}", advice=f"more {KEY}"),
        check(Outcome.PASS),
        broken_pins=(KEY, "q2"),
        reasons=(f"models differ: {KEY}",),
        names=(f"v1 {KEY}", "v2"),
        signature=f"metric {KEY}",
    )
    hidden = "[hidden secret]"
    assert hide_verdict_secrets(secret) == verdict(
        check(
            Outcome.FAIL, criterion=f"rate of {hidden}", sample=f"of {hidden}",
            advice=f"more {hidden}",
        ),
        check(Outcome.PASS),
        broken_pins=(hidden, "q2"),
        reasons=(
            f"models differ: {hidden}",
            "secrets hidden in this report, examples aside: 7",
        ),
        names=(f"v1 {hidden}", "v2"),
        signature=f"metric {hidden}",
    )  # fmt: skip
    clean = verdict(check(Outcome.PASS))
    assert hide_verdict_secrets(clean) is clean
