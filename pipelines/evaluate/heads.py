"""Heads that an evaluation's planners ask for: those of its configuration or of the model, and which are missing."""

from collections.abc import Sequence

from infra.storage import Store
from jepa.core.errors import InputError
from jepa.evaluation import Protocol
from pipelines.evaluate.config import EvaluateConfig
from pipelines.store.models.heads.handle import heads_of, resolve_head
from pipelines.store.models.heads.manifest import HeadRef
from pipelines.store.models.manifest import resolve_model
from pipelines.store.references import ModelRef


def heads_for(config: EvaluateConfig, store: Store, model: ModelRef, kinds: Sequence[str]) -> tuple[HeadRef, ...]:
    """Returns the heads of these kinds: those that were asked for by name, or else the model's newest.

    Raises:
        InputError: the model lacks some; one sentence names all of them, and what fits them.
    """
    found, lacking = [], []
    for kind in kinds:
        named = [name for name in config.heads if _kind(name) == kind]
        try:
            found.append(resolve_head(store, model, kind, named[0] if named else None))
        except InputError as error:
            lacking.append((kind, error))
    if len(lacking) == 1:
        raise lacking[0][1]
    if lacking:
        names = [kind for kind, _ in lacking]
        raise InputError(
            f"model {model} has no heads {', '.join(names)}, which planners of the protocol ask for; fit them by "
            f"`jepa fit-heads --model {model} --heads {' '.join(names)}`"
        )
    return tuple(found)


def check_named(config: EvaluateConfig, store: Store, model: ModelRef) -> None:
    """Passes where every head that is named is there, also one that no planner will ask for.

    Raises:
        InputError: one is not, or two of one kind are named.
    """
    kinds = [_kind(name) for name in config.heads]
    if twice := [kind for kind in kinds if kinds.count(kind) > 1]:
        raise InputError(f"heads names two of kind {twice[0]!r}; leave one of them")
    for name in config.heads:
        resolve_head(store, model, _kind(name), name)


def missing_heads(config: EvaluateConfig, store: Store, protocol: Protocol) -> tuple[str, ...]:
    """Returns the kinds of heads that planners of a protocol ask for and the model lacks, in alphabetical order.

    A head that was trained jointly with the model knows pairs of frames of one clip: where the protocol's goals are
    farther ahead, it is none of them. A kind of which the configuration names a head is not missing: it means that very
    one.
    """
    model = resolve_model(store, config.model)
    own = [held.request for held in heads_of(store, model.name) if held.request.model == model]
    named = {_kind(name) for name in config.heads}
    missing: set[str] = set()
    for evaluation in map(protocol.evaluation, config.kinds):
        reach = evaluation.farthest_goal()
        there = {one.kind for one in own if one.jointly is None or one.jointly.longest >= reach}
        missing |= {*evaluation.needs_heads()} - there - named
    return tuple(sorted(missing))


def _kind(name: str) -> str:
    return name.rpartition("-")[0]
