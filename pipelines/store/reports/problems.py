"""Manifests of planning problems in a store, `problems/<digest>.parquet`: a row for each problem.

The name is the digest of the content, so that a changed file is found by reading it.
"""

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from infra.errors import InfraError
from infra.storage import Store
from jepa.core.episodes import State
from jepa.core.errors import InputError
from jepa.core.input.files import read_file
from jepa.planning.problem_manifest import DrawnProblem, ProblemManifest
from pipelines.store.references import SHORT
from pipelines.store.sealed import read_if_there

if TYPE_CHECKING:
    import pyarrow as pa

PROBLEMS = "problems"
SUFFIX = ".parquet"
FACTS = ("world", "image_size", "seed", "dataset", "dataset_digest")
"""What all rows have in common: metadata of the file's schema."""
DIGEST = re.compile("[0-9a-f]{64}")
PATH = re.compile(rf"{PROBLEMS}/(?P<digest>[0-9a-f]{{64}})\.parquet")
COLUMNS = {
    "split": "string",
    "goal": "string",
    "offset": "int64",
    "problem": "int64",
    "episode": "int64",
    "start_row": "int64",
    "seed": "int64",
}
"""Beside these, `start/<quantity>` and `goal/<quantity>` hold states, lists of float32."""
STITCHED_COLUMNS = {"goal_episode": "int64", "goal_row": "int64"}
"""What there is besides where start and goal are of different episodes."""


class NoManifestError(ValueError):
    """A file is no manifest; the message is the reason, in words that fit into a sentence."""


UNREADABLE = (ValueError, KeyError, TypeError, OSError)
"""What Arrow raises, and we, of a file that is no manifest."""


def problems_path(digest: str) -> str:
    """Returns where the manifest of a digest lies."""
    return f"{PROBLEMS}/{digest}{SUFFIX}"


def problem_digests(store: Store) -> list[str]:
    """Returns the digests of all manifests in a store."""
    return sorted(found["digest"] for path in store.list(f"{PROBLEMS}/") if (found := PATH.fullmatch(path)))


def write_problems(store: Store, problems: ProblemManifest) -> str:
    """Writes a manifest, unless it is there and whole, and returns its digest."""
    path = problems_path(problems.digest)
    data = read_if_there(store, path)
    if data is None or not is_whole(data, problems.digest):
        store.write(path, to_parquet(problems))
    return problems.digest


def read_problems(store: Store, digest: str) -> ProblemManifest:
    """Returns the manifest of a digest.

    Raises:
        InfraError: it is gone, or its content is not what its name says.
    """
    path = problems_path(digest)
    data = read_if_there(store, path)
    if data is None:
        raise InfraError(f"problems {store.address(path)} are gone; evaluate again")
    if not is_whole(data, digest):
        raise InfraError(f"{store.address(path)} is damaged: its content has another digest; evaluate again")
    return from_parquet(data)


def is_problems_file(digest_or_file: str) -> bool:
    """Returns whether problems are named by the path of a file, not by a digest."""
    return digest_or_file.endswith(SUFFIX)


def find_problems(store: Store, digest_or_file: str) -> ProblemManifest:
    """Returns a manifest by the first digits of its digest, or by the path of a file.

    Raises:
        InputError: there is none, the digits fit several, or the file is no manifest.
        InfraError: it is damaged.
    """
    if is_problems_file(digest_or_file):
        what = f"problems file {digest_or_file!r}"
        try:
            return _named(from_parquet(read_file(what, digest_or_file)), digest_or_file)
        except InputError:
            raise
        except UNREADABLE as error:
            reason = f" ({error})" if isinstance(error, NoManifestError) else ""
            raise InputError(
                f"{what} is no manifest of planning problems{reason}; give one of {PROBLEMS}/ in a store"
            ) from error
    known = problem_digests(store)
    found = [digest for digest in known if digest.startswith(digest_or_file)]
    if len(found) != 1:
        choices = ", ".join(digest[:SHORT] for digest in (found or known))
        raise InputError(
            f"problems {digest_or_file!r} {'fit several manifests' if found else 'are not'} in store {store.uri!r}; "
            + (f"choose one of: {choices}" if choices else "evaluate planning first, or give a file")
        )
    return read_problems(store, found[0])


