"""The commands of `jepa`, a file each: its `Options` (flags, variables and file keys at once) and what it does."""

import importlib
from typing import Any

JOBS = {
    "demo": "the whole job on the built-in Two-Room world, in minutes",
    "run": "the whole job on any world: collect, pretrain, evaluate, report",
    "collect": "collect a dataset from a world",
    "pretrain": "train a world model on a dataset",
    "fit-heads": "fit networks for planners on the frozen latents of a model",
    "evaluate": "judge a model on held-out episodes",
    "study": "test a paper's claims on a grid of small jobs",
    "report": "render the page of a run, of a comparison, or the leaderboard of a store",
    "import-hdf5": "make a dataset of a published HDF5 file",
    "import-lewm": "make a model of released LeWorldModel weights, and back",
}
STORE = {
    "ls": "list the datasets, models, heads and runs of a store, and what each was made from",
    "compare": "hold models against each other on the same problems and episodes",
    "status": "show what runs in a store, what is done and what failed",
    "logs": "show what the units of a job said, and the traceback of every failed attempt",
    "verify": "re-read every byte of a store, a dataset or a model, and restore what is damaged",
    "rm": "remove a dataset, a model, a head or a run that nothing depends on",
    "reports": "take the rows of all report tables into few files, and say how other programs read them",
    "gc": "delete what was left by jobs that were killed, and what has been replaced; end what still runs of them",
}
PREFECT = {
    "notify": "report runs on Prefect that failed, are silent or do not begin",
}
ABOUT = {
    "doctor": "check settings, store, servers, GPU, renderers and machine, and say what to do",
    "worlds": "list the worlds there are",
    "completion": "print the script by which bash, zsh or fish completes jepa",
    "version": "print the versions of this code and of what it stands on",
}
GROUPS = {"jobs": JOBS, "the store": STORE, "prefect": PREFECT, "about": ABOUT}
"""Commands by what they are for, as the overview shows them."""
SUMMARIES = {**JOBS, **STORE, **PREFECT, **ABOUT}


def load_command(name: str) -> Any:
    """Returns the module of a command, which brings in what that command needs and no more."""
    room = "jobs." if name in JOBS else "store." if name in STORE else ""
    return importlib.import_module(f"flows.cli.commands.{room}{name.replace('-', '_')}")
