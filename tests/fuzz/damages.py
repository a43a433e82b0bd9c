"""The law of a gate: no damage to the new run moves its verdict towards PASS.

Random pairs of runs are gated by random policies, then again with a damaged new run: rows that are
dropped, emptied, garbled, cut, doubled, renamed, or given other labels and references. Half of the
damages hit the items that broke, as a run would that wants to look better.

Run in memory as ``python -m tests.fuzz damages --cases 50000``. ``damages-duckdb`` and
``damages-ray`` write the runs to files; there the outcome must also be that of the same files read
into memory.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from muscle_metrics import InputError, Policy, UsageError, check_gate, compare_runs, read_run
from muscle_metrics.comparison.facts import Facts
from muscle_metrics.gate.waivers import waivers_of
from muscle_metrics.runs.record import Record, Run
from tests.fuzz.cases import Fault

if TYPE_CHECKING:
    from tests.fuzz import cases

# Draws of a pair before one is taken that the gate refuses undamaged: it can only stay refused.
TRIES = 6
DAMAGES_OF_A_PAIR = 20
# PASS lets a model through, INCONCLUSIVE does where a policy maps it so; all else stops it.
RANKS = {"PASS": 2, "INCONCLUSIVE": 1}
WORDS = {
    "latin": ["Paris", "Oslo", "Nairobi", "Lima", "Quito", "Delhi", "Hanoi"],
    "cyrillic": ["Москва", "Киев", "Минск", "София", "Тбилиси"],
    "chinese": ["北京", "上海", "广州", "深圳"],
    "arabic": ["القاهرة", "بغداد", "دمشق"],
    "letters": list("ABCD"),
    "numbers": [1, 2, 3.5, 40],
    "sentences": ["the cat sat on the mat", "a dog ran in the park", "two birds sang at noon"],
}
# Limits of equivalence: there a fixed item that breaks again is one change less.
MUTUAL = frozenset({"max_flip_rate", "max_churn", "max_accuracy_change"})
TODAY = date(2027, 1, 31)
# The last day of a waiver that holds, and of one that does not.
DAYS = ["2027-01-31", "2027-01-30"]
GARBAGE = ["", " ", "???", "нет", "不知道", "I cannot answer that.", "0", "A B", "\u202ex", "né"]

Engine = Callable[[Run, Run, dict[str, Any]], Facts]
Damage = Callable[["Case", list[Record], list[int], random.Random], list[Record]]


@dataclass(frozen=True)
class Case:
    """Two clean runs, how they are compared, and the limits they are judged by."""

    old: Run
    new: Run
    options: dict[str, Any]
    policy: dict[str, Any]
    broken: frozenset[int] = field(default_factory=frozenset)
    fixed: frozenset[int] = field(default_factory=frozenset)

    @property
    def is_mutual(self) -> bool:
        """Whether fixed items count against the new run, as they do for equivalence."""
        return bool(self.fixed) and not MUTUAL.isdisjoint(self.policy)

    def judged(self, engine: Engine, new: Run | None = None) -> str:
        """Outcome of the gate, or what stops it before there is one."""
        try:
            comparison = engine(self.old, self.new if new is None else new, self.options)
            return str(check_gate(comparison, self.limits()).outcome)
        except InputError:
            return "INVALID"
        except UsageError:
            return "USAGE"

    def limits(self) -> Policy:
        """The policy, whose waivers are tables, as a document holds them."""
        rows = self.policy.get("waivers", [])
        return Policy(**{**self.policy, "waivers": waivers_of(rows, "policy"), "today": TODAY})


def rank(outcome: str) -> int:
    """How far an outcome lets a model through."""
    return RANKS.get(outcome, 0)


def draw_case(rng: random.Random, *, counted: bool = False) -> Case:
    """Draw two runs over the same items; `counted` limits them to what an engine supports."""
    kind = rng.choice(["answers", "answers", "lists", "flags", "grades", "texts"])
    items = rng.choice([5, 30, 60, 120, 200])
    if kind == "texts":
        items = min(items, 60)
    words = WORDS[rng.choice(list(WORDS))] if kind != "texts" else WORDS["sentences"]
    # Bounds over groups and repeats take ten times as long as others.
    is_repeated = not counted and rng.random() < 0.06
    is_grouped = rng.random() < 0.06 and not (counted and kind in ("grades", "texts"))
    old, new, broken, fixed = [], [], [], []
    skill, breaks = rng.choice([0, 0.02, 0.3, 0.7, 1]), rng.random() ** 3
    fixes = rng.choice([0, rng.random()])
    for n in range(items):
        record = Record(
            id=f"q{n // 3 if is_repeated else n}",
            task=None if counted else rng.choice([None, "t"]) if n == 0 else None,
            repeat=str(n % 3) if is_repeated else None,
            slice=rng.choice(["easy", "hard", "сложно"]),
            group=f"g{n // 7}" if is_grouped else None,
        )
        was = rng.random() < skill
        is_now = rng.random() >= breaks if was else rng.random() < fixes
        if was and not is_now:
            broken.append(n)
        if is_now and not was:
            fixed.append(n)
        for records, right in ((old, was), (new, is_now)):
            records.append(_answered(record, kind, words, n, right, rng))
    options = _options(kind, rng)
    return Case(
        old=Run(tuple(old), "v1"),
        new=Run(tuple(new), "v2"),
        options=options,
        policy=_policy(kind, options, rng, counted=counted, ids=[r.id for r in old]),
        broken=frozenset(broken),
        fixed=frozenset(fixed),
    )


def _answered(
    record: Record, kind: str, words: list[Any], n: int, right: bool, rng: random.Random
) -> Record:
    reference: Any = words[n % len(words)]
    others = [word for word in words if word != reference]
    answer = reference if right else rng.choice(others)
    if kind == "flags":
        return replace(record, prediction=answer, reference=reference, scores={"acc": right})
    if kind == "grades":
        score = rng.choice([0.8, 0.9, 1.0]) if right else rng.choice([0.0, 0.1, 0.45])
        return replace(record, prediction=answer, reference=reference, scores={"judge": score})
    if kind == "lists":
        return replace(record, prediction=answer, reference=[reference, f"{reference}!"])
    return replace(record, prediction=answer, reference=reference)


def _options(kind: str, rng: random.Random) -> dict[str, Any]:
    options: dict[str, Any] = {
        "missing": rng.choice(["drop", "drop", "error"]),
        "conflict": rng.choice(["error", "own", "last", "first", "drop"]),
        "unanswered": rng.choice(["error", "wrong", "drop"]),
    }
    if kind == "texts":
        options["metric"] = rng.choice(["rouge1", "token_f1", "chrf", "rougeL"])
        if rng.random() < 0.5:
            options["threshold"] = 50 if options["metric"] == "chrf" else 0.5
    if kind == "grades":
        options["score_range"] = (0, 1)
        if rng.random() < 0.5:
            options["threshold"] = 0.5
    return options


def _policy(
    kind: str, options: dict[str, Any], rng: random.Random, *, counted: bool, ids: list[str]
) -> dict[str, Any]:
    is_judged = kind not in ("grades", "texts") or "threshold" in options
    policy: dict[str, Any] = {
        "max_nfr": rng.choice(["0.02", "0.1", "0.3", "0.5"]),
        "min_coverage": rng.choice(["0.01", "0.5", "0.99"]),
        "confidence": rng.choice([0.6, 0.8, 0.95]),
    }
    more: dict[str, Any] = {}
    if is_judged:
        more |= {
            "max_accuracy_loss": rng.choice(["0.05", "0.3"]),
            "max_conditional_nfr": rng.choice(["0.1", "0.5"]),
            "protected": ("hard",),
            "slices": {"сложно": "0.4"},
        }
        more |= {
            "max_flip_rate": rng.choice(["0.5", "0.7"]),
            "max_accuracy_change": rng.choice(["0.05", "0.3"]),
        }
        if "threshold" not in options and kind != "flags":
            more["max_nfr_mc"] = "0.6"
            more["max_churn"] = rng.choice(["0.7", "0.9"])
    if not counted:
        more["pinned"] = frozenset(rng.sample(ids, 2))
        more["waivers"] = [
            {"id": name, "owner": "Ada", "reason": "known", "expires": rng.choice(DAYS)}
            for name in rng.sample([*dict.fromkeys(ids), "q-none"], 2)
        ]
        if rng.random() < 0.2:
            # Ten times as much work as any other limit.
            more["weights"] = {"hard": 5}
        if "score_range" in options:
            # A mean over the items that got worse falls when more of them get slightly worse.
            more["max_mean_loss"] = rng.choice(["0.05", "0.3"])
    for name in rng.sample(sorted(more), k=min(len(more), rng.choice([0, 0, 1, 2]))):
        policy[name] = more[name]
    if "waivers" in policy:
        # A waiver of another item than a pinned one does nothing.
        waived = {waiver["id"] for waiver in policy["waivers"]} - {"q-none"}
        policy["pinned"] = more["pinned"] | waived
    if "weights" in policy:
        policy["max_weighted_nfr"] = "0.4"
    return policy


def drop(case: Case, new: list[Record], rows: list[int], rng: random.Random) -> list[Record]:
    """Leave rows out."""
    gone = set(rows)
    return [record for n, record in enumerate(new) if n not in gone]


def _changed(
    new: list[Record], rows: list[int], change: Callable[[Record], Record]
) -> list[Record]:
    chosen = set(rows)
    return [change(record) if n in chosen else record for n, record in enumerate(new)]


def empty(case: Case, new: list[Record], rows: list[int], rng: random.Random) -> list[Record]:
    """Leave no answer, and no score."""
    return _changed(new, rows, lambda record: replace(record, prediction=None, scores={}))


def unscore(case: Case, new: list[Record], rows: list[int], rng: random.Random) -> list[Record]:
    """Leave no score."""
    return _changed(new, rows, lambda record: replace(record, scores={}))


def garble(case: Case, new: list[Record], rows: list[int], rng: random.Random) -> list[Record]:
    """Write another text, with the score of a wrong answer."""
    return _changed(new, rows, lambda record: _spoilt(record, rng.choice(GARBAGE)))


def cut(case: Case, new: list[Record], rows: list[int], rng: random.Random) -> list[Record]:
    """Cut the end of an answer, which stays what it was if it is no text."""

    def change(record: Record) -> Record:
        text = record.prediction
        if not isinstance(text, str) or not text:
            return record
        return _spoilt(record, text[: rng.randrange(len(text))])

    return _changed(new, rows, change)


def _spoilt(record: Record, text: str) -> Record:
    accepted = record.reference if isinstance(record.reference, list) else [record.reference]
    # A text of another type than the references would be refused.
    if text in accepted or not isinstance(accepted[0], str):
        return record
    return replace(record, prediction=text, scores=dict.fromkeys(record.scores, 0.0))


def double(case: Case, new: list[Record], rows: list[int], rng: random.Random) -> list[Record]:
    """Write rows twice, the second time with a wrong answer."""
    return [*new, *(_spoilt(new[n], "another answer") for n in rows[:3])]


def rename(case: Case, new: list[Record], rows: list[int], rng: random.Random) -> list[Record]:
    """Give rows ids that old does not have."""
    return _changed(new, rows, lambda record: replace(record, id=f"{record.id} "))


def relabel(case: Case, new: list[Record], rows: list[int], rng: random.Random) -> list[Record]:
    """Move rows to other slices and groups."""
    label, group = rng.choice(["easy", None, "x"]), rng.choice([None, "g0", "z"])
    return _changed(new, rows, lambda record: replace(record, slice=label, group=group))


def rerefer(case: Case, new: list[Record], rows: list[int], rng: random.Random) -> list[Record]:
    """Make answers right by other references."""
    how = rng.choice(["own", "none", "other"])

    def change(record: Record) -> Record:
        values = {"own": record.prediction, "none": None, "other": case.old.records[0].reference}
        return replace(record, reference=values[how])

    return _changed(new, rows, change)


def renumber(case: Case, new: list[Record], rows: list[int], rng: random.Random) -> list[Record]:
    """Give rows another number of generation."""
    return _changed(new, rows, lambda record: replace(record, repeat=f"{record.repeat}7"))


DAMAGES: dict[str, Damage] = {
    damage.__name__: damage
    for damage in (
        drop, empty, unscore, garble, cut, double, rename, relabel, rerefer, renumber,
    )
}  # fmt: skip


def _damages_of(case: Case) -> list[str]:
    """Names of damages; a run with fixed items can only lose items for what is to be equivalent."""
    return ["drop", "rename", "renumber"] if case.is_mutual else sorted(DAMAGES)


def damage_run(case: Case, rng: random.Random) -> tuple[Run, list[str]]:
    """Damage the new run in one to three ways."""
    names = rng.choices(_damages_of(case), k=rng.choice([1, 1, 2, 3]))
    new = list(case.new.records)
    for name in names:
        if not new:
            break
        hit = [n for n in case.broken if n < len(new)] if rng.random() < 0.5 else range(len(new))
        if name in ("cut", "garble") and "metric" in case.options:
            # A wrong text may come nearer to its reference when it is cut or replaced.
            hit = [n for n in hit if new[n].prediction == new[n].reference]
        rows = rng.sample(sorted(hit), k=rng.randint(0, len(hit)))
        new = DAMAGES[name](case, new, rows, rng)
    rng.shuffle(new)
    return replace(case.new, records=tuple(new)), names


def in_memory(old: Run, new: Run, options: dict[str, Any]) -> Facts:
    """Compare two runs in memory."""
    return compare_runs(old, new, **options)


def compare_read(old: Path, new: Path, *, old_options: Any, new_options: Any, **more: Any) -> Facts:
    """Compare two files in memory, as an engine does."""
    return compare_runs(read_run(old, **old_options), read_run(new, **new_options), **more)


class OnFiles:
    """Compare two runs as files; the old one is written once."""

    def __init__(self, folder: Path, compare: Callable[..., Facts]) -> None:
        self.folder, self.compare = folder, compare
        self.known: Run | None = None

    def __call__(self, old: Run, new: Run, options: dict[str, Any]) -> Facts:
        paths = [self.folder / "old.jsonl", self.folder / "new.jsonl"]
        if old is not self.known:
            paths[0].write_text(as_lines(old), "utf-8")
            self.known = old
        # DuckDB reads flat rows by itself; the in-memory reader reads the others for an engine.
        lines = as_lines(new)
        form = ("flat", "nested", "packed")[len(lines) % 3]
        if form == "nested":
            lines = lines.replace('{"id"', '{"meta": {"k": [1]}, "id"')
        content = lines.encode()
        paths[1].write_bytes(gzip.compress(content) if form == "packed" else content)
        fields = _fields(old)
        return self.compare(*paths, old_options=fields, new_options=fields, **options)


def as_lines(run: Run) -> str:
    """Rows of a run as JSON Lines."""
    return "".join(
        json.dumps(
            {
                "id": r.id, "prediction": r.prediction, "reference": r.reference,
                "slice": r.slice, "group": r.group, "repeat": r.repeat,
                "score": next(iter(r.scores.values()), None),
            }
        ) + "\n"
        for r in run
    )  # fmt: skip


def _fields(run: Run) -> dict[str, Any]:
    first = run.records[0]
    fields = {"slice_field": "slice"}
    fields |= {"group_field": "group"} if first.group is not None else {}
    fields |= {"repeat_field": "repeat"} if first.repeat is not None else {}
    return fields | ({"score_field": "score"} if first.scores else {})


def describe(case: Case, new: Run, names: list[str], before: str, after: str) -> str:
    """A counterexample in full."""
    return (
        f"{before} -> {after} by {names}\noptions {case.options}\npolicy {case.policy}\n"
        f"old:\n{as_lines(case.old)}\nnew:\n{as_lines(case.new)}\ndamaged:\n{as_lines(new)}"
    )


# As a fuzzer


def draw(rng: random.Random, engine: str = "memory") -> Iterator[cases.Case]:
    """Yield damages of one pair of runs."""
    is_counted = engine != "memory"
    for _ in range(TRIES):
        case = draw_case(rng, counted=is_counted)
        if case.judged(in_memory) not in ("INVALID", "USAGE"):
            break
    pair = {
        "engine": engine,
        "options": case.options,
        "policy": {
            name: sorted(value) if isinstance(value, frozenset) else value
            for name, value in case.policy.items()
        },
        "old": _rows(case.old),
        "new": _rows(case.new),
    }
    for _ in range(DAMAGES_OF_A_PAIR):
        damaged, names = damage_run(case, rng)
        yield {"pair": pair, "damages": names, "damaged": _rows(damaged)}


draw_for_duckdb = partial(draw, engine="duckdb")


def draw_for_ray(rng: random.Random) -> Iterator[cases.Case]:
    """Yield damages for Ray, whose cluster and workers start before a case is timed."""
    _start_cluster()
    yield from draw(rng, engine="ray")


@cache
def _start_cluster() -> None:
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    with TemporaryDirectory() as folder:
        draw_case(random.Random(1), counted=True).judged(_engine("ray", Path(folder)))


def check(document: cases.Case, folder: Path) -> str:
    """Judge the new run and the damaged one; return both outcomes."""
    engine = document["pair"]["engine"]
    case, before = _undamaged(document["pair"], folder)
    damaged = _run(document["damaged"], "v2")
    after = case.judged(_engine(engine, folder), damaged)
    if rank(after) > rank(before):
        raise Fault(f"{before} becomes {after}", f"by {document['damages']}")
    if engine != "memory":
        expected = case.judged(_engine("files", folder), damaged)
        if after != expected:
            raise Fault(f"{engine} says {after}, memory {expected}")
    return f"{before} -> {after}"


# The last pair of runs, its case and its outcome: damages of one pair share them.
_LAST: list[tuple[Any, Case, str]] = []


def _undamaged(pair: dict[str, Any], folder: Path) -> tuple[Case, str]:
    if not _LAST or _LAST[0][0] is not pair:
        runs = {"old": _run(pair["old"], "v1"), "new": _run(pair["new"], "v2")}
        case = Case(**runs, options=pair["options"], policy=pair["policy"])
        _LAST[:] = [(pair, case, case.judged(_engine(pair["engine"], folder)))]
    return _LAST[0][1:]


def _rows(run: Run) -> list[dict[str, Any]]:
    """Rows of a run for a document, without attributes that are missing."""
    return [
        {name: value for name in NAMES if (value := getattr(record, name)) not in (None, {})}
        for record in run
    ]


NAMES = [one.name for one in fields(Record)]


def _run(rows: list[dict[str, Any]], name: str) -> Run:
    return Run(tuple(Record(**row) for row in rows), name)


@cache
def _engine(name: str, folder: Path) -> Engine:
    """The comparison of an engine."""
    if name == "memory":
        return in_memory
    if name == "files":
        return OnFiles(folder, compare_read)
    if name == "duckdb":
        from muscle_metrics.scale import compare_files

        return OnFiles(folder, partial(compare_files, threads=1))
    from muscle_metrics.distributed import compare_shards

    return OnFiles(folder, partial(compare_shards, buckets=1))
