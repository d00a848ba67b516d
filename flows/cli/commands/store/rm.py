"""`jepa rm NAME`: removes a dataset, a model, a head or a run, unless something in the store depends on it."""

from typing import Literal

from pydantic import Field

from flows.cli.commands.context import Context
from jepa.core.config import Config
from jepa.core.errors import InputError


class RmOptions(Config):
    """What to remove."""

    name: str = Field(min_length=1)
    """name of a dataset, with all its versions, of a model, with all its weights and heads, of a head, or of a run"""
    kind: Literal["dataset", "model", "head", "run"] | None = None
    """`dataset`, `model`, `head` or `run`; needed where several have the name"""
    yes: bool = False
    """remove it; without this flag it is only said what would be removed"""


Options = RmOptions
POSITIONAL = "name"
EXAMPLE = "jepa rm r0 --yes\n  jepa rm m0 --kind model --yes"


def execute(options: RmOptions, context: Context) -> int:
    """Removes it, or says what keeps it, or what would be removed."""
    from pipelines.store.removal import kinds_of, plan_removal, remove

    store = context.store(writes=options.yes)
    kinds = kinds_of(store, options.name)
    if not kinds:
        raise InputError(f"name {options.name!r} is not in store {store.uri!r}; `jepa ls` lists what it holds")
    kind = options.kind or (kinds[0] if len(kinds) == 1 else None)
    if kind is None:
        listed = " and a ".join(kinds)
        raise InputError(f"name {options.name!r} is that of a {listed}; choose one by --kind")
    if kind not in kinds:
        raise InputError(f"name {options.name!r} is no {kind} in store {store.uri!r} but a {' and a '.join(kinds)}")
    removal = plan_removal(store, kind, options.name)
    lines = (
        [f"{len(removal.kept)} units stay: another run lists them, or they were done for it"] if removal.kept else []
    )
    if options.yes:
        context.working = True
        remove(store, removal)
        lines.append(f"{kind} {options.name!r} is removed: {len(removal.paths)} files")
    else:
        lines.append(f"{kind} {options.name!r} would be removed: {len(removal.paths)} files; give --yes to remove it")
    context.show(removal.model_dump(mode="json") | {"removed": options.yes}, lines)
    return 0
