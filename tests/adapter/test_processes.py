"""Killed runs go on as if nothing had happened; two processes train what one does."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import runpy
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
for package in ("accelerate", "peft", "transformers"):
    pytest.importorskip(package)

from safetensors.torch import load_file  # noqa: E402

from muscle_metrics.adapter.checkpoints import newest_checkpoint  # noqa: E402
from muscle_metrics.errors import InputError  # noqa: E402

WORKER = Path(__file__).with_name("worker.py")


@pytest.fixture(scope="module")
def worker() -> dict[str, Any]:
    return runpy.run_path(str(WORKER))


@pytest.fixture(scope="module")
def processes(request, tmp_path_factory) -> tuple[Path, dict[str, Any]]:
    """Folder and exit codes of the jobs that the selected tests ask for."""
    folder = tmp_path_factory.mktemp("processes")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    here = (item for item in request.session.items if item.path == request.path)
    chosen = (item.callspec.params for item in here if hasattr(item, "callspec"))
    jobs = [params["job"] for params in chosen if "job" in params]
    command = [sys.executable, str(WORKER), str(folder), *jobs]
    subprocess.run(command, check=True, env=environment)
    return folder, json.loads((folder / "codes.json").read_text(encoding="utf-8"))


def adapter_hash(output: Path) -> str:
    return hashlib.sha256(
        (output / "adapter" / "adapter_model.safetensors").read_bytes()
    ).hexdigest()


@pytest.fixture(scope="module")
def uninterrupted(worker, tmp_path_factory) -> tuple[Any, str]:
    output = tmp_path_factory.mktemp("uninterrupted")
    result = worker["train"](output)
    assert result.best.epoch > 0
    return result, adapter_hash(output)


@pytest.fixture(scope="module")
def finished(worker, tmp_path_factory) -> tuple[Any, Path]:
    """A short run by one process, and its folder."""
    output = tmp_path_factory.mktemp("finished")
    return worker["train"](output, worker["SHORT"]), output


@pytest.mark.slow
@pytest.mark.parametrize(
    "job", ["epoch 1", "epoch 2", "optimizer", "manifest", "rotation", "adapter"]
)
def test_a_killed_run_goes_on_to_the_same_adapter(job, processes, uninterrupted, worker):
    folder, codes = processes
    assert codes[job] == -9
    # No adapter is there, or none that can be loaded.
    assert not (folder / job / "adapter" / "adapter_config.json").exists()
    result = worker["train"](folder / job, resume=True)
    expected, expected_hash = uninterrupted
    assert result.standings == expected.standings
    assert adapter_hash(folder / job) == expected_hash


@pytest.mark.slow
@pytest.mark.parametrize("job", ["together", "together, stored", "together, unfused"])
def test_two_processes_train_what_one_does(job, processes, finished):
    folder, codes = processes
    assert codes[job] == [0, 0]
    ranks = [load_file(folder / job / f"rank{rank}.safetensors") for rank in range(2)]
    alone, _ = finished
    for key, values in alone.model.state_dict().items():
        if ".default." in key:
            assert torch.equal(ranks[0][key], ranks[1][key])
            torch.testing.assert_close(ranks[0][key], values, rtol=1e-3, atol=2e-5)
    start = alone.standings[0]
    assert alone.best.loss < start.loss


class Canary:
    """An object that writes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        return (open, (self.path, "w"))


