"""Processes that really end or really work together: run by test_processes.py, not by pytest.

    python worker.py FOLDER JOB...

One interpreter imports the libraries, and forks each job: a run that kills itself with SIGKILL at a
chosen moment, or two processes of `TOGETHER` that train as torchrun would start them.
"""

from __future__ import annotations

import json
import os
import pickle
import runpy
import signal
import socket
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from muscle_metrics.adapter.config import CompatibilityConfig
from muscle_metrics.adapter.models import TaskModel
from muscle_metrics.adapter.training.train import train_compatibility_adapter

if TYPE_CHECKING:
    from collections.abc import Callable

torch.set_num_threads(1)
made = runpy.run_path(str(Path(__file__).with_name("conftest.py")))

CONFIG = CompatibilityConfig(
    epochs=3,
    batch_size=8,
    lora_rank=4,
    lora_alpha=8,
    lora_dropout=0.2,
    learning_rate=0.02,
    max_new_tokens=4,
    select_by="loss",
    distillation_weight=0.5,
)
SHORT = replace(CONFIG, lora_dropout=0.0, epochs=2)
ROWS = [
    {"prompt": f"w{one % 20} w{one * 7 % 20} ?", "choices": ["yes", "no"], "answer": one % 2}
    for one in range(32)
]
PROMPTS = [{"prompt": f"w{one % 20} w{one * 3 % 20} w5"} for one in range(40)]


def train(output: Path, config: CompatibilityConfig = CONFIG, **options: Any) -> Any:
    tokenizer = made["word_tokenizer"](made["WORDS"])
    models = {
        name: TaskModel(made["tiny_llama"](seed, len(tokenizer)), tokenizer=tokenizer)
        for name, seed in (("old", 1), ("new", 2))
    }
    result = train_compatibility_adapter(
        **models,
        train=ROWS,
        validation=ROWS[:16],
        replay=PROMPTS,
        config=config,
        output=output,
        **options,
    )
    result.save_pretrained(output / "adapter")
    return result


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def at_line(start: str) -> Callable[[str], None]:
    return lambda line: die() if line.startswith(start) else None


# A change of the disk just before which a run dies: an event of `sys.audit`, and the path's end.
CHANGES = {
    # The manifest is whole, under another name.
    "manifest": ("os.rename", "checkpoint-8/manifest.json"),
    # Half of an old checkpoint is gone, and the newest one is not complete.
    "rotation": ("os.remove", "checkpoint-4/scheduler.pt"),
    # The weights have their name, and the settings do not.
    "adapter": ("os.rename", "adapter/adapter_config.json"),
}


def die_at_change(event: str, end: str) -> None:
    def watch(name: str, arguments: tuple[Any, ...]) -> None:
        if name != event:
            return
        path, folder = str(arguments[name == "os.rename"]), arguments[-1]
        if not path.startswith("/") and folder >= 0:
            path = f"{os.readlink(f'/proc/self/fd/{folder}')}/{path}"
        if path.endswith(end):
            die()

    sys.addaudithook(watch)


def half_optimizer(content: Any, path: Any, **options: Any) -> None:
    """Save as torch does, but die once half of the optimizer of the second epoch is written."""
    if not str(path).endswith("checkpoint-8/optimizer.pt"):
        return torch_save(content, path, **options)
    whole = pickle.dumps(str(content))
    Path(path).write_bytes(whole[: len(whole) // 2])
    return die()


torch_save = torch.save


def kill_at(moment: str, output: Path) -> None:
    """Train, and die: once an epoch is judged, while a file is written, or before a change."""
    say = None
    if moment.startswith("epoch"):
        say = at_line(moment)
    elif moment == "optimizer":
        torch.save = half_optimizer
    else:
        die_at_change(*CHANGES[moment])
    train(output, say=say)


def forked(work: Callable[[], Any]) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return child


def ended(child: int) -> int:
    """Exit code, or minus the signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def one_of_two(rank: int, port: int, output: Path, config: CompatibilityConfig) -> None:
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    result = train(output, config)
    weights = {
        name: values for name, values in result.model.state_dict().items() if ".default." in name
    }
    from safetensors.torch import save_file

    save_file(weights, output / f"rank{rank}.safetensors")
    torch.distributed.destroy_process_group()


def together(output: Path, **changes: Any) -> list[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = replace(SHORT, batch_size=4, **changes)
    output.mkdir()
    children = [
        forked(lambda rank=rank: one_of_two(rank, port, output, config))  # type: ignore[misc]
        for rank in range(2)
    ]
    return [ended(child) for child in children]


TOGETHER: dict[str, dict[str, Any]] = {
    "together": {},
    "together, stored": {"old_logits": "top_k", "top_k": 33},
    "together, unfused": {"fused": False},
}

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    codes: dict[str, Any] = {}
    for job in sys.argv[2:]:
        if job in TOGETHER:
            codes[job] = together(folder / job, **TOGETHER[job])
        else:
            codes[job] = ended(forked(lambda: kill_at(job, folder / job)))  # noqa: B023
    (folder / "codes.json").write_text(json.dumps(codes), encoding="utf-8")
