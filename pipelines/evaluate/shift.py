"""Shifted datasets that an evaluation asks for: what each will hold, under which name, and the units judged on it.

A shifted dataset is the usual one's world, policies and length of episodes under one other value, with a seed of its
own: none of its episodes repeats one that a model was trained on, and all shifts of a dataset begin in the same scenes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from infra.storage import Store
from jepa.core.errors import InputError
from jepa.core.seeds import derive_key
from jepa.evaluation import EVALUATIONS
from jepa.worlds import WORLDS, Shift, find_shift, make_world
from jepa.worlds.recordings import simulator_problem
from pipelines.evaluate.config import EvaluateConfig
from pipelines.evaluate.shifted_source import ShiftedSource, UnitShift
from pipelines.store import Dataset, open_dataset
from pipelines.store.datasets.handle import DatasetHandle
from pipelines.store.datasets.integrity.digests import parse_plan
from pipelines.store.datasets.plan import DatasetPlan, ShiftOf
from pipelines.store.sealed import read_if_there

LONGEST = 100
"""Characters of a dataset's name."""


@dataclass(frozen=True)
class ShiftedDataset:
    """A dataset under one value of one factor, collected or not."""

    name: str
    plan: DatasetPlan
    shift: UnitShift

    def source(self, store: Store, usual: Dataset) -> ShiftedSource:
        """Returns what units are judged on.

        Raises:
            InputError: it is not collected.
        """
        manifest = DatasetHandle(store, self.name).manifest()
        if manifest is None or manifest.plan != self.plan:
            raise InputError(
                f"dataset {self.name!r} ({self.plan.shift}) is not collected; `jepa evaluate --shift` collects it first"
            )
        return ShiftedSource(usual, open_dataset(store, manifest.reference))


def shifted_datasets(config: EvaluateConfig, store: Store, usual: Dataset) -> tuple[ShiftedDataset, ...]:
    """Returns the shifted datasets that an evaluation asks for, all of it checked and nothing collected.

    Args:
        config: names factors and values.
        store: where they are, or will be.
        usual: the dataset that a model is judged on without a shift.

    Raises:
        InputError: the dataset cannot be shifted so, or nothing that is judged could be held against the usual.
    """
    if not config.shift:
        return ()
    _check_kinds(config)
    _check_simulated(usual)
    spec = WORLDS.get(usual.world).world_spec
    found = []
    for name, values in config.shift.items():
        shift = find_shift(spec, name)
        for value in values:
            _check_other(usual, shift, value)
            plan = _plan(usual, shift, shift.check(value), config.shift_episodes or usual.count("test"))
            make_world(plan.world, 1, **plan.world_options).close()
            unit_shift = UnitShift(name, value, usual.manifest.reference)
            found.append(ShiftedDataset(_name(store, plan), plan, unit_shift))
    return tuple(found)


def _check_kinds(config: EvaluateConfig) -> None:
    compared = [kind for kind in config.kinds if EVALUATIONS.get(kind).headlines]
    if not compared:
        every = ", ".join(kind for kind in EVALUATIONS if EVALUATIONS.get(kind).headlines)
        raise InputError(
            f"shift compares headline figures and kinds {', '.join(config.kinds)} declare none; add one of: {every}"
        )


def _check_simulated(usual: Dataset) -> None:
    """Passes where episodes like those of a dataset can be collected."""
    if usual.manifest.plan.source is not None:
        problem = simulator_problem(usual) or "its episodes were recorded elsewhere"
        raise InputError(
            f"dataset {usual.name!r} was imported and nothing in it can be shifted ({problem}); judge on a dataset "
            "that was collected in its world, or leave shift out"
        )
    if usual.manifest.plan.shift is not None:
        raise InputError(
            f"dataset {usual.name!r} is a shift itself ({usual.manifest.plan.shift}); choose the dataset that it is of"
        )
    if not usual.count("test"):
        raise InputError(f"dataset {usual.name!r} has no test episodes to hold a shift against; collect more episodes")


def _check_other(usual: Dataset, shift: Shift, value: float) -> None:
    """Passes where a value is not the one that a dataset has in all of its episodes."""
    if shift.usual is not None and value == usual.manifest.plan.world_options.get(shift.name, shift.usual):
        raise InputError(
            f"shift {shift.name} is {value:g}, which is what all episodes of dataset {usual.name!r} have; "
            "choose another value"
        )


def _plan(usual: Dataset, shift: Shift, value: float, episodes: int) -> DatasetPlan:
    """Returns what a shifted dataset will hold: test episodes alone."""
    plan = usual.manifest.plan
    options = plan.world_options if shift.usual is None else plan.world_options | {shift.name: value}
    fields = {
        "world_options": options,
        "episodes": episodes,
        "seed": derive_key("shifted dataset", plan.seed) >> 1,
        "shares": {"test": 1.0},
        "extends": (),
        "shift": ShiftOf(dataset=usual.name, factor=shift.name, value=value),
    }
    return DatasetPlan.model_validate({name: getattr(plan, name) for name in DatasetPlan.model_fields} | fields)


def _name(store: Store, plan: DatasetPlan) -> str:
    """Returns the name under which a plan's dataset is, or will be collected: a readable one unless that is taken."""
    if plan.shift is None:
        raise TypeError("a shifted dataset's plan says what is shifted")
    value = plan.shift.value_text.replace("+", "")
    ending = f"--{plan.shift.factor}-{value}"
    plain, digest = plan.shift.dataset[: LONGEST - len(ending)] + ending, f"-{plan.fingerprint()[:8]}"
    held = _held_plan(store, plain)
    return plain if held in (None, plan) else plain[: LONGEST - len(digest)] + digest


def _held_plan(store: Store, name: str) -> DatasetPlan | None:
    """Returns the plan that a name is collected under, or was begun to be; None where it is free."""
    handle = DatasetHandle(store, name)
    manifest = handle.manifest()
    if manifest is not None:
        return manifest.plan
    data = read_if_there(store, handle.layout.version(1, "plan.json"))
    return None if data is None else parse_plan(data)


def missing(store: Store, wanted: tuple[ShiftedDataset, ...]) -> Iterator[ShiftedDataset]:
    """Yields those that are not collected to their end."""
    for one in wanted:
        manifest = DatasetHandle(store, one.name).manifest()
        if manifest is None or manifest.plan != one.plan:
            yield one
