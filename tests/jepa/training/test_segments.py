"""More steps: what follows a schedule goes on as in a longer run, and the state says from where."""

import pytest

from jepa.core.errors import InputError
from jepa.training.state import TrainingState
from jepa.training.trainer import TrainConfig, Trainer
from tests.jepa.training.toy import CONFIG, toy_clips, toy_trainer


def trainer(steps: int, **fields: object) -> Trainer:
    return toy_trainer(TrainConfig.model_validate(CONFIG.model_dump() | {"steps": steps, **fields}))


def run(trainer: Trainer, until: int) -> list[dict[str, float]]:
    return [trainer.step(toy_clips(16, seed=step)) for step in range(trainer.completed_steps, until)]


def continued(before: Trainer, steps: int) -> Trainer:
    after = trainer(steps)
    after.load(TrainingState.from_bytes(before.state().to_bytes()))
    return after


def test_schedules_are_those_of_the_longer_run_from_there_on() -> None:
    short, long = trainer(6), trainer(12)
    run(short, 6)
    whole = run(long, 12)
    assert short.finished
    after = continued(short, 12)
    assert not after.finished and after.completed_steps == 6
    figures = run(after, 12)
    for name in ("learning_rate", "lambda"):
        assert [one[name] for one in figures] == [one[name] for one in whole[6:]]
    assert after.segments == [{"from": 0, "to": 6, "steps": 6}, {"from": 6, "to": 12, "steps": 12}]


def test_the_state_carries_the_segments() -> None:
    first = trainer(4)
    assert first.segments == [{"from": 0, "to": 0, "steps": 4}]
    run(first, 2)
    second = continued(first, 6)
    run(second, 5)
    third = continued(continued(second, 6), 8)  # one that is only resumed in between adds nothing
    run(third, 8)
    assert third.segments == [
        {"from": 0, "to": 2, "steps": 4},
        {"from": 2, "to": 5, "steps": 6},
        {"from": 5, "to": 8, "steps": 8},
    ]
    assert continued(trainer(4), 8).segments == [{"from": 0, "to": 0, "steps": 8}]  # nothing was done under the four


def test_a_state_of_earlier_code_is_one_segment() -> None:
    before = trainer(4)
    run(before, 2)
    state = before.state()
    meta = {name: value for name, value in state.meta.items() if name != "segments"}
    for steps, segments in ((4, [(0, 2, 4)]), (8, [(0, 2, 4), (2, 2, 8)])):
        after = trainer(steps)
        after.load(TrainingState(state.tensors, meta))
        assert [(one["from"], one["to"], one["steps"]) for one in after.segments] == segments


def test_fewer_steps_and_other_changes_are_refused() -> None:
    before = trainer(6)
    run(before, 2)
    with pytest.raises(InputError, match=r"was trained with train\.steps = 6, this run asks for 5"):
        continued(before, 5)
    other = trainer(12, learning_rate=0.5)
    with pytest.raises(InputError, match=r"was trained with train\.learning_rate = 0\.002, this run asks for 0\.5"):
        other.load(before.state())
