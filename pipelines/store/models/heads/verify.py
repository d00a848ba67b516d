"""Whether the files of heads are as they were written, and which of them belong to nothing."""

from collections.abc import Iterator

from infra.errors import InfraError
from infra.storage import Store
from pipelines.store.models.heads.handle import head_names, read_head_manifest
from pipelines.store.models.layout import ModelLayout
from pipelines.store.sealed import Problem, check_file


def check_heads(store: Store, layout: ModelLayout) -> tuple[list[Problem], set[str]]:
    """Returns what is wrong with the heads of a model's name, and the files looked at, as `verify` names them.

    A head whose fit was cut off has no manifest; its files are none of these.
    """
    problems: list[Problem] = []
    seen: set[str] = set()
    for name in head_names(store, layout.name):
        folder = f"heads/{name}"
        try:
            manifest = read_head_manifest(store, layout.name, name)
        except InfraError:
            problems.append(Problem(path=f"{folder}/head.json", kind="damaged"))
            seen.add(f"{folder}/head.json")
            continue
        if manifest is None:
            continue
        digests = {
            f"{folder}/weights/{manifest.weights_sha256}.safetensors": manifest.weights_sha256,
            f"{folder}/card.md": manifest.card_sha256,
        }
        seen |= {f"{folder}/head.json", *digests}
        found = (check_file(store, layout.root, path, digest) for path, digest in digests.items())
        problems += [problem for problem in found if problem is not None]
    return problems, seen


def unnamed_files(store: Store, layout: ModelLayout) -> Iterator[str]:
    """Yields the files of heads that no manifest names: of a fit that was cut off, or from before one done again.

    Raises:
        InfraError: a manifest is damaged, so that nobody knows what it named.
    """
    for name in head_names(store, layout.name):
        manifest = read_head_manifest(store, layout.name, name)
        named = set()
        if manifest is not None:
            named = {layout.head(name, "head.json"), layout.head(name, "card.md")}
            named.add(layout.head_weights(name, manifest.weights_sha256))
        yield from (path for path in store.list(layout.head(name, "")) if path not in named)