def _named(problems: ProblemManifest, file: str) -> ProblemManifest:
    """Returns a file's manifest.

    Raises:
        InputError: the file's name is a digest, and not that of its content.
    """
    name = PurePath(file).stem
    if DIGEST.fullmatch(name) and name != problems.digest:
        raise InputError(
            f"problems file {file!r} was changed: its name is the digest of other problems than it holds "
            f"({problems.digest[:SHORT]}); take it again from the store that wrote it, or give it another name"
        )
    return problems


def is_whole(data: bytes, digest: str) -> bool:
    """Returns whether the bytes of a file are a manifest with that digest."""
    try:
        return from_parquet(data).digest == digest
    except UNREADABLE:
        return False


def to_parquet(problems: ProblemManifest) -> bytes:
    """Returns a manifest as the bytes of a Parquet file."""
    import pyarrow as pa

    from pipelines.store.parquet import parquet_bytes

    rows = problems.problems
    kinds = {**COLUMNS, **STITCHED_COLUMNS} if problems.stitched else COLUMNS
    columns: dict[str, pa.Array[Any]] = {
        name: pa.array([_cell(one, name) for one in rows], getattr(pa, kind)()) for name, kind in kinds.items()
    }
    for which in ("start", "goal"):
        for quantity in sorted(getattr(rows[0], which)) if rows else ():
            values = [getattr(one, which)[quantity].tolist() for one in rows]
            columns[f"{which}/{quantity}"] = pa.array(values, pa.list_(pa.float32()))
    common = {name: str(getattr(problems, name)) for name in FACTS}
    return parquet_bytes(pa.table(columns).replace_schema_metadata(common), checksums=True)


def from_parquet(data: bytes) -> ProblemManifest:
    """Returns the manifest that the bytes of a Parquet file are.

    Raises:
        NoManifestError: the file lacks a column or a fact, or holds others than a manifest does.
        OSError: it is no Parquet file, or a page of it is damaged.
    """
    from pipelines.store.parquet import open_parquet, read_parquet

    table = read_parquet(open_parquet(data, checksums=True))
    facts = {name.decode(): value.decode() for name, value in (table.schema.metadata or {}).items()}
    if lacking := [name for name in FACTS if name not in facts]:
        raise NoManifestError(f"the file lacks {', '.join(lacking)}")
    _check_columns(table)
    rows = table.to_pylist()
    return ProblemManifest(
        world=facts["world"],
        image_size=_whole(facts, "image_size"),
        seed=_whole(facts, "seed"),
        problems=tuple(_problem(row) for row in rows),
        dataset=facts["dataset"],
        dataset_digest=facts["dataset_digest"],
    )


def _whole(facts: dict[str, str], name: str) -> int:
    try:
        return int(facts[name])
    except ValueError as error:
        raise NoManifestError(f"its {name} is {facts[name]!r}, no whole number") from error


def _check_columns(table: "pa.Table") -> None:
    """Raises NoManifestError where a column lacks, is of another type, has holes, or a row is no row of an episode."""
    import pyarrow as pa
    import pyarrow.compute as pc

    held = {name for name in STITCHED_COLUMNS if name in table.column_names}
    kinds = {**COLUMNS, **STITCHED_COLUMNS} if held else COLUMNS
    if lacking := [name for name in kinds if name not in table.column_names]:
        raise NoManifestError(f"the file lacks the columns {', '.join(lacking)}")
    for name, kind in kinds.items():
        held_as = table.schema.field(name).type
        fits = pa.types.is_integer(held_as) if kind == "int64" else str(held_as) in ("string", "large_string")
        if not fits or table[name].null_count:
            raise NoManifestError(f"column {name} is not {kind} throughout")
    for name in {"episode", "start_row", *held}:
        if table.num_rows and pc.min(table[name]).as_py() < 0:
            raise NoManifestError(f"column {name} has a number below 0")


def _cell(one: DrawnProblem, column: str) -> Any:
    return getattr(one, {"goal": "goal_kind", "problem": "number"}.get(column, column))


def _problem(row: dict[str, Any]) -> DrawnProblem:
    return DrawnProblem(
        number=row["problem"],
        split=row["split"],
        goal_kind=row["goal"],
        offset=row["offset"],
        episode=row["episode"],
        start_row=row["start_row"],
        seed=row["seed"],
        start=_state(row, "start/"),
        goal=_state(row, "goal/"),
        goal_episode=row.get("goal_episode"),
        goal_row=row.get("goal_row"),
    )


def _state(row: dict[str, Any], prefix: str) -> State:
    return {
        name.removeprefix(prefix): np.array(value, dtype=np.float32)
        for name, value in row.items()
        if name.startswith(prefix)
    }
