"""What settings come to on this machine."""

from pathlib import Path

import pytest

from pipelines.loader import LoaderConfig


def test_threads_are_this_process_share_of_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(12)))
    assert LoaderConfig().thread_count() == 8 and LoaderConfig(threads=3).thread_count() == 3
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert LoaderConfig().thread_count() == 3
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "64")
    assert LoaderConfig().thread_count() == 1


def test_the_cache_lies_where_caches_lie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert LoaderConfig().cache_path() == tmp_path / "jepa" / "shards"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert LoaderConfig().cache_path() == Path.home() / ".cache" / "jepa" / "shards"
    assert LoaderConfig(cache_folder="~/here").cache_path() == Path.home() / "here"


@pytest.mark.parametrize("gpu", [True, False])
def test_memory_is_pinned_for_a_gpu_alone(monkeypatch: pytest.MonkeyPatch, gpu: bool) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: gpu)
    assert LoaderConfig().pins_memory() is gpu and not LoaderConfig(pin_memory=False).pins_memory()


def test_machinery_names_fields() -> None:
    assert set(LoaderConfig.model_fields) > LoaderConfig.MACHINERY
