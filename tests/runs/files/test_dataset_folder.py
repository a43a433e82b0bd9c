"""Hugging Face datasets on disk: the same rows as from any plain file, and damaged ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import Policy, check_gate, compare_runs
from muscle_metrics.cli import main
from muscle_metrics.errors import FileError, UsageError
from muscle_metrics.runs.files import bytestream
from muscle_metrics.runs.joining.references import read_references
from muscle_metrics.runs.read import read_run
from muscle_metrics.runs.record import Record

if TYPE_CHECKING:
    from pathlib import Path

pyarrow = pytest.importorskip("pyarrow")
ipc = pytest.importorskip("pyarrow.ipc")

ROWS: list[dict[str, Any]] = [
    {"id": 1, "prediction": "A", "reference": "A", "meta": {"topic": "x"}, "tokens": [1, 2]},
    {"id": 2, "prediction": "B", "reference": "C", "meta": {"topic": "y"}, "tokens": []},
    {"id": 3, "prediction": None, "reference": "C", "meta": {"topic": None}, "tokens": None},
]


def save(folder: Path, *shards: list[dict[str, Any]], **options: Any) -> Path:
    """Write what save_to_disk writes; the tests of real tools do it with the real library."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"data-{n:05}-of-{len(shards):05}.arrow" for n in range(len(shards))]
    for name, rows in zip(names, shards, strict=True):
        table = pyarrow.Table.from_pylist(rows)
        with (
            (folder / name).open("wb") as file,
            ipc.new_stream(file, table.schema, **options) as stream,
        ):
            stream.write_table(table, max_chunksize=2)
    state = {"_data_files": [{"filename": name} for name in names], "_split": None}
    (folder / "state.json").write_text(json.dumps(state), encoding="utf-8")
    return folder


def test_rows_are_those_of_a_plain_file(tmp_path: Path) -> None:
    run = read_run(save(tmp_path / "old", ROWS), slice_field="meta.topic")
    assert run.records == (
        Record("1", "A", "A", slice="x"),
        Record("2", "B", "C", slice="y"),
        Record("3", None, "C"),
    )
    assert (run.name, dict(run.fingerprint)) == ("old", {"format": "datasets"})
    assert read_run(tmp_path / "old", format="datasets", slice_field="meta.topic") == run


def test_shards_are_one_dataset(tmp_path: Path) -> None:
    whole = read_run(save(tmp_path / "whole", ROWS))
    shards = read_run(save(tmp_path / "shards", ROWS[:1], ROWS[1:]))
    assert shards.records == whole.records


def test_compressed_streams(tmp_path: Path) -> None:
    options = ipc.IpcWriteOptions(compression="zstd")
    plain = read_run(save(tmp_path / "plain", ROWS))
    assert read_run(save(tmp_path / "packed", ROWS, options=options)).records == plain.records


def test_two_datasets_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = save(tmp_path / "old", ROWS[:2])
    new = save(tmp_path / "new", [{**ROWS[1], "prediction": "C"}, {**ROWS[0], "prediction": "C"}])
    assert main(["compare", str(old), str(new)]) == 0
    assert "1 item broke, 1 got fixed" in capsys.readouterr().out


def test_references_of_a_dataset(tmp_path: Path) -> None:
    assert read_references(save(tmp_path, ROWS)) == {"1": "A", "2": "C", "3": "C"}


class TestSplits:
    def test_the_only_one_is_meant(self, tmp_path: Path) -> None:
        save(tmp_path / "test", ROWS)
        (tmp_path / "dataset_dict.json").write_text('{"splits": ["test"]}', encoding="utf-8")
        assert len(read_run(tmp_path)) == 3

    @pytest.mark.parametrize(
        ("splits", "given"),
        [
            (["test", "train"], "'test', 'train'"),
            ([], "none"),
            ("test", "none"),
            (["../test"], "'../test'"),
            ([7], "none"),
        ],
    )
    def test_others_are_asked_about(self, tmp_path: Path, splits: object, given: str) -> None:
        for name in ("test", "train"):
            save(tmp_path / "all" / name, ROWS)
        save(tmp_path / "test", ROWS)
        path = tmp_path / "all" / "dataset_dict.json"
        path.write_text(json.dumps({"splits": splits}), encoding="utf-8")
        with pytest.raises(FileError, match=f"all: expected one split, got {given}: name the fold"):
            read_run(tmp_path / "all")


