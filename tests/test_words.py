"""Replaced words do not come back: every room that is checked is free of the words in docs/words.yaml."""

from fnmatch import fnmatch

import pytest

from tests.words import ROOT, Entry, files, find, find_all, is_later, main, room, word_list

CHECKED = sorted({room(path) for path in files() if not is_later(path)})
WORDS = [
    pytest.param(entry, word, id=f"{word} in {'-'.join(entry.only) or 'any room'}")
    for entry in word_list().entries
    for word in entry.words
]


@pytest.mark.parametrize("name", CHECKED)
def test_the_room_holds_no_replaced_word(name: str) -> None:
    found = find_all([path for path in files() if room(path) == name and not is_later(path)])
    assert not found, "\n" + "\n".join(map(str, found))


@pytest.mark.parametrize(("entry", "word"), WORDS)
def test_every_word_of_the_list_is_found(entry: Entry, word: str) -> None:
    """In a variable, a class's name and code in Markdown; in a docstring that breaks its line, a message, Markdown."""
    room, parts = entry.only[0] if entry.only else "flows", word.split()
    broken, camel = "\n    ".join(parts), "".join(part.capitalize() for part in parts)
    names = [
        (f"{room}/a.py", f"{'_'.join(parts)} = 1\n"),
        (f"{room}/a.py", f"class Old{camel}: ...\n"),
        (f"{room}/a.md", f"# A\n`{'_'.join(parts)}`\n"),
    ]
    texts = [
        (f"{room}/a.py", f'def f():\n    """Returns the {broken}."""\n'),
        (f"{room}/a.py", f'raise E(f"{{x}}: the {word} is wrong")\n'),
        (f"{room}/a.md", f"# A\nThe {word}.\n"),
    ]
    is_name = "'" not in word and len(parts) < 4  # a sentence is nobody's name
    for path, content in (names if entry.where != "text" and is_name else []) + texts * (entry.where != "names"):
        found = [str(one) for one in find(path, content)]
        assert any(f"{word!r} is not used here, write: {entry.use}" in one for one in found), content


def test_ordinary_uses_are_left_alone() -> None:
    for path, content in {
        "pipelines/pretrain/a.py": '"""Written for TensorBoard, drawn without replacement."""\n',
        "pipelines/loader/a.md": "Drawn without\nreplacement; colours are told apart.\n",
        "jepa/objectives/a.py": "class A:\n    def f(self):\n        self.save_for_backward(x)\n",
        "jepa/models/a.py": "query, key = z.chunk(2)  # a chunk of a tensor\n",
        "flows/a.py": "# keyboards and shareholders\n",
    }.items():
        assert find(path, content) == [], path


def test_a_line_is_named_with_the_word_to_write(capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = find("flows/a.py", "first = 1\nsecond = the_keeper\n")
    assert str(found) == "flows/a.py:2: 'keeper' is not used here, write: run log"
    assert main(["flows/no-such-file.py"]) == 0 and capsys.readouterr().out == ""


def test_former_names_are_exempt_only_where_they_must_stand() -> None:
    renamed = 'class C:\n    renamed: ClassVar[Mapping[str, str]] = {"behaviour": "policy"}\n'
    assert find("pipelines/collect/config.py", renamed) == []
    assert len(find("pipelines/collect/config.py", renamed + "    behaviour: str\n")) == 1
    assert find("docs/glossary.md", "**policy**: what acts. Formerly: behaviour.\n") == []
    assert len(find("docs/glossary.md", "**policy**: a behaviour.\n")) == 1


def test_no_line_of_the_list_has_outlived_its_reason() -> None:
    """A room that became clean is checked from then on; a file that needs no exemption has none."""
    paths = files()
    clean = [
        one for one in word_list().later if not find_all([p for p in paths if p == one or p.startswith(f"{one}/")])
    ]
    assert not clean, f"clean now, remove from `later` in docs/words.yaml: {', '.join(clean)}"
    unknown = [one.path for one in word_list().exempt if not any(fnmatch(path, one.path) for path in paths)]
    assert not unknown, f"no such file, remove from `exempt` in docs/words.yaml: {', '.join(unknown)}"


def test_the_list_names_rooms_that_exist() -> None:
    rooms = {one for entry in word_list().entries for one in entry.only} | set(word_list().later)
    assert {one for one in rooms if not (ROOT / one).exists()} == set()
