"""Every number about the atlas that a page quotes, computed from the tables of the package again.

By pandas, numpy and scipy from the counts, not by the code that the reports use.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

import muscle_metrics.atlas

FOLDER = Path(muscle_metrics.atlas.__file__).parent
PROJECT = Path(__file__).parents[2]
# What a page may say in digits that is no number of the atlas: names of versions, of benchmarks and
# of hosts, the level of an interval, and the method in words.
NAMES = re.compile(
    r"`[^`]*`|MATH level 5|GSM8K|AlpacaEval \d|\bFP8\b|\b16-bit\b|\(FP8 or 16 bits\)|SWE-bench"
    r"|[Ff]act[s]? [\d, and]+|May to August 2024|March to June 2023|drift of 2023|95 % interval"
    r"|^\d\. |0 means that nothing broke, 1 that",
    re.MULTILINE,
)


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / f"{name}.csv", keep_default_na=False)


@cache
def counted() -> pd.DataFrame:
    table = read("updates").merge(read("tasks"), on="task", how="left", validate="many_to_one")
    right, broke, fixed, wrong = (
        table[name] for name in ("both_right", "negative", "positive", "both_wrong")
    )
    n = right + broke + fixed + wrong
    table["n"], table["old_right"], table["new_wrong"] = n, right + broke, broke + wrong
    table["gain"] = 100 * (fixed - broke) / n
    table["nfr"], table["conditional"] = broke / n, broke / (right + broke)
    table["relative"] = broke * n / (table.old_right * table.new_wrong)
    return table


@cache
def comparable(*kinds: str) -> pd.DataFrame:
    table = counted()
    return table[table.kind.isin(kinds) & (table.flag == "") & (table.n >= 200)]


def one(task: str, old: str, new: str) -> pd.Series:
    table = counted()
    found = table[(table.task == task) & (table.old == old) & (table.new == new)]
    assert len(found) == 1
    return found.iloc[0]


def percent(share: float, digits: int = 1) -> str:
    return f"{share:.{digits}%}".replace("%", " %")


def median_nfr(task: str) -> float:
    versions = comparable("version")
    return versions[versions.task == task].nfr.median()


def overview() -> list[str]:
    table, versions = counted(), comparable("version")
    relative, n = versions.relative, len(versions)
    deciles = ", ".join(f"{value:.2f}" for value in np.quantile(relative, np.arange(1, 10) / 10))
    low, middle, high = np.quantile(relative, [0.25, 0.5, 0.75])
    reruns = comparable("rerun", "rerun+harness").relative
    hosts = comparable("host", "quantised").relative
    again, elsewhere = (np.quantile(v, [0.25, 0.75]).round(2) for v in (reruns, hosts))
    usual = versions.nfr[versions.task == "mmlu-pro"].median()
    assert round(usual, 3) == 0.085
    assert usual > 4 * median_nfr("zeroeval-gsm")
    return [
        f"{len(table)} pairs of runs on {table.task.nunique()} tasks",
        f"answers in {table.repository.nunique()} public repositories",
        f"relative NFR of {n} version updates with at least 200 items: {deciles}.",
        f"The middle half lies between {low:.2f} and {high:.2f}.",
        f"breaks about {middle:.1f} times",
        f"Below 0.3 is better than {percent((relative >= 0.3).mean(), 0)} of",
        f"above 0.55 worse than {percent((relative < 0.55).mean(), 0)}.",
        f"An NFR of 8.5 % is above {percent((versions.nfr < 0.085).mean(), 0)} of the {n} updates",
        f"A rank among {n} updates",
        f"{again[0]:.2f} to {again[1]:.2f} in the middle half of {len(reruns)} pairs",
        f"{elsewhere[0]:.2f} to {elsewhere[1]:.2f} in the middle half of {len(hosts)} pairs",
        f"{(table.flag != '').sum()} of the {len(table)} rows have a `flag`",
        "Rows below 200 items",
        "below 200 items, where nothing broke",
        reruns_text(),
    ]


def reruns_text() -> str:
    reruns = comparable("rerun", "rerun+harness")
    later = reruns[reruns.kind == "rerun+harness"]
    days = {
        (date.fromisoformat(row.new[:10]) - date.fromisoformat(row.old[:10])).days
        for row in later.itertuples()
    }
    assert reruns.family.nunique() == 3
    (gap,), kind = days, {*later.family}
    assert kind == {"tool-calls"}
    return f"{len(later)} of the {len(reruns)} are tool calls {gap} days apart"


def fact_1() -> list[str]:
    large = one("mmlu-pro", "Meta-Llama-3-70B", "Meta-Llama-3_1-70B")
    small = one("mmlu-pro", "Meta-Llama-3-8B", "Meta-Llama-3_1-8B")
    another = (small.negative + int(small.wrong_changed)) / small.n
    return [
        f"gained {large.gain:.1f} points on MMLU-Pro: {large.negative:,} of {large.old_right:,} "
        f"right answers ({percent(large.conditional)}) broke, and {large.positive:,} were fixed",
        f"gained {small.gain:.1f} points, and one in {1 / small.conditional:.0f}".replace(
            "one in 4", "one in four"
        ),
        f"({small.negative:,} of {small.old_right:,}) broke; {percent(another)} of all items",
    ]


def fact_2() -> list[str]:
    gained = comparable("version").query("gain > 0")
    rank = spearmanr(gained.gain, gained.nfr).statistic
    llama = one("mmlu-pro", "Llama-2-70b-hf", "Meta-Llama-3-70B")
    gpt = one("zeroeval-math-l5", "gpt-4o-2024-05-13", "gpt-4o-2024-08-06")
    return [
        f"Over the {len(gained)} version updates that gained, the rank correlation of gain and NFR "
        f"is {rank:.2f}.".replace("-0", "−0"),
        f"gained {llama.gain:.1f} points and broke {percent(llama.conditional)} of the right",
        f"gained {gpt.gain:.1f} points on MATH level 5 and broke {percent(gpt.conditional)}.",
    ]


def fact_3() -> list[str]:
    tasks = ("zeroeval-gsm", "zeroeval-crux", "zeroeval-math-l5")
    hosts = comparable("host").set_index("task").nfr
    gsm, crux, mathematics = (percent(hosts[task]) for task in tasks)
    medians = [percent(median_nfr(task)) for task in tasks]
    fp8 = comparable("quantised").groupby("task").nfr.agg(["min", "max"])
    spans = [f"{100 * fp8['min'][t]:.1f} to {percent(fp8['max'][t])}" for t in tasks[:2]]
    return [
        f"has an NFR of {gsm} on GSM8K, {crux} on CRUX and {mathematics} on MATH level 5",
        f"The median version update has {medians[0]}, {medians[1]} and {medians[2]}",
        f"has {spans[0]} on GSM8K and {spans[1]} on CRUX",
    ]


def fact_4() -> list[str]:
    day = "2024-08-11_gpt-4o-2024"
    prompted = one("bfcl-v1", f"{day}-05-13", f"{day}-08-06")
    native = one("bfcl-v1", f"{day}-05-13-FC", f"{day}-08-06-FC")
    assert prompted.flag == "format"
    return [
        f"broke {prompted.negative:,} of {prompted.old_right:,} right tool calls "
        f"({percent(prompted.conditional)})",
        f"gained {native.gain:.1f} points with an NFR of {percent(native.nfr)}",
    ]


def fact_5() -> list[str]:
    as_sent = one("llmdrift-leetcode", "gpt-4-0314", "gpt-4-0613")
    bare = one("llmdrift-leetcode", *(f"gpt-4-{v}~fences-stripped" for v in ("0314", "0613")))
    right = [(row.old_right, row.both_right + row.positive) for row in (as_sent, bare)]
    return [
        f"as submitted: {right[0][0]} of {as_sent.n} right, then {right[0][1]}; "
        f"{as_sent.negative} of {as_sent.old_right} broke",
        f"Without code fences: {right[1][0]}, then {right[1][1]}; {bare.negative} of "
        f"{bare.old_right} broke",
    ]


def fact_6() -> list[str]:
    found = []
    for task, words in (
        ("tau-bench-airline", "broke {} of the {} tasks ({}) that"),
        ("swe-bench-lite-acr", "broke {} of {} ({}) over pairs"),
    ):
        pairs = counted().query("task == @task and kind == 'rerun'")
        assert len(pairs) == 3
        broke, right = pairs.negative.sum(), pairs.old_right.sum()
        found.append(words.format(broke, right, percent(broke / right, 0)))
        if task == "tau-bench-airline":
            found.append(f"there are only {pairs.n.max()} tasks")
    claude = one("swe-bench-pro", "claude-4sonnet-10132025", "claude-45sonnet-10132025")
    share = percent(claude.conditional, 0)
    return [*found, f"broke {claude.negative} of {claude.old_right} ({share}), no more"]


def fact_7() -> list[str]:
    table = read("sampled").query("kind == 'version'")
    noise = (table.noise_old + table.noise_new) / 2
    return [
        f"Of {len(table)} version updates on code tasks",
        f"a table of {len(table)} rows",
        f"at the median {(table.expected_nfr / noise).median():.2f} times the mean rerun NFR",
        f"For {(noise >= 0.75 * table.expected_nfr).sum()} of them noise alone makes three quarter",
    ]


def fact_8() -> list[str]:
    names = "Meta-Llama-3-8B", "Meta-Llama-3_1-8B"
    recorded, read_again = (one(task, *names) for task in ("mmlu-pro-recorded", "mmlu-pro"))
    return [
        f"By recorded answers `8B` gains {recorded.gain:.1f} points, by one rule for both "
        f"{read_again.gain:.1f}."
    ]


def families() -> list[str]:
    rows = []
    for name, group in comparable("version").groupby("family"):
        if len(group) >= 5:
            cells = [name, ", ".join(sorted({*group.task})), len(group)]
            cells += [f"{group[rate].median():.1%}" for rate in ("nfr", "conditional")]
            rows.append(f"| {' | '.join(map(str, cells))} | {group.relative.median():.2f} |")
    return rows


def sources() -> list[str]:
    rows = []
    for name, group in read("tasks").groupby("repository"):
        ((commit, licence),) = {*zip(group.commit, group.licence, strict=True)}
        tasks = ", ".join(sorted(group.task))
        rows.append(f"| {name} | `{commit[:12]}` | {licence} | {tasks} |")
    return rows


PARTS = [
    overview,
    fact_1,
    fact_2,
    fact_3,
    fact_4,
    fact_5,
    fact_6,
    fact_7,
    fact_8,
    families,
    sources,
]


@cache
def prose() -> str:
    """The page without its examples, which run as tests, in one line."""
    page = (PROJECT / "docs" / "atlas.md").read_text(encoding="utf-8")
    # What the first example printed is explained below it.
    page = re.sub(r"^```.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE)
    return page.replace("- *99 to 119*:", "-")


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_a_quoted_number_follows_from_the_tables(part) -> None:
    text = " ".join(prose().split())
    for quoted in part():
        assert quoted in text


def test_the_page_quotes_no_other_number() -> None:
    text = NAMES.sub("", prose())
    text = re.sub(r"\]\([^)]*\)", "", " ".join(text.split()))
    for quoted in (quoted for part in PARTS for quoted in part()):
        bare = " ".join(NAMES.sub("", quoted).split())
        text = text.replace(bare, "")
    left = re.findall(r".{0,30}\d.{0,30}", text)
    assert not left, left
