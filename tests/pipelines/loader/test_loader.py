"""`open_loader` opens every kind by its name; what the package and its README show is executed, additions included."""

import doctest
import inspect
import re
import sys
from pathlib import Path
from typing import Any

import pytest

import pipelines.loader
from infra.storage import open_store
from jepa.core.errors import InputError
from pipelines.loader import LOADERS, ClipRequest, Loader, LoaderConfig, open_loader
from pipelines.loader.native.native_loader import NativeLoader
from pipelines.loader.official.streaming import StreamingLoader
from pipelines.store import Dataset
from tests.pipelines.loader.loading import all_same, clip_request, part, take

README = Path(pipelines.loader.__file__).with_name("README.md").read_text()


def example(first_line: str) -> str:
    """Returns the README's Python example that begins so."""
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    return next(str(block) for block in blocks if block.startswith(first_line))


def test_kinds_are_opened_by_name(dataset: Dataset) -> None:
    assert isinstance(open_loader(clip_request(dataset)), NativeLoader)
    assert LOADERS.get("streaming") is StreamingLoader
    match = r"loader.kind 'tfrecord' is not known; choose one of: .*native, streaming, webdataset"
    with pytest.raises(InputError, match=match):
        open_loader(clip_request(dataset, config=LoaderConfig(kind="tfrecord")))


def test_the_package_opens_with_an_example_that_runs(dataset: Dataset) -> None:
    names = {name: getattr(pipelines.loader, name) for name in ("ClipRequest", "open_loader")}
    parsed = doctest.DocTestParser().get_doctest(
        str(pipelines.loader.__doc__), names | {"dataset": dataset}, "", None, 0
    )
    assert len(parsed.examples) >= 5
    said: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(parsed, out=said.append)
    assert result.failed == 0, "".join(said)


def test_the_path_of_a_clip_names_files_that_exist() -> None:
    named = {*re.findall(r"`(\w+)\.py`", README), *re.findall(r"\*\*(\w+)\*\*", str(pipelines.loader.__doc__))}
    files = {path.stem for path in Path(pipelines.loader.__file__).parent.rglob("*.py")}
    assert len(named) > 10 and named - {"check"} <= files
    native = {path.stem for path in Path(pipelines.loader.__file__).with_name("native").glob("*.py")} - {"__init__"}
    assert native <= named  # and no file of the native loader is left out


def test_the_readme_opens_a_loader(small_store: Path) -> None:
    names: dict[str, Any] = {"Dataset": Dataset, "store": open_store(str(small_store))}
    names |= {name: getattr(pipelines.loader, name) for name in pipelines.loader.__all__}
    exec(example("dataset = "), names)
    assert names["clips"].pixels_BTHWC.shape == (128, 4, 32, 32, 3) and names["position"] == {"epoch": 0, "batch": 1}
    assert names["counters"].batches == 1


@pytest.fixture
def in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoaderConfig:
    """The README's additional loader, in a module outside the tree that `--import` names."""
    (tmp_path / "my_loader.py").write_text(example("# my_loader.py"))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("JEPA_IMPORT", "my_loader")
    monkeypatch.delitem(sys.modules, "my_loader", raising=False)
    return LoaderConfig(kind="in-memory")


def test_the_readme_adds_a_kind_of_loader(dataset: Dataset, in_memory: LoaderConfig) -> None:
    loader = open_loader(clip_request(dataset, config=in_memory))
    assert isinstance(loader, Loader) and type(loader).__module__ == "my_loader"
    episodes = list(dataset.episodes("train"))
    clips_of = {
        episode.action[first : first + 12].tobytes(): episode.pixels[first : first + 13 : 4].tobytes()
        for episode in episodes
        for first in range(31 - 12)
    }
    whole = take(loader, 3)
    for clips in whole:
        for pixels, action in zip(clips.pixels_BTHWC.numpy(), clips.action_BTKA.numpy(), strict=True):
            assert clips_of[action.tobytes()] == pixels.tobytes()
    assert loader.position() == {"epoch": 0, "batch": 3} and loader.counters().batches == 3
    second = open_loader(clip_request(dataset, config=in_memory, rank=1, world_size=3))
    second.seek({"epoch": 0, "batch": 1})
    assert all_same(take(second, 2), [part(clips, 4, 8) for clips in whole[1:]])


def test_a_request_is_all_that_a_loader_needs() -> None:
    assert list(inspect.signature(open_loader).parameters) == ["request"]
    for kind in ("native", "streaming", "webdataset"):
        parameters = inspect.signature(LOADERS.get(kind)).parameters.values()
        assert [one.annotation for one in parameters] == [ClipRequest]
