"""The findings of a study as rows of the table `claims`, so that verdicts are queried like all other figures."""

from typing import Any

from infra.storage import Store
from infra.version import code_version
from jepa.studies import Claim, Finding
from pipelines.store.reports import Context, UnitManifest, plan_run, read_unit, unit_key, write_tables
from pipelines.store.reports.manifest import content_digest
from pipelines.study.plan import StudyPlan
from pipelines.study.rows import own_rows


def commit_findings(
    plan: StudyPlan, store: Store, findings: tuple[tuple[Claim, Finding], ...], units: tuple[UnitManifest, ...]
) -> None:
    """Commits what was found of the claims, if the study makes any.

    A run holds one finding of each claim, the newest; the same cells and findings again change nothing.
    """
    if not findings:
        return
    rows = [_row(plan, claim, finding, content_digest(units)) for claim, finding in findings]
    key = unit_key("claims", plan.study.name, {"run": plan.run, "study": plan.study.name})
    plan_run(store, plan.run, [key], plan.config.model_dump(mode="json"))
    held = read_unit(store, key)
    if held is not None and own_rows(store, "claims", [held]) == rows:
        return
    context = Context(run=plan.run, evaluation_version=plan.study.version, code_version=code_version())
    write_tables(store, {"claims": rows}, key, context, replace=True)


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
