"""Completion in a real zsh, whose own listing functions are replaced by some that print."""

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.flows.cli.completion.typed import TYPED, installed

PRINTING = """
compdef() { }
_files() { print -r -- FILES }
compset() { words[CURRENT]="${words[CURRENT]#*=}" }
compadd() { shift; print -r -- "$@" }
_describe() { print -r -- "${(@)${(@P)@[-1]}%%:*}" }
source ./_jepa
"""
EQUALS: list[tuple[list[str], set[str], set[str]]] = [(["collect", "--world=pu"], {"pusht"}, {"--world"})]


def test_zsh_completes_commands_flags_and_values(script: Callable[[str], str], tmp_path: Path) -> None:
    """Of what is offered zsh itself leaves out what does not begin as the word does."""
    zsh = installed("zsh")
    (tmp_path / "_jepa").write_text(script("zsh"))
    cases = [*TYPED, *EQUALS, (["collect", "--config", ""], {"FILES"}, set[str]())]
    asks = "\n".join(
        f"words=(jepa {' '.join(map(shlex.quote, words))}); CURRENT={len(words) + 1}; _jepa" for words, _, _ in cases
    )
    answer = subprocess.run(
        [zsh, "-f", "-c", PRINTING + asks], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert answer.returncode == 0 and answer.stderr == "", answer.stderr
    offered = [set(line.split()) for line in answer.stdout.splitlines()]
    assert len(offered) == len(cases)
    for (words, wanted, _), found in zip(cases, offered, strict=True):
        assert wanted - {"--help"} <= found, (words, found)
    assert "--world" not in offered[4] and "two_room" not in offered[3]
