"""Re-reads every file of the reports and names what is damaged or missing."""

import re

from infra.errors import InfraError
from infra.storage import Store
from pipelines.store.reports.compaction.generation import GENERATIONS, INDEXES, copy_path, generation_path, is_left_over
from pipelines.store.reports.compaction.sweep import PART, superseded_files
from pipelines.store.reports.compaction.verify import damaged_compacted, latest_number
from pipelines.store.reports.manifest import MANIFESTS, UnitManifest, manifest_path, name_in, parse_unit
from pipelines.store.reports.problems import PATH as PROBLEMS_PATH
from pipelines.store.reports.problems import PROBLEMS, is_whole, problems_path
from pipelines.store.reports.runs.plan import RunPlan, parse_plan, plan_name
from pipelines.store.reports.slices import MARK, damaged_files, parse_mark
from pipelines.store.reports.units import damaged_parts
from pipelines.store.reports.units import look as take_snapshot
from pipelines.store.sealed import Findings, Problem, is_whole_page, read_if_there

PAGE = re.compile(r"reports/(?P<run>[^/]+)/report\.html")


class ReportsReport(Findings):
    """What a verification of reports found, by paths in the store; `jepa evaluate` and `jepa report` make it again."""

    units: int
    files: int


def verify_reports(store: Store) -> ReportsReport:
    """Reads the manifests of all units of work with their parts, of planning problems, the plans of runs, and pages.

    Raises:
        InfraError: the store cannot be read.
    """
    paths = store.list("reports/")
    look = _Look(store)
    units = look.compacted(paths)
    units += [unit for path in paths if path not in look.seen and _is_loose(path) and (unit := look.unit(path))]
    for path in paths:
        if plan_name(path) is not None and path not in look.seen:
            look.plan(path)
    look.listed({unit.key for unit in units})
    for path in paths:
        if page := PAGE.fullmatch(path):
            look.page(path, page["run"])
    for path in paths:
        if MARK.fullmatch(path):
            look.slice(path)
    problems = store.list(f"{PROBLEMS}/")
    look.problems_of(problems, {unit.problems_digest: unit.key for unit in units if unit.problems_digest is not None})
    left = [path for path in paths if path not in look.seen and not look.orphan(path, set(paths))]
    if left:
        look.unknown.append(f"no digest is known of {len(left)} files, the first is {left[0]}")
    return ReportsReport(
        units=len(units), files=len(paths) + len(problems), problems=tuple(look.problems), unknown=tuple(look.unknown)
    )


def _is_loose(path: str) -> bool:
    """Returns whether a file is, or should be, the manifest of a unit that is not compacted."""
    return path.startswith(f"{MANIFESTS}/") and not path.startswith(f"{GENERATIONS}/")


