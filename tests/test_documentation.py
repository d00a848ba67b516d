"""What the documentation names is there: files, links, commands and flags; and each term has one meaning."""

import io
import re
import shlex
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path

import pytest

from flows.cli.arguments import read_arguments
from flows.cli.commands import SUMMARIES, load_command
from flows.cli.flags import HelpShown
from tests.words import ROOT, is_later

ROOMS = ("jepa", "pipelines", "flows", "infra")
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "terraform/**/*.md", *(f"{room}/**/*.md" for room in ROOMS))
    for path in ROOT.glob(pattern)
)
FILE = re.compile(r"`([\w./-]+\.(?:py|md|yaml|toml|json|j2|css|lock)|[\w.-]+/(?:[\w.-]+/)*)`")
"""A file or a folder in backticks; patterns and placeholders are none."""
WRITTEN = re.compile(
    r"^(runs|logs|models|datasets|problems|reports|versions|shards|completed|checkpoints|tensorboard)/|^/"
)
"""Folders that a store has, not the tree."""
MADE = {
    "card.md",
    "config.json",
    "manifest.json",
    "plan.json",
    "checkpoint.json",
    "digests.json",
    "head.json",
    "job.json",
    "index.json",
}
MADE |= {"d0.yaml"}
"""Files that a job makes or a user writes."""
NOT_YET: set[str] = set()
"""Commands and flags that the pages describe and whose rooms are not merged; each leaves this set when it is there."""
COMMAND = re.compile(r"^(?:[A-Z_]+=\S+ )*(?:jepa|python -m (?:pdb -m )?flows\.cli) ([a-z][a-z0-9-]*)(.*)$")


def read(page: str) -> str:
    return (ROOT / page).read_text()


@cache
def fenced(page: str) -> list[str]:
    """Returns the lines of a page's fenced blocks, comments taken off."""
    blocks = re.findall(r"^```(?:bash|yaml)?\n(.*?)^```", read(page), flags=re.DOTALL | re.MULTILINE)
    return [line.split(" #")[0].strip() for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", read(page))
    missing = [link for link in links if "://" not in link and not (ROOT / page).parent.joinpath(link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md" and not is_later(page)])
def test_files_that_are_named_exist(page: str) -> None:
    names = {name for name in FILE.findall(read(page)) if not WRITTEN.match(name) and name not in MADE}
    assert sorted(name for name in names if not is_there(page, name)) == []


def is_there(page: str, name: str) -> bool:
    """Paths are meant from the root, from the page's folder, its tests or a folder in them; else from any room."""
    folder = (ROOT / page).parent
    if page.split("/")[0] in ROOMS:
        tests = ROOT / "tests" / Path(page).parent
        return (ROOT / name).exists() or any(folder.rglob(name)) or any(tests.rglob(name))
    return any((place / name).exists() for place in (ROOT, folder, *(ROOT / room for room in ROOMS)))


@pytest.mark.parametrize("page", PAGES)
def test_commands_are_understood(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("flows.cli.arguments.request_plugins", lambda modules: None)  # the pages' are examples
    (tmp_path / "d0.yaml").write_text("name: d0\nepisodes: 500\n")
    for line in fenced(page):
        if (match := COMMAND.match(line)) and match[1] in SUMMARIES:
            read_arguments(match[1], SUMMARIES[match[1]], load_command(match[1]), shlex.split(match[2]))
        elif match and match[1] not in NOT_YET:
            pytest.fail(f"{line!r} is no command of jepa")


@pytest.fixture(scope="module")
def every_flag() -> set[str]:
    """All flags that the commands' help shows."""
    shown = io.StringIO()
    for name, summary in SUMMARIES.items():
        with redirect_stdout(shown), pytest.raises(HelpShown):
            read_arguments(name, summary, load_command(name), ["--help"])
    return set(re.findall(r"--[a-z][\w.-]*\w", shown.getvalue()))


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md"])
def test_flags_exist(page: str, every_flag: set[str]) -> None:
    spans = re.findall(r"`(--[a-z][\w.-]*)[^`]*`", read(page))
    foreign = {"--upgrade", "--no-cache", "--logdir"}  # flags of other programs
    assert {flag for flag in spans if flag not in every_flag | foreign | NOT_YET} == set()


def test_what_has_come_is_not_awaited(every_flag: set[str]) -> None:
    assert NOT_YET & (every_flag | set(SUMMARIES)) == set()


def test_the_glossary_gives_each_term_one_meaning() -> None:
    terms = [" ".join(term.lower().split()) for term in re.findall(r"\*\*([^*]+)\*\*", read("docs/glossary.md"))]
    assert len(terms) > 100
    assert {term for term in terms if terms.count(term) > 1} == set()


@pytest.mark.parametrize("room", ["jepa", "pipelines"])
def test_the_page_of_a_room_lists_its_folders(room: str) -> None:
    folders = {path.parent.name for path in (ROOT / room).glob("*/__init__.py")}
    assert {name for name in folders if f"`{name}/`" not in read(f"{room}/README.md")} == set()


@pytest.mark.parametrize("page", ["README.md", "docs/design.md"])
def test_the_rooms_of_the_tree_are_listed(page: str) -> None:
    for room in ROOMS:
        assert re.search(rf"\[`{room}/`\]\([./]*{room}/README\.md\)", read(page)), room
