"""Help, and the refusal of a name that is not in the store, import nothing that takes seconds."""

import subprocess
import sys
from pathlib import Path

import pytest

from flows.cli.commands import SUMMARIES
from infra.storage import open_store
from tests.pipelines.reports.comparison.judged import write_latent, write_planning

HEAVY = {"boto3", "dask", "matplotlib", "pandas", "prefect", "pyarrow", "ray", "scipy", "torch"}
MOST = 700
"""Modules that a cheap answer may import, those of the standard library among them; torch brings over a thousand."""
SCRIPT = """
import sys
from flows.cli.main import main
status = main(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    print(*sys.modules, file=file)
sys.exit(status)
"""

REFUSED = {
    "evaluate": [(["--model", "nosuch"], "model 'nosuch' is not in store")],
    "pretrain": [(["--dataset", "nosuch", "--name", "m0"], "dataset 'nosuch' is not in store")],
    "report": [(["--run", "nosuch"], "run 'nosuch' has no results in store")],
    "verify": [(["nosuch"], "dataset 'nosuch' is not in store")],
    "import-hdf5": [
        (["nosuch.h5", "--name", "d0"], "file 'nosuch.h5' does not exist"),
        ([__file__, "--name", "d0", "--world", "nosuch"], "world 'nosuch' is not known"),
        ([__file__, "--name", "d0", "--codec", "nosuch"], "codec 'nosuch' is not known"),
    ],
    "import-lewm": [
        (["nosuch.pt", "--name", "m0", "--dataset", "d0"], "file 'nosuch.pt' does not exist"),
        (["new.pt", "--name", "nosuch", "--export"], "model 'nosuch' is not in store"),
        (["new.zip", "--name", "m0", "--export"], "file 'new.zip' says no format"),
        (["nosuch/new.pt", "--name", "m0", "--export"], "file 'nosuch/new.pt' cannot be written"),
    ],
    "study": [
        (["nosuch"], "study 'nosuch' is not known"),
        ([], "name a study, one of"),
    ],
    "status": [(["nosuch"], "job 'nosuch' has left no log in store")],
    "run": [
        (["--world", "nosuch"], "world 'nosuch' is not known"),
        (["--preset", "nosuch"], "preset 'nosuch' is not known"),
        (["--collect.codec", "nosuch"], "codec 'nosuch' is not known"),
    ],
    "collect": [
        (["--world", "nosuch"], "world 'nosuch' is not known"),
        (["--format", "nosuch"], "format 'nosuch' is not known"),
    ],
}
"""Arguments with a name that is not there, or cannot be, and how the refusal begins."""
CASES = [(command, *case) for command, cases in REFUSED.items() for case in cases]


def run_jepa(folder: Path, *arguments: str) -> tuple["subprocess.CompletedProcess[str]", set[str]]:
    """Returns `jepa`, ended, in a process of its own, and the modules that it imported."""
    listing = folder / "modules"
    command = [sys.executable, "-c", SCRIPT, str(listing), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return ended, set(listing.read_text().split())


def check_light(modules: set[str]) -> None:
    assert not HEAVY & modules
    assert len(modules) < MOST


@pytest.mark.parametrize("command", list(SUMMARIES))
def test_help_imports_nothing_heavy(command: str, tmp_path: Path) -> None:
    ended, modules = run_jepa(tmp_path, command, "--help")
    assert ended.returncode == 0 and f"usage: jepa {command}" in ended.stdout
    check_light(modules)


@pytest.mark.parametrize(
    ("command", "arguments", "beginning"), CASES, ids=[f"{command} {sentence[:24]}" for command, _, sentence in CASES]
)
def test_a_name_that_is_not_there_is_refused_before_anything_heavy_is_imported(
    command: str, arguments: list[str], beginning: str, tmp_path: Path
) -> None:
    ended, modules = run_jepa(tmp_path, command, *arguments, "--store", str(tmp_path / "store"))
    assert ended.returncode == 2 and ended.stderr.startswith(f"jepa: {beginning}")
    check_light(modules)


def test_choices_by_name_are_checked_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    named = ["--recipe", "lewm", "--objective", "ema", "--trackers", "tensorboard"]
    ended, modules = run_jepa(tmp_path, "pretrain", "--dataset", "d0", "--name", "m0", *named, "--store", str(tmp_path))
    assert ended.returncode == 2 and "dataset 'd0' is not in store" in ended.stderr
    check_light(modules)
    named = ["--kinds", "probing", "planning", "--protocol", "lewm-v3"]
    ended, modules = run_jepa(tmp_path, "evaluate", "--model", "m0", *named, "--store", str(tmp_path))
    assert ended.returncode == 2 and "model 'm0' is not in store" in ended.stderr
    check_light(modules)


def test_models_are_compared_without_what_computes(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    for model, skill in (("m0", 0.6), ("m1", 0.9)):
        write_planning(store, model, skill)
        write_latent(store, model, 10 * skill)
    ended, modules = run_jepa(tmp_path, "compare", "m0", "m1", "--store", store.uri)
    assert ended.returncode == 0 and "success" in ended.stdout and "effective rank" in ended.stdout, ended.stderr
    assert not {"torch", "ray", "prefect", "matplotlib"} & modules
