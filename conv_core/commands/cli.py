"""The command line: `python -m conv_core question`, `run`, `regress` ..., which make calls.

Each command is a file beside this one.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from conv_core.commands import endings
from conv_core.commands.options import Parser, check_variables, core_options, count, run_options


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = parser().parse_args(words)

    def command() -> int:
        check_variables()
        # Only what the command needs is imported: the rest takes longer than a short run.
        module, _, function = options.command.partition(":")
        found = importlib.import_module(f"conv_core.{module}")
        return int(getattr(found, function)(options))

    return endings.run(command)


def parser() -> argparse.ArgumentParser:
    """All commands, and their options."""
    top = Parser("python -m conv_core", description="Layers through the RTL.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser(
        "question", parents=[run_options()], help="the layer of the question, on random data"
    )
    command.set_defaults(command="commands.question:question")
    command = commands.add_parser("run", parents=[run_options()], help="layer files")
    command.add_argument(
        "layers", nargs="*", metavar="LAYER", help=".npz files, or folders of them"
    )
    command.add_argument("--out", default="out", help="folder for the results (default: out)")
    command.set_defaults(command="commands.run:run")
    command = commands.add_parser(
        "network", parents=[core_options()], help="a whole quantised network"
    )
    command.add_argument("model", nargs="?", metavar="MODEL", help="a .tflite or .onnx file")
    command.add_argument(
        "--input", default="random", metavar="FILE", help="an .npy file, or random"
    )
    command.add_argument("--frames", type=count, default=1, help="how many, if they are random")
    command.add_argument("--jobs", type=count, default=1, help="simulations that share the frames")
    command.add_argument("--stall", default="none", metavar="PROFILE", help="as for `run`")
    command.add_argument("--waves", action="store_true", help="record the run for `waves`")
    command.add_argument(
        "--compass", action="store_true", help="which rounding each runtime follows, by operator"
    )
    command.add_argument("--out", default="out", help="folder for the results (default: out)")
    command.set_defaults(command="commands.network:network")
    command = commands.add_parser(
        "regress", parents=[core_options()], help="random layers in random traffic"
    )
    command.add_argument("--layers", type=count, default=1000, help="of each seed")
    command.add_argument("--seeds", type=count, default=1, help="how many, from --seed on")
    command.add_argument("--jobs", type=count, default=1, help="seeds side by side")
    command.add_argument("--junit", metavar="FILE", help="write the outcome in JUnit's form")
    command.set_defaults(command="commands.regress:regress")
    command = commands.add_parser("replay", help="what `regress` found, once more")
    command.add_argument("failure", nargs="?", metavar="FOLDER", help="as `regress` names it")
    command.add_argument("--waves", action="store_true", help="record the run for `waves`")
    command.set_defaults(command="commands.replay:replay")
    command = commands.add_parser("plan", help="what cores would do with a network")
    command.add_argument(
        "model", nargs="?", metavar="MODEL", help="a .tflite file, resnet50 or mobilenet"
    )
    command.add_argument("--device", metavar="NAME", help="an FPGA, such as ecp5-85 or xc7a100t")
    command.set_defaults(command="commands.plan:plan")
    command = commands.add_parser("report", help="a page on all that was run")
    command.add_argument("--out", metavar="FILE", help="default: report.html in build/")
    command.set_defaults(command="pages.report:report")
    command = commands.add_parser(
        "explain", parents=[core_options()], help="a page that shows a layer at work"
    )
    command.add_argument("layer", nargs="?", metavar="LAYER", help="an .npz file")
    command.add_argument("--out", metavar="FILE", help="default: explain.html in build/")
    command.set_defaults(command="pages.explain:explain")
    command = commands.add_parser("new", help="begin a core of your own")
    command.add_argument("folder", metavar="FOLDER", help="its last name is the module's")
    command.set_defaults(command="commands.new:new")
    command = commands.add_parser("waves", help="GTKWave or Surfer on the last run")
    command.set_defaults(command="commands.replay:show_waves", repeat=main)
    return top
