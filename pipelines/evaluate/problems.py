"""Planning problems of an evaluation: drawn once in the driver, or given; whether they fit the dataset."""

from dataclasses import replace

from infra.storage import Store
from jepa.core.errors import InputError
from jepa.evaluation import Evaluation
from jepa.evaluation.kinds.planning.given import check_given
from jepa.evaluation.kinds.planning.problems import with_frames
from jepa.planning.problem_manifest import ProblemManifest
from pipelines.evaluate.config import EvaluateConfig
from pipelines.evaluate.shifted_source import Judged
from pipelines.store import Dataset
from pipelines.store.references import SHORT
from pipelines.store.reports.problems import find_problems


def given_problems(config: EvaluateConfig, store: Store) -> ProblemManifest | None:
    """Returns the manifest that a configuration names, None where it names none; raises as `find_problems` does."""
    return None if config.problems is None else find_problems(store, config.problems)


def check_problems(problems: ProblemManifest, dataset: Dataset) -> None:
    """Passes where problems were drawn from a dataset, and are in groups that can be judged.

    Raises:
        InputError: they are of another world, size or dataset, or as `check_given` says.
    """
    reference = dataset.manifest.reference
    size = dataset.manifest.image_size[0]
    if (problems.world, problems.image_size) != (dataset.world, size):
        raise InputError(
            f"problems {problems.digest[:SHORT]} are of {problems.world} at {problems.image_size} pixels and dataset "
            f"'{reference}' holds {dataset.world} at {size}; choose problems that were drawn from this dataset"
        )
    if problems.dataset_digest != reference.digest:
        raise InputError(
            f"problems {problems.digest[:SHORT]} were drawn from dataset '{problems.dataset}' "
            f"({problems.dataset_digest[:SHORT]}) and not from '{reference}' ({reference.digest[:SHORT]}), whose "
            "episodes are others; choose the dataset that they were drawn from"
        )
    check_given(problems, dataset)


def check_states(problems: ProblemManifest, dataset: Dataset) -> None:
    """Passes where the episodes of a dataset hold the states of problems; reads those that they are of.

    What lies in a store has the digest of its content; a file from elsewhere may have been edited.

    Raises:
        InputError: one starts or ends in another state.
    """
    for group in problems.groups.values():
        with_frames(group, dataset)


def problems_of(
    evaluation: Evaluation, dataset: Judged, seed: int, given: ProblemManifest | None
) -> ProblemManifest | None:
    """Returns the problems that an evaluation is to solve, which it has now; None where it solves none.

    Raises:
        InputError: the dataset has no such problems, or cannot be simulated.
    """
    if not evaluation.solves_problems:
        return None
    reference = dataset.manifest.reference
    problems = given
    if problems is None:
        drawn = evaluation.draw_problems(dataset, seed)
        if drawn is None:
            return None
        problems = replace(drawn, dataset=str(reference), dataset_digest=reference.digest)
    evaluation.use_problems(problems)
    return problems
