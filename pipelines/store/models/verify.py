"""Re-reads every file of a model, names what is damaged or missing, and restores what has a whole copy."""

import re

from infra.errors import InfraError
from pipelines.store.models.card import model_card
from pipelines.store.models.checkpoints import Checkpoints
from pipelines.store.models.claim import parse_claim
from pipelines.store.models.curve import parse_curve, read_curve
from pipelines.store.models.digests import is_whole, parse_digests, read_digests, write_digests
from pipelines.store.models.heads.verify import check_heads
from pipelines.store.models.manifest import ModelHandle, ModelManifest
from pipelines.store.sealed import Findings, Problem, check_file, read_if_there, sha256


class ModelReport(Findings):
    """What a verification of a model found."""

    model: str
    bytes: int


def verify_model(model: ModelHandle) -> ModelReport:
    """Reads all files of a model, or of a training that is not finished, and compares every digest.

    Raises:
        InputError: nothing of that name is there.
        InfraError: the store cannot be read.
    """
    root = f"{model.layout.root}/"
    paths = [path.removeprefix(root) for path in model.store.list(root)]
    if not paths:
        model.require()
    look = _Look(model, paths)
    look.manifests()
    look.training()
    look.heads()
    left = [path for path in paths if path not in look.seen]
    if left:
        look.unknown.append(f"no digest is known of {len(left)} files, the first is {left[0]}")
    size = sum(model.store.size(root + path) for path in paths)
    return ModelReport(model=model.name, bytes=size, problems=tuple(look.problems), unknown=tuple(look.unknown))


def restore_model(model: ModelHandle) -> None:
    """Puts back what is lost or damaged and has a whole copy, or comes out with the digest that is known."""
    store, layout = model.store, model.layout
    held = {digest: data for digest in sorted(model.recorded()) if (data := _whole_manifest(model, digest)) is not None}
    for digest, data in held.items():
        if read_if_there(store, layout.manifest(digest)) != data and read_digests(store, layout, digest) is not None:
            store.write(layout.manifest(digest), data)
    newest = _newest({digest: ModelManifest.model_validate_json(data) for digest, data in held.items()})
    if newest is None:
        return
    if read_if_there(store, layout.config) != held[newest.digest]:
        store.write(layout.config, held[newest.digest])
    _restore_card(model, newest, held[newest.digest])


