"""What a job says that it will take is what it then takes."""

from pathlib import Path

import pytest

from flows.whole_job import needs
from flows.whole_job.needs import bytes_words, job_needs, training_words
from infra.storage import open_store
from pipelines.collect import collect
from pipelines.loader import ClipRequest, open_loader
from pipelines.pretrain import pretrain
from pipelines.store import open_dataset, resolve_dataset
from pipelines.store.models.manifest import ModelHandle
from tests.flows.whole_job.test_checks import job


def test_frames_clips_and_parameters_are_those_that_the_job_makes(tmp_path: Path) -> None:
    store, config = open_store(str(tmp_path)), job(collect={"frame_every": 5, "steps": 40})
    before = job_needs(config, store)
    assert before.collecting is not None and before.training is not None and store.list() == []
    manifest = collect(config.collect, store)
    assert before.collecting.frames == manifest.total("frames") == 40 * 9
    assert before.collecting.uncompressed_bytes == 40 * 9 * 3 * 32**2 and before.collecting.steps == 40 * 40
    dataset = open_dataset(store, resolve_dataset(store, "d"))
    request = ClipRequest(dataset=dataset, split="train", history=1, horizon=3, frameskip=5, batch_size=32, seed=0)
    with open_loader(request) as loader:
        clips = loader.clips  # type: ignore[attr-defined]
    assert before.training.passes == pytest.approx(3 * 32 / clips, rel=0.1)
    pretrain(config.pretrain, store)
    assert before.training.parameters == ModelHandle(store, "m").require().parameters
    after = job_needs(config, store)
    assert after.collecting is None and after.training is None and after.lines() == []
    more = job_needs(job(collect={"frame_every": 5, "steps": 40, "episodes": 60}, pretrain={"steps": 9}), store)
    assert more.collecting is not None and more.collecting.episodes == 20
    assert more.training is not None and (more.training.first_step, more.training.steps) == (3, 9)
    assert "20 episodes to collect" in more.lines()[0] and "9 steps of which 3 are done, of 32 clips" in more.lines()[1]


def test_too_little_memory_is_said_with_what_takes_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(str(tmp_path))
    plenty = job_needs(job(), store).training
    assert plenty is not None and len(training_words(plenty)) == 1 and plenty.step_bytes > 4 * 4 * plenty.parameters
    monkeypatch.setattr(needs, "machine_bytes", lambda: plenty.step_bytes - 1)
    (_, warning) = job_needs(job(), store).lines()[1:]
    assert "--pretrain.compute.accumulate" in warning and "this machine has" in warning
    less = job_needs(job(pretrain={"compute": {"accumulate": 8}}), store).training
    assert less is not None and less.step_bytes < plenty.step_bytes


def test_bytes_are_said_in_the_larger_unit() -> None:
    assert [bytes_words(amount) for amount in (2.1e5, 4.8e8, 1.23e10)] == ["210 kB", "480 MB", "12.3 GB"]
