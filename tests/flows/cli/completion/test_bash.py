"""Completion in a real bash: what it offers for what is typed."""

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

from flows.cli.completion.offered import plain
from tests.flows.cli.completion.typed import TYPED, installed

EQUALS: list[tuple[list[str], set[str], set[str]]] = [
    # bash makes words of their own of what its COMP_WORDBREAKS names
    (["collect", "--world", "="], {"two_room", "pusht"}, {"--world"}),
    (["collect", "--world", "=", "pu"], {"pusht"}, {"two_room"}),
]
FILES = ["collect", "--config", ""]


def test_bash_completes_commands_flags_and_values(script: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "jepa.bash").write_text(script("bash"))
    cases = [*TYPED, *EQUALS, (FILES, set[str](), set[str]())]
    asks = "\n".join(
        f"COMP_WORDS=(jepa {' '.join(map(shlex.quote, words))}); COMP_CWORD={len(words)}; _jepa; "
        'echo "${COMPREPLY[*]}"'
        for words, _, _ in cases
    )
    command = [installed("bash"), "--norc", "-uo", "pipefail", "-c", f"source jepa.bash\n{asks}"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0 and answer.stderr == "", answer.stderr
    offered = [set(line.split()) for line in answer.stdout.splitlines()]
    assert len(offered) == len(cases)
    for (words, wanted, unwanted), found in zip(cases, offered, strict=True):
        assert wanted <= found and not unwanted & found, (words, found)
    assert offered[-1] == set(), "where nothing is known bash itself offers files"


def test_what_would_need_quotes_is_not_offered() -> None:
    assert plain(("two_room", "a b", "$(rm)", "gymnasium:<id>", "it's", "lewm-v3")) == ("two_room", "lewm-v3")
