"""A script without a `__main__` guard: one worker needs none, several get a sentence and no flood of traces."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

SCRIPT = """
import sys
sys.path.insert(0, {root!r})
from pipelines.executor import run_units
from tests.pipelines.executor.units import square

print("the script runs", flush=True)
{call}
"""
CALL = "print(run_units(square, range(3), executor='local', workers={workers}))"


def run(tmp_path: Path, call: str, stdin: bool = False) -> subprocess.CompletedProcess[str]:
    script = SCRIPT.format(root=str(ROOT), call=call)
    (tmp_path / "script.py").write_text(script)
    command = [sys.executable, "-"] if stdin else [sys.executable, str(tmp_path / "script.py")]
    return subprocess.run(command, input=script, cwd=tmp_path, capture_output=True, text=True, timeout=240)


def test_one_worker_needs_no_guard(tmp_path: Path) -> None:
    answer = run(tmp_path, CALL.format(workers=1))
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == "the script runs\n[0, 1, 4]\n"


@pytest.mark.slow
def test_several_workers_without_a_guard_are_a_sentence(tmp_path: Path) -> None:
    answer = run(tmp_path, CALL.format(workers=2))
    assert answer.returncode == 1 and answer.stderr.count("Traceback (most recent call last)") == 1
    assert answer.stderr.splitlines()[-1].startswith(
        "jepa.core.errors.InputError: this script starts worker processes, and each of them runs it again; "
        'put its calls under `if __name__ == "__main__":`, or do the work in this process'
    )
    assert answer.stdout.count("the script runs") <= 3  # ours and its two workers'


@pytest.mark.slow
def test_several_workers_with_a_guard(tmp_path: Path) -> None:
    answer = run(tmp_path, f"if __name__ == '__main__':\n    {CALL.format(workers=2)}")
    assert answer.returncode == 0 and answer.stdout.splitlines()[-1] == "[0, 1, 4]", answer.stderr


@pytest.mark.slow
def test_a_process_of_somebody_else_gets_the_sentence_too(tmp_path: Path) -> None:
    call = (
        "import multiprocessing\n"
        "if __name__ == '__mp_main__': run_units(square, range(3))\n"
        "if __name__ == '__main__':\n"
        "    process = multiprocessing.get_context('spawn').Process(target=square, args=(2,))\n"
        "    process.start(); process.join(); sys.exit(process.exitcode)"
    )
    answer = run(tmp_path, call)
    assert answer.returncode == 1
    assert answer.stderr.splitlines()[-1].startswith("jepa.core.errors.InputError: this script starts worker processes")


def test_a_script_from_standard_input_is_a_sentence(tmp_path: Path) -> None:
    answer = run(tmp_path, CALL.format(workers=2), stdin=True)
    assert answer.returncode == 1 and answer.stderr.count("Traceback") == 1
    assert "that is read from standard input; save it to a file" in answer.stderr.splitlines()[-1]
    assert run(tmp_path, CALL.format(workers=1), stdin=True).returncode == 0