class _Look:
    """One verification under way."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.problems: list[Problem] = []
        self.unknown: list[str] = []
        self.seen: set[str] = set()
        self.plans: list[RunPlan] = []

    def unit(self, path: str) -> UnitManifest | None:
        """Checks the manifest of a unit and the files that it names."""
        self.seen.add(path)
        data = read_if_there(self.store, path)
        try:
            unit = None if data is None else parse_unit(self.store, path, data)
        except InfraError:
            self.problems.append(Problem(path=path, kind="damaged", detail="evaluate again"))
            return None
        if unit is None:
            self.unknown.append(f"{path} is of another version of the report tables")
            return None
        self.seen |= {part.path for part in unit.parts}
        for problem in damaged_parts(self.store, unit):
            detail = "; ".join(filter(None, (problem.detail, f"of unit {unit.key}", "evaluate again")))
            self.problems.append(problem.model_copy(update={"detail": detail}))
        vague = [part.path for part in unit.parts if not part.expected]
        if vague:
            self.unknown.append(f"{vague[0]} was written by earlier code, without a digest")
        return unit

    def compacted(self, paths: list[str]) -> list[UnitManifest]:
        """Checks the files of what is compacted, and returns the units that stand there."""
        self.seen |= {path for path in paths if path.startswith((f"{GENERATIONS}/", f"{INDEXES}/"))}
        try:
            snapshot = take_snapshot(self.store)
        except InfraError as error:
            self.problems.append(Problem(path=generation_path(latest_number(paths)), kind="damaged", detail=str(error)))
            return []
        if snapshot.compacted is None:
            return []
        names = [name for one in snapshot.loose.values() for name in one]
        self.seen |= {name.path for name in names if snapshot.standing(name.key) != name}
        self.problems += damaged_compacted(self.store, snapshot.compacted)
        generation = snapshot.compacted.generation
        self.seen |= {*superseded_files(self.store, snapshot), *generation.named}
        if copy_path(generation.path) not in paths:
            self.unknown.append(f"{generation.path} has no copy yet; `jepa reports compact` writes it")
        if left := [path for path in paths if is_left_over(path, generation)]:
            self.seen |= {*left}
            self.unknown.append(f"{left[0]} is of a compaction that works, or was cut off; `jepa reports compact`")
        if not snapshot.compacted.lost_plans:
            self.plans += [held.plan for held in snapshot.compacted.plans.values()]
        standing = [snapshot.standing(key) for key in snapshot.compacted.units]
        return [unit for unit in standing if isinstance(unit, UnitManifest)]

    def plan(self, path: str) -> None:
        """Checks the plan of a run that lies loose."""
        self.seen.add(path)
        data = read_if_there(self.store, path)
        try:
            self.plans += [] if data is None else [parse_plan(self.store, path, data)]
        except InfraError:
            self.problems.append(Problem(path=path, kind="damaged", detail="evaluate again"))

    def listed(self, done: set[str]) -> None:
        """Says of which plans units are not done."""
        for plan in self.plans:
            if open_units := [key for key in plan.units if key not in done]:
                self.unknown.append(
                    f"run {plan.run} lists {len(open_units)} units that are not done, or whose manifest is "
                    f"lost; the first is {manifest_path(open_units[0])}"
                )

    def slice(self, path: str) -> None:
        """Checks the mark of a slice of a unit that is not whole yet, and the files that it names."""
        self.seen.add(path)
        data = read_if_there(self.store, path)
        try:
            mark = None if data is None else parse_mark(self.store, path, data)
        except InfraError:
            self.problems.append(Problem(path=path, kind="damaged", detail="evaluate again"))
            return
        if mark is not None:
            self.seen |= {*mark.paths}
            for part in damaged_files(self.store, mark):
                self.problems.append(Problem(path=part.path, kind="damaged", detail="evaluate again"))

    def page(self, path: str, run: str) -> None:
        """Checks the page of a run, which is drawn from its units at any time."""
        self.seen.add(path)
        whole = is_whole_page(read_if_there(self.store, path) or b"")
        if whole is None:
            self.unknown.append(f"{path} was written by earlier code, without a digest")
        elif not whole:
            self.problems.append(Problem(path=path, kind="damaged", detail=f"draw it again: jepa report --run {run}"))

    def problems_of(self, paths: list[str], units: dict[str, str]) -> None:
        """Checks the manifests of planning problems, those that are there and those that units name by their digest."""
        for path in paths:
            found = PROBLEMS_PATH.fullmatch(path)
            if found is None:
                self.unknown.append(f"no digest is known of {path}")
            elif not is_whole(read_if_there(self.store, path) or b"", found["digest"]):
                self.problems.append(Problem(path=path, kind="damaged", detail="evaluate again"))
        for digest, key in units.items():
            if problems_path(digest) not in paths:
                self.problems.append(
                    Problem(path=problems_path(digest), kind="missing", detail=f"of unit {key}; evaluate again")
                )

    def orphan(self, path: str, paths: set[str]) -> bool:
        """Returns whether a part has lost its manifest, and says so; one that is superseded has not."""
        name = name_in(PART.fullmatch(path))
        lost = name is not None and name.path not in paths
        if name is not None and lost:
            named = Problem(path=name.path, kind="missing", detail="its files are there; evaluate again")
            if named not in self.problems:
                self.problems.append(named)
        return lost