class TestCheckpoints:
    @pytest.fixture
    def output(self, finished, tmp_path) -> Path:
        return shutil.copytree(finished[1], tmp_path / "output")

    def resume(self, worker, output: Path) -> Any:
        return worker["train"](output, worker["SHORT"], resume=True)

    def test_nothing_but_the_resume_state_is_a_pickle(self, output):
        pickles = {path.name for path in output.rglob("*.pt*")} | {
            path.name for path in output.rglob("*.bin")
        }
        assert pickles == {"optimizer.pt", "scheduler.pt", "rng_state.pth"}
        assert not list((output / "adapter").rglob("*.p*t*h"))

    @pytest.mark.parametrize(
        "name", ["optimizer.pt", "rng_state.pth", "pytorch_model.bin", "x.pkl"]
    )
    def test_a_foreign_pickle_is_refused_unread(self, name, output, worker, tmp_path):
        canary = tmp_path / "canary"
        checkpoint = max(output.glob("checkpoint-*"))
        (checkpoint / name).write_bytes(pickle.dumps(Canary(str(canary))))
        with pytest.raises(InputError, match="missing, changed or added"):
            self.resume(worker, output)
        assert not canary.exists()

    def test_a_forged_manifest_runs_no_code(self, output, worker, tmp_path):
        # An attacker who can write the folder can write its manifest: only weights_only protects.
        canary = tmp_path / "canary"
        checkpoint = max(output.glob("checkpoint-*"))
        path = checkpoint / "optimizer.pt"
        path.write_bytes(pickle.dumps(Canary(str(canary)), protocol=2))
        manifest = json.loads((checkpoint / "manifest.json").read_text())
        manifest["files"]["optimizer.pt"] = hashlib.sha256(path.read_bytes()).hexdigest()
        (checkpoint / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(InputError, match="a state of training that runs no code"):
            self.resume(worker, output)
        assert not canary.exists()

    def test_other_settings_are_refused(self, output, worker):
        with pytest.raises(InputError, match="checkpoint of the same settings and data"):
            worker["train"](output, replace(worker["SHORT"], seed=1), resume=True)

    def test_no_manifest_to_read_is_refused(self, output, worker):
        checkpoint = max(output.glob("checkpoint-*"))
        (checkpoint / "manifest.json").write_text("[]")
        with pytest.raises(InputError, match="expected a manifest that this package wrote"):
            self.resume(worker, output)

    def test_a_link_is_refused(self, output, worker):
        checkpoint = max(output.glob("checkpoint-*"))
        (checkpoint / "more").symlink_to(output)
        with pytest.raises(InputError, match=r"got \['more'\]"):
            self.resume(worker, output)

    @pytest.mark.slow
    @pytest.mark.parametrize("damage", ["a byte", "the end", "missing", "a link"])
    def test_no_file_may_be_another(self, damage, output, worker):
        """Every file that a run goes on from, also the best weights beside the checkpoints."""
        checkpoint = max(output.glob("checkpoint-*"))
        best = max((output / "epochs").rglob("*.safetensors"))
        for path in [*filter(Path.is_file, sorted(checkpoint.rglob("*"))), best]:
            content = path.read_bytes()
            if damage == "a byte":
                place = len(content) // 2
                path.write_bytes(
                    content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
                )
            elif damage == "the end":
                path.write_bytes(content[:-2])
            else:
                path.unlink()
            if damage == "a link":
                elsewhere = output.parent / "elsewhere"
                elsewhere.write_bytes(content)
                path.symlink_to(elsewhere)
            if damage == "missing" and path.name == "manifest.json":
                # Then the checkpoint is not complete, and the one before is taken.
                assert newest_checkpoint(output) != checkpoint
            else:
                with pytest.raises(InputError, match=r"resume|train into"):
                    self.resume(worker, output)
            path.unlink(missing_ok=True)
            path.write_bytes(content)
        assert self.resume(worker, output).best.epoch > 0

    @pytest.mark.slow
    def test_the_checkpoint_of_another_run(self, output, worker, tmp_path):
        other = tmp_path / "other"
        worker["train"](other, replace(worker["SHORT"], seed=1))
        checkpoint = max(output.glob("checkpoint-*"))
        shutil.rmtree(checkpoint)
        shutil.copytree(other / checkpoint.name, checkpoint)
        with pytest.raises(InputError, match="checkpoint of the same settings and data"):
            self.resume(worker, output)
        # The manifest alone of another run.
        shutil.rmtree(output)
        shutil.copytree(other, output)
        manifest = json.loads((checkpoint / "manifest.json").read_text())
        (checkpoint / "manifest.json").write_text(json.dumps({**manifest, "files": {}}))
        with pytest.raises(InputError, match="missing, changed or added"):
            self.resume(worker, output)

    def test_a_link_in_place_of_a_checkpoint_is_passed_over(self, output, tmp_path):
        checkpoint = max(output.glob("checkpoint-*"))
        moved = tmp_path / "moved"
        checkpoint.rename(moved)
        checkpoint.symlink_to(moved)
        assert newest_checkpoint(output) != checkpoint
