"""An evaluation with its shifts: the shifted datasets that are missing are collected first, the figures compared last.

Three jobs that meet in the store, and all repeatable: what is there is neither collected nor judged again.
"""

from typing import NamedTuple

import pandas as pd

from infra.progress import Progress
from infra.storage import Store
from pipelines.collect import WorkConfig
from pipelines.collect.job import make_dataset
from pipelines.collect.shard import simulate
from pipelines.evaluate import EvaluateConfig, Evaluated, EvaluationPlan, carry_out, plan_evaluation
from pipelines.evaluate.shift import ShiftedDataset, missing, shifted_datasets
from pipelines.reports.shifts import write_shifts
from pipelines.store import DatasetHandle, open_dataset


class Prepared(NamedTuple):
    """An evaluation, all of which was checked before any work: its plan without shifts, and what these need."""

    config: EvaluateConfig
    usual: EvaluationPlan
    shifted: tuple[ShiftedDataset, ...]


class Judged(NamedTuple):
    """What an evaluation found, and how its figures change under shifts."""

    evaluated: Evaluated
    shifts: pd.DataFrame
    """rows of the table `shifts`; none without a shift"""


def prepare(config: EvaluateConfig, store: Store) -> Prepared:
    """Returns what an evaluation will do.

    Raises:
        InputError: model, dataset, kinds, protocol or shifts are not possible.
    """
    usual = plan_evaluation(config.model_copy(update={"shift": {}}), store)
    return Prepared(config, usual, shifted_datasets(config, store, open_dataset(store, usual.dataset)))


def judge(prepared: Prepared, store: Store, progress: Progress) -> Judged:
    """Collects what is missing, evaluates the units that are missing, and compares shifted with usual figures.

    Raises:
        InputError: a shifted dataset has nothing that an evaluation could judge.
        InfraError: the store or the cluster failed for good.
    """
    config = prepared.config
    for one in missing(store, prepared.shifted):
        work = WorkConfig(actors=config.workers, executor=config.executor, cpus=config.cpus)
        make_dataset(DatasetHandle(store, one.name), one.plan, work, simulate, progress)
    plan = plan_evaluation(config, store) if prepared.shifted else prepared.usual
    evaluated = carry_out(plan, store, progress)
    rows = write_shifts(store, evaluated.units, plan.run) if prepared.shifted else pd.DataFrame()
    return Judged(evaluated, rows)
