"""Completion in a real fish: what it offers for what is typed."""

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.flows.cli.completion.typed import TYPED, installed

SECOND = ("--kinds", "--only")
"""Flags that take several values: fish offers them for the first one."""


def test_fish_completes_commands_flags_and_values(script: Callable[[str], str], tmp_path: Path) -> None:
    fish = installed("fish")
    (tmp_path / "jepa.fish").write_text(script("fish"))
    cases = [
        case for case in TYPED if not (len(case[0]) > 3 and case[0][1] in SECOND) and (case[0][-1] or "" not in case[1])
    ]
    # fish offers flags where one is begun.
    cases = [case for case in cases if not (case[0][-1] == "" and any(one.startswith("--") for one in case[1]))]
    asks = "\n".join(
        f"echo (complete -C {shlex.quote('jepa ' + ' '.join(words))} | string split -f1 \\t)" for words, _, _ in cases
    )
    answer = subprocess.run(
        [fish, "--no-config", "-c", f"source jepa.fish\n{asks}"],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert answer.returncode == 0 and answer.stderr == "", answer.stderr
    offered = [set(line.split()) for line in answer.stdout.splitlines()]
    assert len(offered) == len(cases) > 8
    for (words, wanted, unwanted), found in zip(cases, offered, strict=True):
        assert wanted <= found and not unwanted & found, (words, found)
