"""A verdict in a notebook: the outcome first, the worst check first, no secret and no markup."""

from __future__ import annotations

import re

from muscle_metrics import Policy, Record, Run, check_gate, compare_runs

SECRET = "sk-proj-0123456789abcdef0123"


def test_a_verdict_shows_what_its_text_says() -> None:
    old, new = (
        Run(
            tuple(
                Record(f"<q{i}> {SECRET}", "B" if broken and i < 15 else "A", "A", slice="<часть>")
                for i in range(300)
            ),
            f"<v{broken}>",
        )
        for broken in (0, 1)
    )
    comparison = compare_runs(old, new)
    pinned = frozenset({f"<q3> {SECRET}"})
    policy = Policy(max_nfr="0.05", slices={"<часть>": "0.9"}, pinned=pinned)
    verdict = check_gate(comparison, policy)
    page = verdict._repr_html_()
    assert page.startswith("<p><strong>FAIL</strong>: &lt;v0&gt; -&gt; &lt;v1&gt;")
    assert "1 pinned items broke: &lt;q3&gt; [hidden secret]" in page
    assert SECRET not in page
    assert not re.search(r"<[qv]|<час", page)
    rows = re.findall(r'<th scope="row">(.*?)</th><td>(\w+)</td>', page)
    assert rows == [
        (check.criterion.replace("<", "&lt;").replace(">", "&gt;"), check.outcome)
        for check in verdict.worst_first()
    ]
    (undecided,) = [check for check in verdict.checks if check.advice]
    assert f"<td>{undecided.advice}</td>" in page
