"""The file that holds the plans of runs once they are compacted: each as it was written, word for word."""

from collections.abc import Mapping
from typing import NamedTuple

from pipelines.store.reports.runs.plan import RunPlan


class KeptPlan(NamedTuple):
    """A plan in that file."""

    revision: int
    """which plan of its stem it is, from 1"""
    token: str
    """by which its path differed from those of others that took the same number at once"""
    document: str
    """the plan, without the line that seals it: the digest of the file does that now"""

    @property
    def plan(self) -> RunPlan:
        """Returns the plan; it was read before it came here."""
        return RunPlan.model_validate_json(self.document)


def encoded_plans(plans: Mapping[str, KeptPlan]) -> bytes:
    """Returns the file that holds plans, a row for each, in order of their stems."""
    import pyarrow as pa

    from pipelines.store.parquet import parquet_bytes

    text, number = pa.string(), pa.int64()
    kinds: dict[str, pa.DataType] = {"plan": text, "revision": number, "token": text, "document": text}
    rows = [{"plan": stem, **plans[stem]._asdict()} for stem in sorted(plans)]
    return parquet_bytes(pa.Table.from_pylist(rows, schema=pa.schema(list(kinds.items()))))


def decoded_plans(data: bytes) -> dict[str, KeptPlan]:
    """Returns the plans of a file, whose digest is right, by their stems."""
    from pipelines.store.parquet import read_parquet

    columns = read_parquet(data).to_pydict()
    kept = zip(*(columns[name] for name in KeptPlan._fields), strict=True)
    return {stem: KeptPlan(*fields) for stem, fields in zip(columns["plan"], kept, strict=True)}
