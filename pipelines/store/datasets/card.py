"""The dataset's card: how it was made and what it covers, for people."""

from collections.abc import Mapping, Sequence

from jepa.core.episodes import SPLITS
from jepa.worlds import WORLDS
from jepa.worlds.coverage import GRID
from pipelines.store.datasets.coverage import from_entry
from pipelines.store.datasets.manifest import CoverageEntry, DatasetManifest
from pipelines.store.datasets.moments import Moments
from pipelines.store.datasets.plan import DatasetPlan


def dataset_card(
    manifest: DatasetManifest,
    moments: Mapping[str, Moments],
    policies: Mapping[str, int],
    coverage: CoverageEntry | None,
    steps: Sequence[int],
) -> str:
    """Returns Markdown.

    Args:
        manifest: of the dataset; its list of files is not needed.
        moments: of `action` and `state/<name>` over all splits.
        policies: number of episodes of each.
        coverage: over all splits; None of episodes that were not simulated.
        steps: of each episode.
    """
    plan = manifest.plan
    height, width = manifest.image_size
    mixture: list[list[object]] = [[name, f"{share:g}", policies.get(name, 0)] for name, share in plan.policy.items()]
    factors: list[list[object]] = [
        [f.name, f"{f.low:g} to {f.high:g}", _intervals(f.held_out), f.unit] for f in plan.factors
    ]
    sections = [
        f"# Dataset {manifest.name}\n",
        f"World `{plan.world}` at {height}×{width} pixels, {plan.episodes} episodes of {_steps(plan)} steps, "
        f"dataset seed {plan.seed}. {_origin(manifest)}\n",
        *(
            [f"It is {plan.shift}: the same world in all else, for judging and not for training.\n"]
            if plan.shift
            else []
        ),
        *(
            [f"A frame of every {plan.frame_every} steps is stored; actions and states are of every step.\n"]
            if plan.frame_every > 1
            else []
        ),
        *([f"{lengths}\n"] if (lengths := length_sentence(plan, steps)) else []),
        f"Container {plan.format}, codec {plan.codec}{_trial(manifest)}, chunks of {plan.chunk_frames} frames: "
        f"{_bytes_a_frame(manifest):.3f} KB a frame.\n",
        "## Policy\n",
        _table(["policy", "proportion", "episodes"], mixture),
        "## Splits\n",
        "By episode, by hash of its number. Statistics for normalisation come from train only.\n",
        _table(["split", "episodes", "frames", "bytes"], _splits(manifest)),
        "## Factors of variation\n",
        "Drawn once an episode; held-out values occur in the split `unseen` only.\n",
        _table(["factor", "range", "held out", "unit"], factors),
        "## Coverage\n",
        "Over all splits.\n",
        *_seen(plan, coverage),
        _table(["quantity", "smallest", "largest", "mean", "standard deviation"], _ranges(moments)),
    ]
    return "\n".join(sections)


def length_sentence(plan: DatasetPlan, steps: Sequence[int]) -> str | None:
    """Returns what is to be said of episodes that are shorter than planned, or that were left out for it."""
    if plan.source is not None:
        skipped = plan.source.skipped
        return f"{skipped} episodes with fewer than two frames were skipped: they hold no step." if skipped else None
    short = sum(length < plan.steps for length in steps)
    if not short:
        return None
    return (
        f"{short} of {len(steps)} episodes ended before {plan.steps} steps, after {min(steps)} at the earliest; "
        f"{sum(steps)} steps in all."
    )


def _bytes_a_frame(manifest: DatasetManifest) -> float:
    return manifest.total("bytes") / manifest.total("frames") / 1000


def _splits(manifest: DatasetManifest) -> list[list[object]]:
    return [[split, *(manifest.total(figure, split) for figure in ("episodes", "frames", "bytes"))] for split in SPLITS]


def _steps(plan: DatasetPlan) -> str:
    return f"up to {plan.steps}" if plan.source else str(plan.steps)


def _origin(manifest: DatasetManifest) -> str:
    plan, code = manifest.plan, f"code {manifest.code_version}; plan {manifest.plan_digest}"
    version = f", version {plan.version} (before: {', '.join(map(str, plan.extends))} episodes)" if plan.extends else ""
    if plan.source:
        return f"Imported by {code}{version}, from an HDF5 file with SHA-256 {plan.source.sha256}."
    return (
        f"Collected by {code}{version}. Episode i's own seed is derived from the dataset's; `episodes.parquet` has it."
    )


def _trial(manifest: DatasetManifest) -> str:
    tried = ", ".join(f"{name} {size:.0f} bytes a frame" for name, size in manifest.codec_trial.items())
    return f" (chosen on the first episodes: {tried})" if tried else ""


def _seen(plan: DatasetPlan, entry: CoverageEntry | None) -> list[str]:
    if entry is None:
        return []
    found, spec = from_entry(entry), WORLDS.get(plan.world).world_spec
    seen = []
    if found.visited_share is not None:
        seen.append(f"`{spec.path_quantity}` visited {found.visited_share:.1%} of the scene, in {GRID}×{GRID} cells.")
    seen += [f"`{name}` moved in {found.moved_share(name):.1%} of the steps." for name in found.moved_steps]
    return [" ".join(seen) + "\n"] if seen else []


def _ranges(moments: Mapping[str, Moments]) -> list[list[object]]:
    return [
        [name, *(", ".join(f"{value:.4g}" for value in values) for values in (m.low, m.high, m.mean, m.std))]
        for name, m in moments.items()
    ]


def _intervals(intervals: tuple[tuple[float, float], ...]) -> str:
    return ", ".join(f"{low:g} to {high:g}" for low, high in intervals) or "none"


def _table(head: list[str], rows: list[list[object]]) -> str:
    lines = [head, ["---"] * len(head), *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
