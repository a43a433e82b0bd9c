"""Recipes in TOML, and the command that trains what they say."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.cli.test_signals import send, start, wait_for

for package in ("torch", "peft", "transformers"):
    pytest.importorskip(package)

from muscle_metrics.adapter.checkpoints import MANIFEST, hash_files  # noqa: E402
from muscle_metrics.adapter.training.recipe import read_recipe  # noqa: E402
from muscle_metrics.cli import main  # noqa: E402
from muscle_metrics.errors import UsageError  # noqa: E402

RECIPE = """
output = "run"
[old]
model = "v1"
[new]
model = "v2"
[data]
train = "train.jsonl"
validation = "train.jsonl"
replay = "prompts.jsonl"
[config]
epochs = 1
batch_size = 4
lora_rank = 2
max_new_tokens = 4
learning_rate = 1
stop = ["?"]
"""


@pytest.fixture
def folder(tmp_path, make_model, tokenizer):
    for name, seed in (("v1", 1), ("v2", 2)):
        make_model(seed).save_pretrained(tmp_path / name)
        tokenizer.save_pretrained(tmp_path / name)
    rows = [
        {"prompt": f"w{one} ?", "choices": ["yes", "no"], "answer": one % 2} for one in range(8)
    ]
    for name in ("train", "prompts"):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(text, encoding="utf-8")
    (tmp_path / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    return tmp_path


def test_the_command_trains_saves_and_resumes(folder, capsys):
    assert main(["adapter", "train", str(folder / "recipe.toml")]) == 0
    printed = capsys.readouterr()
    before, after, saved = printed.out.splitlines()
    assert before.startswith("before: epoch 0: accuracy ")
    assert after.startswith("after: epoch ")
    assert saved == f"saved: {folder / 'run' / 'adapter'}"
    assert "on 8 validation items the old model scores" in printed.err
    assert (folder / "run" / "adapter" / "adapter_model.safetensors").is_file()
    assert main(["adapter", "train", str(folder / "recipe.toml"), "--resume"]) == 0
    assert capsys.readouterr().out.splitlines() == [before, after, saved]


def begun(folder):
    """What a run has written that it must take back at a signal."""
    return [*folder.rglob(".muscle-metrics.*"), *(folder / "tmp").iterdir()]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_in_training(folder, number):
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE.replace("epochs = 1", "epochs = 5"), encoding="utf-8")
    process = start(["adapter", "train", "recipe.toml"], folder)
    wait_for(lambda: list(folder.glob(f"run/checkpoint-*/{MANIFEST}")), process)
    code, out, _ = send(process, number)
    assert (code, out) == (128 + number, "")
    assert not begun(folder)
    assert not (folder / "run" / "adapter").exists()
    for manifest in folder.glob(f"run/checkpoint-*/{MANIFEST}"):
        listed = json.loads(manifest.read_text(encoding="utf-8"))["files"]
        assert listed == hash_files(manifest.parent, besides=MANIFEST)
    if number == signal.SIGHUP:
        # It goes on to the adapter of a training that nobody interrupted.
        assert main(["adapter", "train", str(recipe), "--resume"]) == 0
        recipe.write_text(recipe.read_text("utf-8").replace('"run"', '"whole"'), "utf-8")
        assert main(["adapter", "train", str(recipe)]) == 0
        names = [folder / name / "adapter/adapter_model.safetensors" for name in ("run", "whole")]
        assert names[0].read_bytes() == names[1].read_bytes()


# The disk takes long to write an adapter.
SLOW_DISK = """
import os, pathlib, time
def fsync(descriptor):
    if "/adapter/" in os.readlink(f"/proc/self/fd/{descriptor}"):
        pathlib.Path("started").touch()
        time.sleep(60)
os.fsync = fsync
"""


@pytest.mark.slow
def test_a_signal_while_an_adapter_is_saved(folder, monkeypatch):
    (folder / "sitecustomize.py").write_text(SLOW_DISK, encoding="utf-8")
    places = [str(folder), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(places))
    adapter = folder / "run" / "adapter"
    adapter.mkdir(parents=True)
    old = {"adapter_config.json": b"{}", "adapter_model.safetensors": b"old", "notes.md": b"mine"}
    for name, content in old.items():
        (adapter / name).write_bytes(content)
    process = start(["adapter", "train", "recipe.toml"], folder)
    wait_for((folder / "started").exists, process)
    assert begun(folder)
    code, out, _ = send(process, signal.SIGTERM)
    assert (code, out) == (143, "")
    assert not begun(folder)
    assert {path.name: path.read_bytes() for path in adapter.iterdir()} == old


def test_data_that_cannot_be_used_give_4(folder, capsys):
    (folder / "train.jsonl").write_text('{"prompt": "w1"}\n', encoding="utf-8")
    assert main(["adapter", "train", str(folder / "recipe.toml")]) == 4
    assert "train.jsonl:1: expected 'completion' to be a text" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("epochs", "epoch"), "got 'config.epoch': did you mean config.epochs?"),
        (("epochs = 1", "epochs = true"), "expected config.epochs to be a whole number, got True"),
        (("epochs = 1", 'epochs = "1"'), "expected config.epochs to be a whole number, got '1'"),
        (('stop = ["?"]', 'stop = "?"'), "expected config.stop to be a list of texts"),
        (('train = "train.jsonl"', ""), "expected data.train"),
        (('model = "v1"', ""), "expected old.model to be a text, got None"),
        (("output", "result"), "got 'result'"),
        (('output = "run"', "output = 1"), "expected output to be a text, got 1"),
        (("[old]", "old = 1\n[older]"), "got 'older': did you mean old?"),
        (("[old]", "[[old]]"), "expected old to be a table"),
        (("[old]", "[old"), "expected a recipe in TOML"),
    ],
)
def test_a_recipe_that_cannot_be_meant_is_refused(change, message, tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE.replace(*change), encoding="utf-8")
    with pytest.raises(UsageError) as information:
        read_recipe(path)
    assert message in str(information.value)


def test_no_recipe_is_refused(tmp_path):
    with pytest.raises(UsageError, match="expected a recipe in TOML"):
        read_recipe(tmp_path / "none.toml")