class _Look:
    """One verification under way."""

    def __init__(self, model: ModelHandle, paths: list[str]) -> None:
        self.model, self.store, self.layout = model, model.store, model.layout
        self.paths = paths
        self.problems: list[Problem] = []
        self.unknown: list[str] = []
        self.seen: set[str] = set()

    def manifests(self) -> None:
        """Checks `config.json`, all manifests with their digests and weights, and the card."""
        newest = self._config()
        digests = sorted(self.model.recorded())
        if newest is None and digests and "config.json" not in self.seen:
            self._add("config.json", "missing")
        for digest in digests:
            self._manifest(digest)
        if newest is not None and newest.digest not in digests:
            self.unknown.append("config.json was written by earlier code: only weights and configuration are checked")
            self._weights(newest)
        if newest is not None and newest.segments and "metrics.parquet" not in self.paths:
            self._add("metrics.parquet", "missing")
        recorded = None if newest is None else read_digests(self.store, self.layout, newest.digest)
        if recorded is not None:
            self._file("card.md", recorded.card)

    def training(self) -> None:
        """Checks claims, checkpoints and the curve."""
        checkpoints = Checkpoints(self.model)
        for path in self.paths:
            data = read_if_there(self.store, self.layout.file(path))
            whole: bool | None = None
            if found := re.fullmatch(r"checkpoints/step-(\d{8,})/checkpoint\.json", path):
                self._checkpoint(checkpoints, int(found[1]), path)
            elif path.startswith("claims/"):
                whole = data is not None and parse_claim(data) is not None
            elif path == "metrics.parquet":
                whole = data is not None and parse_curve(data) is not None
            if whole is not None:
                self.seen.add(path)
            if whole is False:
                self._add(path, "damaged")

    def heads(self) -> None:
        """Checks manifests, weights and cards of the heads."""
        problems, seen = check_heads(self.store, self.layout)
        self.seen |= seen
        for problem in problems:
            self._add(problem.path, problem.kind)

    def _config(self) -> ModelManifest | None:
        if "config.json" not in self.paths:
            return None
        self.seen.add("config.json")
        try:
            return self.model.manifest()
        except InfraError:
            self._add("config.json", "damaged")
            return None

    def _manifest(self, digest: str) -> None:
        path, record = f"manifests/{digest}.json", f"digests/{digest}.json"
        self.seen |= {path, record}
        kept = read_if_there(self.store, self.layout.digest(digest))
        if kept is not None and parse_digests(kept) is None:
            self._add(record, "damaged")
        elif kept is None:
            # A record is as old as the first manifest that was committed with one.
            if any(other.startswith("digests/") for other in self.paths):
                self._add(record, "missing")
            else:
                self.unknown.append(f"{record} is not there: of {path} only weights and configuration are checked")
        data = read_if_there(self.store, self.layout.manifest(digest))
        if data is None:
            self._add(path, "missing")
        elif not _is_manifest(self.model, digest, data):
            self._add(path, "damaged")
        whole = _whole_manifest(self.model, digest)
        if whole is not None:
            self._weights(ModelManifest.model_validate_json(whole))

    def _weights(self, manifest: ModelManifest) -> None:
        named = f"weights/{manifest.weights_sha256}.safetensors"
        early = named not in self.paths and "model.safetensors" in self.paths
        self._file("model.safetensors" if early else named, manifest.weights_sha256)

    def _checkpoint(self, checkpoints: Checkpoints, step: int, path: str) -> None:
        state = path.replace("checkpoint.json", "state.safetensors")
        self.seen |= {path, state}
        mark = checkpoints.read_mark(step)
        if mark is None:
            self._add(path, "damaged")
        else:
            self._file(state, mark.sha256)

    def _file(self, path: str, digest: str) -> None:
        self.seen.add(path)
        problem = check_file(self.store, self.layout.root, path, digest)
        if problem is not None:
            self._add(problem.path, problem.kind)

    def _add(self, path: str, kind: str) -> None:
        if all(problem.path != path for problem in self.problems):
            self.problems.append(Problem(path=path, kind=kind))


def _is_manifest(model: ModelHandle, digest: str, data: bytes) -> bool:
    """Returns whether the bytes are the manifest of a digest, as far as is known."""
    try:
        ModelManifest.model_validate_json(data)
        return is_whole(model.store, model.layout, digest, data) is not False
    except ValueError:
        return False


def _whole_manifest(model: ModelHandle, digest: str) -> bytes | None:
    """Returns the bytes of a manifest: its own file's or, where these are not whole, those of a copy."""
    recorded = read_digests(model.store, model.layout, digest)
    for path in (model.layout.manifest(digest), model.layout.config):
        data = read_if_there(model.store, path)
        if data is not None and _is_manifest(model, digest, data):
            return data
    return None if recorded is None else recorded.manifest_text.encode()


def _newest(manifests: dict[str, ModelManifest]) -> ModelManifest | None:
    """Returns the manifest that no other goes on from; None where that is not clear."""
    earlier = {
        one.continued_from.digest
        for digest, one in manifests.items()
        if one.continued_from is not None and one.continued_from.digest != digest
    }
    last = [manifest for digest, manifest in manifests.items() if digest not in earlier]
    return last[0] if len(last) == 1 else None


def _restore_card(model: ModelHandle, newest: ModelManifest, data: bytes) -> None:
    """Puts back the card; or the record of manifest and card, if the card is what manifest and curve say."""
    store, layout = model.store, model.layout
    recorded = read_digests(store, layout, newest.digest)
    held = read_if_there(store, layout.card)
    if recorded is not None and held is not None and sha256(held) == recorded.card:
        return
    if recorded is not None:
        store.write(layout.card, recorded.card_text.encode())
        return
    try:
        again = model_card(newest, read_curve(model, newest.recipe.train.steps)).encode()
    except InfraError:
        return
    if held == again and model.store.list(layout.manifests):
        write_digests(store, layout, newest.digest, data, held)
