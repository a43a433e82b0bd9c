"""`muscle-metrics adapter train`: train the compatibility adapter that a recipe describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muscle_metrics.cli.screen import print_lines, warn

if TYPE_CHECKING:
    import argparse

__all__ = ["add_command"]

EXAMPLES = """\
examples:
  # train what a recipe describes; the adapter is saved in its output folder
  muscle-metrics adapter train recipe.toml
  # go on after an interruption
  muscle-metrics adapter train recipe.toml --resume
  # what stands in a recipe
  muscle-metrics adapter train --help

exit codes: 0 done, 2 usage, 4 data that cannot be used, 5 internal error
"""
RECIPE = """\
example recipe:
  output = "run"
  [old]
  model = "v1"
  adapter = "v1-task"
  [new]
  model = "v2"
  adapter = "v2-task"
  [data]
  train = "train.jsonl"
  validation = "validation.jsonl"
  replay = "prompts.jsonl"
  [config]
  epochs = 10

The adapter is saved in run/adapter. Needs the extra 'train'.

exit codes: 0 done, 2 usage, 4 data that cannot be used, 5 internal error
"""


def add_command(commands: Any) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "adapter",
        help="train an adapter that breaks less of what the old model did right",
        description="Train a compatibility adapter for the new model.",
        epilog=EXAMPLES,
    )
    actions = parser.add_subparsers(title="actions", required=True)
    train = actions.add_parser(
        "train",
        help="train the adapter that a recipe describes",
        description="Train a compatibility adapter for the new model.",
        epilog=RECIPE,
    )
    train.set_defaults(command=_train)
    train.add_argument("recipe", help="a TOML file")
    train.add_argument(
        "--resume", action="store_true", help="go on from the last complete checkpoint"
    )


def _train(options: argparse.Namespace) -> int:
    # Only this command imports Torch and the packages that need it.
    from muscle_metrics.errors import require

    for package in ("torch", "safetensors", "transformers", "accelerate", "peft"):
        require(package, "train")
    from muscle_metrics.adapter.training.recipe import read_recipe
    from muscle_metrics.adapter.training.train import train_compatibility_adapter

    recipe = read_recipe(options.recipe)
    result = train_compatibility_adapter(
        old=recipe.old,
        new=recipe.new,
        train=recipe.train,
        validation=recipe.validation,
        replay=recipe.replay,
        config=recipe.config,
        output=recipe.output,
        resume=options.resume,
        say=warn,
        arguments=recipe.arguments,
    )
    folder = recipe.output / "adapter"
    result.save_pretrained(folder)
    if require("accelerate", "train").PartialState().is_main_process:
        print_lines([f"before: {result.standings[0]}", f"after: {result.best}", f"saved: {folder}"])
    return 0
