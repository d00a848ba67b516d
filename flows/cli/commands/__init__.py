"""The commands of `jepa`, a file each: its `Options` (flags, variables and file keys at once) and what it does."""

import importlib
from typing import Any

SUMMARIES = {
    "demo": "the whole job on the built-in Two-Room world, in minutes",
    "run": "the whole job on any world: collect, pretrain, evaluate, report",
    "collect": "collect a dataset from a world",
    "pretrain": "train a world model on a dataset",
    "evaluate": "judge a model on held-out episodes",
    "report": "render the page of a run",
    "verify": "re-read every byte of a store, a dataset or a model, and restore what is damaged",
    "import-hdf5": "make a dataset of a published HDF5 file",
    "import-lewm": "make a model of released LeWorldModel weights, and back",
    "status": "show what runs in a store, what is done and what failed",
    "logs": "show what the units of a job said, and the traceback of every failed attempt",
    "ls": "list the datasets, models and runs of a store, and what each was made from",
    "rm": "remove a dataset, a model or a run that nothing depends on",
    "gc": "delete what was left by jobs that were killed, and what has been replaced",
    "worlds": "list the worlds there are",
    "version": "print the versions of this code and of what it stands on",
}


def load_command(name: str) -> Any:
    """Returns the module of a command, which brings in what that command needs and no more."""
    return importlib.import_module(f"flows.cli.commands.{name.replace('-', '_')}")
