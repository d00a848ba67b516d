"""`jepa verify`: every byte of a dataset, read again, and what is wrong made again."""

from pydantic import Field, PositiveInt

from flows.cli.commands.context import Context
from pipelines.collect import WorkConfig
from pipelines.collect import repair as repair_dataset
from pipelines.store import DatasetHandle, VerifyReport
from pipelines.store import verify as verify_dataset


class VerifyOptions(WorkConfig):
    """The dataset to verify."""

    name: str = Field(min_length=1)
    """name of the dataset"""
    version: PositiveInt | None = None
    """version of the dataset; by default the newest"""
    repair: bool = False
    """collect again exactly what is damaged or missing, byte for byte, in the newest version"""
    file: str | None = None
    """HDF5 file that the dataset was imported from, for --repair"""


Options = VerifyOptions
POSITIONAL = "name"
EXAMPLE = "jepa verify d0 --repair"


def execute(options: VerifyOptions, context: Context) -> int:
    """Verifies a dataset; damage is listed file by file and makes the command fail, unless it could be repaired."""
    store = context.store(writes=options.repair)
    dataset = DatasetHandle(store, options.name)
    report = verify_dataset(dataset, options.version)
    lines = _problems(report)
    repaired = options.repair and not report.ok
    if repaired:
        with context.start(options):
            repair_dataset(dataset, options, context.progress(), options.file)
        report = verify_dataset(dataset)
        lines += ["after the repair:", *_problems(report)]
    context.show(
        report.model_dump(mode="json") | {"ok": report.ok, "repaired": repaired},
        [*lines, f"dataset {options.name}: {_size(report)}: {_verdict(report)}"],
    )
    return 0 if report.ok else 1


def _problems(report: VerifyReport) -> list[str]:
    return [f"{problem.kind}: {problem.path} {problem.detail}".rstrip() for problem in report.problems]


def _size(report: VerifyReport) -> str:
    return f"version {report.version}, {report.shards} shards, {report.chunks} chunks, {report.bytes:,} bytes"


def _verdict(report: VerifyReport) -> str:
    return "every byte is as it was collected" if report.ok else f"{len(report.problems)} files are damaged or missing"
