"""Finds words that the project has replaced: `docs/words.yaml` lists them, each with the word to use.

`python -m tests.words` prints every occurrence and how many there are in each room; `python -m tests.words FILE …`
prints those of some files. Names are split into their words first: `load_model` and `LoadModel` both hold "load model".
"""

import io
import keyword
import re
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from jepa.core.config import Config

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "docs" / "words.yaml"
SUFFIXES = {".py", ".md", ".yaml", ".yml", ".toml", ".j2", ".tf", ".sh", ".css"}
FILES = {"Makefile", "Dockerfile", "run"}
"""Names of text files that have no suffix."""


class Entry(Config):
    """Words that are not used, and what is written in their place."""

    words: tuple[str, ...]
    """a space stands for any space, also for the end of a line"""
    use: str
    where: Literal["everywhere", "names", "text"] = "everywhere"
    """`names` are identifiers, keys and file names, `text` is what is written in sentences"""
    only: tuple[str, ...] = ()
    """rooms in which the word has another meaning than the one it has elsewhere; all rooms by default"""
    unless: tuple[str, ...] = ()
    """phrases in which the word is the right one"""


class Exemption(Config):
    """Words that a file must hold, e.g. the former name of a field in files that were written before it was renamed."""

    path: str
    """a file, or a pattern of files"""
    words: tuple[str, ...] = ()
    """none stands for all"""
    lines: str = ""
    """regular expression: only lines that match are exempt"""
    because: str


class WordList(Config):
    """What `docs/words.yaml` says."""

    later: tuple[str, ...] = ()
    """rooms that are not checked yet"""
    skip: tuple[str, ...] = ()
    """patterns of files that are not text of this project"""
    exempt: tuple[Exemption, ...] = ()
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Found:
    """A replaced word at a line of a file."""

    path: str
    line: int
    word: str
    use: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.word!r} is not used here, write: {self.use}"


@dataclass(frozen=True)
class Views:
    """The lines of a file twice: once with nothing but its names, once with nothing but its sentences."""

    names: str
    text: str


@cache
def word_list() -> WordList:
    """Returns the list."""
    return WordList.model_validate(yaml.safe_load(LIST.read_text()))


def files() -> list[str]:
    """Returns the paths of all files that are checked or will be, those that git does not ignore."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted(path for path in set(listed) if _is_text(path) and (ROOT / path).is_file())


def room(path: str) -> str:
    """Returns the room of a file: `pipelines/store`, `flows`, `tests/jepa`; files at the root are in `.`."""
    folders = path.split("/")[:-1]
    return "/".join(folders[: 2 if folders[:1] != ["docs"] else 1]) or "."


def is_later(path: str) -> bool:
    """Returns whether the file's room is not checked yet."""
    return _is_in(path, word_list().later)


def find(path: str, content: str) -> list[Found]:
    """Returns the replaced words of a file, in order of their lines, exempt ones left out."""
    views, lines = _views(path, content), content.splitlines()
    found = []
    for entry, pattern, unless in _patterns():
        if entry.only and not _is_in(path, entry.only):
            continue
        seen = set()
        for view in (views.names, views.text):
            if entry.where == ("text" if view is views.names else "names"):
                continue
            for match in pattern.finditer(unless.sub(_blank, view) if unless else view):
                line = view.count("\n", 0, match.start()) + 1
                seen.add((line, " ".join(match[0].lower().split())))
        found += [Found(path, line, word, entry.use) for line, word in seen if not _is_exempt(path, lines, line, word)]
    return sorted(found, key=lambda one: (one.line, one.word))


def find_all(paths: Sequence[str]) -> list[Found]:
    """Returns the replaced words of files."""
    return [one for path in paths for one in find(path, (ROOT / path).read_text())]


def _is_in(path: str, rooms: Sequence[str]) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in rooms)


def _is_text(path: str) -> bool:
    name = Path(path)
    known = name.suffix in SUFFIXES or name.name in FILES
    return known and not any(fnmatch(path, pattern) for pattern in word_list().skip)


def _is_exempt(path: str, lines: list[str], line: int, word: str) -> bool:
    return any(
        fnmatch(path, exemption.path)
        and (not exemption.words or word in exemption.words)
        and re.search(exemption.lines, lines[line - 1] if line <= len(lines) else "")
        for exemption in word_list().exempt
    )


@cache
def _patterns() -> list[tuple[Entry, re.Pattern[str], re.Pattern[str] | None]]:
    return [
        (entry, _pattern(entry.words), _pattern(entry.unless) if entry.unless else None)
        for entry in word_list().entries
    ]


def _pattern(phrases: Sequence[str]) -> re.Pattern[str]:
    words = "|".join(r"\s+".join(map(re.escape, phrase.split())) for phrase in phrases)
    return re.compile(rf"(?<![A-Za-z])(?:{words})(?![A-Za-z])", re.IGNORECASE)


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", "-", match[0])


def _views(path: str, content: str) -> Views:
    if path.endswith(".py"):
        return _python_views(content)
    names = "\n".join(" ; ".join(line) for line in _code_spans(content)) if path.endswith(".md") else content
    return Views(_split_words(names), _split_words(content))


def _python_views(content: str) -> Views:
    count = content.count("\n") + 2
    names: list[list[str]] = [[] for _ in range(count)]
    text: list[list[str]] = [[] for _ in range(count)]
    pieces = (tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING))
    for token in tokenize.generate_tokens(io.StringIO(content).readline):
        if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
            names[token.start[0] - 1].append(token.string)
        elif token.type in pieces:
            view = text if token.type == tokenize.COMMENT or re.search(r"\s", token.string) else names
            for offset, line in enumerate(token.string.split("\n")):
                view[token.start[0] - 1 + offset].append(line.lstrip("# "))
    # What stands beside each other is kept apart; what is continued on the next line is not.
    return Views(*(_split_words("\n".join(" ; ".join(line) for line in view)) for view in (names, text)))


def _code_spans(content: str) -> Iterator[list[str]]:
    """Yields, for each line of Markdown, what is marked as code in it."""
    fenced = False
    for line in content.split("\n"):
        if line.lstrip().startswith("```"):
            fenced = not fenced
            yield []
        else:
            yield [line] if fenced else re.findall(r"`([^`]+)`", line)


def _split_words(text: str) -> str:
    """Returns the text with its compound names taken apart: `LoadModel` and `load_model` as two words."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).replace("_", " ")


def main(paths: list[str]) -> int:
    """Prints what is found in some files, by default in all; returns 1 where a room that is checked holds any."""
    chosen = [path for path in files() if not paths or path in paths]
    found = find_all(chosen)
    for one in found:
        print(f"{one}{'  (later)' if is_later(one.path) else ''}")
    for name, number in Counter(room(one.path) for one in found).most_common():
        words = Counter(one.word for one in found if room(one.path) == name).most_common()
        print(f"{number:5}  {name}: {', '.join(f'{word} {times}' for word, times in words)}")
    return int(any(not is_later(one.path) for one in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
