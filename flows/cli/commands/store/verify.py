"""`jepa verify`: every byte of a store, or of a dataset or model, read again, and what is wrong restored."""

from typing import TYPE_CHECKING, Any

from pydantic import Field, PositiveInt

from flows.cli.commands.context import Context
from infra.errors import InfraError
from infra.storage import Store
from jepa.core.errors import InputError
from pipelines.collect import WorkConfig
from pipelines.store import DatasetHandle
from pipelines.store.models.layout import ModelLayout

if TYPE_CHECKING:
    from pipelines.store import VerifyReport
    from pipelines.store.sealed import Problem
    from pipelines.store.verify import StoreReport


class VerifyOptions(WorkConfig):
    """What to verify."""

    name: str | None = Field(default=None, min_length=1)
    """name of a dataset or model; by default the whole store, reports too"""
    version: PositiveInt | None = None
    """version of the dataset; by default all, and the copies of the newest"""
    repair: bool = False
    """restore what is damaged or missing, byte for byte: from a whole copy, or by collecting it again"""
    file: str | None = None
    """HDF5 file that the dataset was imported from, for --repair"""


Options = VerifyOptions
POSITIONAL = "name"
EXAMPLE = "jepa verify d0 --repair\n  jepa verify   # the whole store"


def execute(options: VerifyOptions, context: Context) -> int:
    """Verifies; damage is listed file by file and makes the command fail, unless it could be repaired."""
    store = context.store(writes=options.repair)
    if options.name is None and options.version is not None:
        raise InputError(f"version {options.version} is given without a name; name the dataset")
    if options.name is not None:
        _check_is_there(store, options.name, options.version)
    report = _verify(options, store)
    lines = _problems(report)
    lost: list[str] = []
    repaired = options.repair and not _is_complete(report)
    if repaired:
        with context.start(options):
            lost = _repair(report, options, context, store)
        report = _verify(options, store)
        lines += ["after the repair:", *lost, *_problems(report)]
    context.show(
        _facts(report, options) | {"ok": report.ok, "repaired": repaired, "lost": lost}, [*lines, *_ends(report)]
    )
    return 0 if report.ok else 1


def _check_is_there(store: Store, name: str, version: int | None) -> None:
    """Passes where the store holds anything of a dataset or model of that name; nothing heavy is imported for it."""
    dataset, model = DatasetHandle(store, name), ModelLayout(name)
    if not store.list(f"{dataset.layout.root}/") and not store.list(f"{model.root}/"):
        dataset.require(version)


def _verify(options: VerifyOptions, store: Store) -> "StoreReport":
    from pipelines.store.verify import verify_named, verify_store

    return verify_store(store) if options.name is None else verify_named(store, options.name, options.version)


def _is_complete(report: "StoreReport") -> bool:
    """Returns whether there is nothing to restore, and no digest of a dataset to write."""
    return report.ok and not any(dataset.unknown for dataset in report.datasets)


def _repair(report: "StoreReport", options: VerifyOptions, context: Context, store: Store) -> list[str]:
    """Restores what can be; returns a sentence for each dataset that is lost for good."""
    from pipelines.collect import repair as repair_dataset
    from pipelines.store.models.manifest import ModelHandle
    from pipelines.store.models.verify import restore_model

    lost = []
    for dataset in report.datasets:
        try:
            repair_dataset(DatasetHandle(store, dataset.dataset), options, context.progress(), options.file)
        except (InputError, InfraError) as error:
            if options.name is not None:
                raise
            lost.append(str(error))
    for model in report.models:
        restore_model(ModelHandle(store, model.model))
    return lost


def _facts(report: "StoreReport", options: VerifyOptions) -> dict[str, Any]:
    """Returns the report as JSON; that of one dataset stands at the top."""
    facts = report.model_dump(mode="json")
    if options.name is None:
        return facts
    return {**(facts["datasets"][0] if facts["datasets"] else {}), "models": facts["models"]}


def _problems(report: "StoreReport") -> list[str]:
    found = [(f"datasets/{one.dataset}/", one.problems) for one in report.datasets]
    found += [(f"models/{one.model}/", one.problems) for one in report.models]
    found += [("", report.reports.problems)] if report.reports else []
    alone = len(found) == 1
    return [_line("" if alone else folder, problem) for folder, problems in found for problem in problems]


def _line(folder: str, problem: "Problem") -> str:
    return f"{problem.kind}: {folder}{problem.path} {problem.detail}".rstrip()


def _ends(report: "StoreReport") -> list[str]:
    """Returns a line for each thing that was verified, after those about what cannot be known."""
    lines = [f"not known: {sentence}" for sentence in report.unknown]
    for dataset in report.datasets:
        lines += [f"not known: dataset {dataset.dataset}: {sentence}" for sentence in dataset.unknown]
        good = "every byte is as it was collected"
        lines.append(f"dataset {dataset.dataset}: {_size(dataset)}: {_verdict(dataset.problems, good)}")
    for model in report.models:
        lines += [f"not known: model {model.model}: {sentence}" for sentence in model.unknown]
        good = "every byte is as it was written"
        lines.append(f"model {model.model}: {model.bytes:,} bytes: {_verdict(model.problems, good)}")
    if report.reports is not None:
        lines += [f"not known: reports: {sentence}" for sentence in report.reports.unknown]
        size = f"{report.reports.units} units in {report.reports.files} files"
        lines.append(f"reports: {size}: {_verdict(report.reports.problems, 'every byte is as it was written')}")
    return lines


def _size(report: "VerifyReport") -> str:
    return f"version {report.version}, {report.shards} shards, {report.chunks} chunks, {report.bytes:,} bytes"


def _verdict(problems: "tuple[Problem, ...]", good: str) -> str:
    return f"{len(problems)} files are damaged or missing" if problems else good
