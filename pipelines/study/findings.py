"""The findings of a study as rows of the table `claims`, so that verdicts are queried like all other figures."""

from typing import Any

from infra.storage import Store
from infra.version import code_version
from jepa.core.config import digest_of
from jepa.studies import Claim, Finding
from pipelines.store.reports import Context, UnitManifest, plan_run, read_table, read_unit, unit_key, write_tables
from pipelines.study.plan import StudyPlan


def commit_findings(
    plan: StudyPlan, store: Store, findings: tuple[tuple[Claim, Finding], ...], units: tuple[UnitManifest, ...]
) -> UnitManifest | None:
    """Commits what was found of the claims; None where the study makes none.

    A run holds one finding of each claim, the newest; the same cells and findings again change nothing.
    """
    if not findings:
        return None
    cells = {unit.key: [part.sha256 for part in unit.parts] for unit in units}
    rows = [_row(plan, claim, finding, digest_of(cells)) for claim, finding in findings]
    key = unit_key("claims", plan.study.name, {"run": plan.run, "study": plan.study.name})
    plan_run(store, plan.run, [key], plan.config.model_dump(mode="json"))
    held = read_unit(store, key)
    if held is not None and _held_rows(store, held) == rows:
        return held
    context = Context(run=plan.run, evaluation_version=plan.study.version, code_version=code_version())
    return write_tables(store, {"claims": rows}, key, context, replace=True)


def _row(plan: StudyPlan, claim: Claim, finding: Finding, cells: str) -> dict[str, Any]:
    return {
        "study": plan.study.name,
        "preset": plan.config.named_grid,
        "paper": plan.study.paper or None,
        "claim": claim.name,
        "source": claim.source,
        "sentence": claim.sentence,
        "published": claim.published,
        "verdict": finding.verdict,
        "found": finding.found,
        "value": finding.value,
        "ci_low": finding.low,
        "ci_high": finding.high,
        "n": finding.n,
        "cells_digest": cells,
    }


def _held_rows(store: Store, unit: UnitManifest) -> list[dict[str, Any]]:
    frame = read_table(store, "claims", units=[unit]).compute()
    own = frame[list(_COLUMNS)].astype(object)
    return [
        {str(name): value for name, value in row.items()} for row in own.where(own.notna(), None).to_dict("records")
    ]


_COLUMNS = (
    *("study", "preset", "paper", "claim", "source", "sentence", "published", "verdict", "found"),
    *("value", "ci_low", "ci_high", "n", "cells_digest"),
)