class TestRefused:
    def test_a_missing_field_lists_the_columns(self, tmp_path: Path) -> None:
        message = (
            r"row 1: expected the field 'answer', got 'id', 'prediction', .*--prediction-field"
        )
        with pytest.raises(FileError, match=message):
            read_run(save(tmp_path, ROWS), prediction_field="answer")
        with pytest.raises(FileError, match="fields 'x', 'y' and 'z', got 'id', 'prediction'"):
            read_run(tmp_path, id_field="x", prediction_field="y", reference_field="z")

    @pytest.mark.parametrize("name", ["../old/a.arrow", "/etc/passwd", "..", "", "a\\b", None, 7])
    def test_names_that_lead_out_of_the_folder(self, tmp_path: Path, name: object) -> None:
        state = {"_data_files": [{"filename": name}]}
        (tmp_path / "state.json").write_text(json.dumps(state), encoding="utf-8")
        with pytest.raises(FileError, match=r"state\.json: expected names of files in the folder"):
            read_run(tmp_path)

    @pytest.mark.parametrize("files", [None, [], "x", {}])
    def test_no_data_files(self, tmp_path: Path, files: object) -> None:
        (tmp_path / "state.json").write_text(json.dumps({"_data_files": files}), "utf-8")
        with pytest.raises(FileError, match=r"state\.json: expected the names of data files, got"):
            read_run(tmp_path)

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        save(tmp_path, ROWS, ROWS)
        (tmp_path / "data-00001-of-00002.arrow").unlink()
        message = r"state\.json: expected the data files that it lists, got none named 'data-00001"
        with pytest.raises(FileError, match=message):
            read_run(tmp_path)

    @pytest.mark.parametrize("name", ["ы" * 70_000, "\x00", "\x1b" * 300])
    def test_a_name_that_no_file_can_have(self, tmp_path: Path, name: str) -> None:
        state = {"_data_files": [{"filename": name}]}
        (tmp_path / "state.json").write_text(json.dumps(state), encoding="utf-8")
        with pytest.raises(FileError, match="got none named '") as refused:
            read_run(tmp_path)
        assert len(str(refused.value)) < len(str(tmp_path)) + 400

    def test_a_column_twice(self, tmp_path: Path) -> None:
        table = pyarrow.Table.from_arrays([pyarrow.array([1])] * 2, names=["id", "id"])
        save(tmp_path, ROWS)
        path = next(tmp_path.glob("*.arrow"))
        with path.open("wb") as file, ipc.new_stream(file, table.schema) as stream:
            stream.write_table(table)
        with pytest.raises(FileError, match="expected each column name once, got 'id' 2 times"):
            read_run(tmp_path)

    def test_options_of_a_harness(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="--task"):
            read_run(save(tmp_path, ROWS), task="sums")

    def test_cut_at_every_byte(self, tmp_path: Path) -> None:
        path = next(save(tmp_path, ROWS[:2]).glob("*.arrow"))
        content = path.read_bytes()
        whole = read_run(tmp_path).records
        # A stream may end after any of its batches; only eight bytes follow them.
        cuts = {*range(0, len(content), 7), *range(len(content) - 16, len(content))}
        messages = []
        for end in sorted(cuts):
            path.write_bytes(content[:end])
            try:
                records = read_run(tmp_path).records
            except FileError as error:
                messages.append(str(error))
            else:
                assert records == whole
                assert end >= len(content) - 8
        assert len(messages) > 20
        assert all("\n" not in message for message in messages)

    def test_offsets_that_lie_are_noticed(self, tmp_path: Path) -> None:
        path = next(save(tmp_path, [{"id": "a", "prediction": "b"}]).glob("*.arrow"))
        content = path.read_bytes()
        offsets = (0).to_bytes(4, "little") + (1).to_bytes(4, "little")
        assert content.count(offsets) >= 2
        lie = (0).to_bytes(4, "little") + (1 << 30).to_bytes(4, "little")
        path.write_bytes(content.replace(offsets, lie))
        with pytest.raises(FileError, match="expected a whole Arrow stream, got an error in it"):
            read_run(tmp_path)

    def test_an_enormous_dataset_stops(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bytestream, "_RATIO_FREE", 1000)
        rows = [{"id": str(number), "prediction": "x" * 200_000} for number in range(20)]
        options = ipc.IpcWriteOptions(compression="zstd")
        with pytest.raises(FileError, match="expected content of at most 200 times"):
            read_run(save(tmp_path, rows, options=options))


class TestOtherSplits:
    def splits(self, folder: Path, *names: str) -> Path:
        folder.mkdir(exist_ok=True)
        (folder / "dataset_dict.json").write_text(json.dumps({"splits": names}), encoding="utf-8")
        return folder

    def test_a_split_that_is_missing_is_not_replaced_by_another(self, tmp_path: Path) -> None:
        save(tmp_path / "test", ROWS)
        with pytest.raises(FileError, match="expected one split, got 'train', 'test': name"):
            read_run(self.splits(tmp_path, "train", "test"))
        with pytest.raises(FileError, match="expected one split, got 'train': name"):
            read_run(self.splits(tmp_path, "train"))

    def test_two_splits_are_not_compared_without_a_word(self, tmp_path: Path) -> None:
        for name in ("train", "test"):
            path = save(tmp_path / name, ROWS[:2]) / "state.json"
            state = json.loads(path.read_text("utf-8")) | {"_split": name}
            path.write_text(json.dumps(state), encoding="utf-8")
        old, new, unknown = (tmp_path / name for name in ("train", "test", "unknown"))
        save(unknown, ROWS[:2])
        verdict = check_gate(compare_runs(read_run(old), read_run(new)), Policy(max_nfr="0.99"))
        assert "split differs: 'train' before, 'test' now" in " ".join(verdict.reasons)
        assert read_run(self.splits(tmp_path, "test")).fingerprint["split"] == "test"
        verdict = check_gate(compare_runs(read_run(old), read_run(unknown)), Policy(max_nfr="0.99"))
        assert "split" not in " ".join(verdict.reasons)
