"""`jepa import-lewm`: a model from weights that somebody else released, and back."""

from typing import Any

from flows.cli.commands.context import Context
from infra.storage import Store
from jepa.core.input.files import require_file
from pipelines.pretrain import ImportLewmConfig
from pipelines.pretrain.imports.target import check_target
from pipelines.pretrain.sources import check_sources_are_there
from pipelines.store.models.names import check_model_is_there
from pipelines.store.references import split_model

Options = ImportLewmConfig
POSITIONAL = "file"
EXAMPLE = (
    "jepa import-lewm lewm_tworoom.pt --name lewm --dataset d0\n  jepa import-lewm m0.safetensors --name m0 --export"
)


def execute(options: ImportLewmConfig, context: Context) -> int:
    """Makes the model, or writes the file."""
    store = context.store(writes=not options.export)
    result, lines = (_exported if options.export else _imported)(options, store)
    context.show({"model": options.name, "file": options.file, **result}, lines)
    return 0


def _imported(options: ImportLewmConfig, store: Store) -> tuple[dict[str, Any], list[str]]:
    require_file(f"file {options.file!r}", options.file)
    check_sources_are_there(store, options.name, options.dataset or "")
    from pipelines.pretrain import import_weights
    from pipelines.store.models.manifest import ModelHandle

    manifest = import_weights(options, store)
    address = ModelHandle(store, options.name).address
    return {"parameters": manifest.parameters, "dataset": manifest.dataset, "address": address}, [
        f"model {options.name}: {manifest.parameters:,} parameters, for world {manifest.world}",
        address,
        f"`jepa evaluate --model {options.name}` judges it on dataset {manifest.dataset}",
    ]


def _exported(options: ImportLewmConfig, store: Store) -> tuple[dict[str, Any], list[str]]:
    check_target(options.file)
    check_model_is_there(store, options.name)
    from pipelines.pretrain import export_weights
    from pipelines.store.models.heads.handle import heads_of

    model = export_weights(options, store)
    mean, std = model.action_mean.tolist(), model.action_std.tolist()
    norm_eps = model.config.encoder_options["norm_eps"]
    heads = [head.name for head in heads_of(store, split_model(options.name)[0])]
    heads_line = [f"nor are its heads {', '.join(heads)}, which stay in the store"] if heads else []
    return {"action_mean": mean, "action_std": std, "frameskip": model.config.frameskip}, [
        f"file {options.file}: model {options.name} in the released layout",
        f"not part of it: frameskip {model.config.frameskip}, and that actions are z-scored with mean "
        f"{', '.join(f'{value:.6g}' for value in mean)} and standard deviation "
        f"{', '.join(f'{value:.6g}' for value in std)}",
        f"nor is the encoder's norm_eps {norm_eps:g}; give it to what reads the file, which takes 1e-12 otherwise",
        *heads_line,
    ]
