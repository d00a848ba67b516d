"""`jepa import-hdf5`: a dataset from a file that somebody else published."""

from flows.cli.commands.context import Context
from jepa.core.input.files import require_file
from pipelines.collect import ImportConfig
from pipelines.collect.imports.config import check_choices

Options = ImportConfig
POSITIONAL = "file"
EXAMPLE = "jepa import-hdf5 pusht_expert_train.h5 --name pusht --world pusht --actors 2"


def execute(options: ImportConfig, context: Context) -> int:
    """Imports what is missing of the dataset."""
    require_file(f"file {options.file!r}", options.file)
    check_choices(options)
    from pipelines.collect import import_hdf5 as import_file
    from pipelines.collect import import_notices, plan_import
    from pipelines.store import DatasetHandle

    plan_import(options)
    store = context.store()
    with context.start(options):
        manifest = import_file(options, store, context.progress())
    address = DatasetHandle(store, options.name).address
    figures = {"episodes": manifest.plan.episodes, "frames": manifest.total("frames"), "bytes": manifest.total("bytes")}
    notices = import_notices(manifest.plan, manifest.quantities)
    context.show(
        {"dataset": options.name, "address": address, "file": options.file, **figures, "notices": notices},
        [
            f"dataset {options.name}: " + ", ".join(f"{value:,} {name}" for name, value in figures.items()),
            *notices,
            address,
        ],
    )
    return 0
