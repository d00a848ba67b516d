"""The models that are compared: a side is one model, or several that are training seeds of one recipe."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from infra.storage import Store
from jepa.core.errors import InputError
from pipelines.store.models.names import model_names
from pipelines.store.references import SHORT, split_model
from pipelines.store.reports.manifest import UnitManifest

PATTERN = frozenset("*?[")
"""Characters of a pattern, as a shell has them."""


@dataclass(frozen=True)
class Judged:
    """A model whose rows the store holds, by content."""

    name: str
    digest: str | None
    """None where older code wrote the rows, which kept none"""
    units: tuple[UnitManifest, ...]
    """of its evaluations; those of checkpoints are not among them"""

    @property
    def text(self) -> str:
        """The model as people write it, with the digest."""
        return f"{self.name}@{self.digest[:SHORT]}" if self.digest else self.name


@dataclass(frozen=True)
class Side:
    """What stands on one side of a comparison: its name, and its models, one for each training seed."""

    text: str
    models: tuple[Judged, ...]

    @property
    def models_text(self) -> list[str]:
        """The models as people write them."""
        return [model.text for model in self.models]


def find_sides(store: Store, texts: Sequence[str], units: Sequence[UnitManifest]) -> list[Side]:
    """Returns the sides that people named, each `m0`, `m0@1a2b3c4d`, `m-s0,m-s1,m-s2` or a pattern, `m-s*`.

    Args:
        store: for messages.
        texts: two or more; all after the first are held against it.
        units: all committed units of the store.

    Raises:
        InputError: fewer than two are named, one has no evaluation, or one is on two sides.
    """
    if len(texts) < 2:
        raise InputError("name two models or more, e.g. `jepa compare m0 m1`; the first is what the others differ from")
    judged = judged_models(units)
    sides = [Side(text, tuple(_models(store, text, judged))) for text in texts]
    seen: dict[tuple[str, str | None], str] = {}
    for side in sides:
        for model in side.models:
            if (before := seen.setdefault((model.name, model.digest), side.text)) != side.text or (
                texts.count(side.text) > 1
            ):
                raise InputError(f"model {model.text} is named twice, in {before!r} and {side.text!r}; name two others")
    return sides


def judged_models(units: Sequence[UnitManifest]) -> dict[str, list[Judged]]:
    """Returns the models that units judge, by name, the weights that were judged last first."""
    found: dict[tuple[str, str | None], list[UnitManifest]] = {}
    for unit in units:
        if unit.model and unit.training_step is None and unit.kinds != frozenset({"training"}):
            found.setdefault((unit.model, unit.model_digest), []).append(unit)
    newest = sorted(found.items(), key=lambda entry: max(unit.created_at for unit in entry[1]), reverse=True)
    names: dict[str, list[Judged]] = {}
    for (name, digest), own in newest:
        names.setdefault(name, []).append(Judged(name, digest, tuple(own)))
    return names


def _models(store: Store, text: str, judged: dict[str, list[Judged]]) -> list[Judged]:
    found: dict[str, Judged] = {}
    for part in (one.strip() for one in text.split(",") if one.strip() or text == one):
        own = _matching(part, judged)
        if not own:
            raise _nothing(store, part, judged)
        found |= {model.text: model for model in own}
    return list(found.values())


def _nothing(store: Store, part: str, judged: dict[str, list[Judged]]) -> InputError:
    """Returns the error of what stands for no judged model: none is there, or none of these was judged yet."""
    there, pattern = model_names(store), bool(PATTERN & set(part))
    name = part if pattern else split_model(part)[0]
    unjudged = [one for one in there if (fnmatchcase(one, name) if pattern else one == name)]
    known = ", ".join(sorted(judged))
    remedy = f"choose from: {known}" if known else "evaluate two models first, with `jepa evaluate`"
    if unjudged:
        return InputError(
            f"model {unjudged[0]!r} is in store {store.uri!r}, but no evaluation judged it yet; first run: "
            f"jepa evaluate --model {unjudged[0]}" + (f"; judged are: {known}" if known else "")
        )
    if pattern:
        return InputError(f"pattern {part!r} fits no model of store {store.uri!r}; {remedy}")
    return InputError(f"there is no model {part!r} in store {store.uri!r}; {remedy}")


def _matching(part: str, judged: dict[str, list[Judged]]) -> list[Judged]:
    if PATTERN & set(part):
        return [models[0] for name, models in sorted(judged.items()) if fnmatchcase(name, part)]
    name, digest = split_model(part)
    own = judged.get(name, [])
    if digest is None:
        return own[:1]
    found = [model for model in own if model.digest is not None and model.digest.startswith(digest)]
    if not found and own:
        known = ", ".join(model.text for model in own)
        raise InputError(f"model {part!r} has no evaluation of such weights; choose from: {known}")
    if len(found) > 1:
        known = ", ".join(f"{name}@{model.digest}" for model in found)
        raise InputError(f"model {part!r} fits several weights; choose from: {known}")
    return found
