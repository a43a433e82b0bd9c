"""`muscle-metrics metrics`: the list of scorers and their options."""

from __future__ import annotations

import re
from pathlib import Path

from muscle_metrics.scorers import SCORERS, resolve_scorer

PAGE = Path(__file__).parents[2] / "docs" / "scorers.md"


def test_the_list_is_the_one_of_the_page(run) -> None:
    listed = run("metrics").out
    assert f"$ muscle-metrics metrics\n{listed}```" in PAGE.read_text(encoding="utf-8")
    assert max(map(len, listed.splitlines())) <= 88


def test_the_list_names_every_scorer_and_reads_as_options(run) -> None:
    for block in run("metrics").out.split("\n\n"):
        names, *settings = re.split(r"^  (?=\S)", block, flags=re.MULTILINE)
        scorers = re.split(r",\s+", names.strip())
        assert set(scorers) <= SCORERS.keys()
        # A default behind its name is the scorer itself, where "none" is no name of a value.
        usual = [setting.split()[0] for setting in settings]
        plain = [text for text in usual if not text.endswith(("=none", "=..."))]
        for scorer in scorers:
            assert resolve_scorer(f"{scorer}({', '.join(plain)})", **model(scorer)).name == scorer


def model(scorer: str) -> dict[str, str]:
    return {"model": "m"} if scorer == "bertscore" else {}


def test_only_some_scorers_and_functions(run) -> None:
    done = run("metrics", "chrf", "builtins:max")
    assert (done.code, done.out.count("\n\n")) == (0, 1)
    assert "builtins:max\n  any option, which its function checks\n" in done.out
    done = run("metrics", "rogue1")
    assert done.code == 2
    assert "did you mean 'rouge1'" in done.err
