"""Parts of pages that show other kept experiments: Push-T's heading, Two-Room's planners."""

from collections.abc import Mapping
from typing import Any

from pipelines.reports.words import plain
from tests.bench.worlds.blocks.cells import Shown, number, of_mean, of_seed, sizes, table
from tests.bench.worlds.reading.seeds import BOUNDS, Figure, mean_of

Kept = Mapping[str, Any]


def heading(kept: Kept) -> Shown:
    """Returns what was tried for the heading of Push-T's block, a row for each training."""
    made = kept["made"]
    lines = [
        (
            row["what"],
            f"{row['step']:,} of {row['of']:,}" if row["step"] < row["of"] else f"{row['step']:,}",
            *(
                f"{number(row['linear'][key])} / {number(row['mlp'][key])}"
                for key in ("agent", "centre", "block", "heading")
            ),
            f"{row['rank']:g}",
            row["core_seconds"],
            row["n"],
            row["seed"],
        )
        for row in kept["runs"]
    ]
    head = (
        *("training", "steps", "agent", "centre of gravity", "block (middle of its edge)", "**heading**"),
        *("effective rank", "core s", "n", "seed"),
    )
    how = "; ".join(made[key] for key in ("episodes", "model", "probes"))
    said = f"R², linear / MLP. {how}. {made['hardware']}, {made['load']}; {made['date']}."
    parts = [said, table(head, lines), _supervised(kept), _policies(kept), _first_run(kept["first_run"])]
    return Shown("\n\n".join(parts))


def planners(kept: Kept) -> Shown:
    """Returns what planners reached in Two-Room, by distance of the goal, split, kind of goal and training seed."""
    figures = kept["figures"]
    reached = next(found for name, found in figures.items() if name.startswith("success rate"))
    rows = [
        (f"{ahead.split()[0]} ahead, {split}, {plain(goal)}: {planner}", {"success_rate": _over_trainings(found)})
        for ahead, splits in reached.items()
        for split, goals in splits.items()
        for goal, by_planner in goals.items()
        for planner, found in by_planner.items()
    ]
    lines = [
        (
            what,
            *(of_seed(row["success_rate"], str(seed), percent=True) for seed in range(3)),
            of_mean(row["success_rate"], percent=True),
            sizes([row], "success_rate"),
        )
        for what, row in rows
    ]
    head = ("goals, split, kind: planner", *(f"success %, seed {seed}" for seed in range(3)), "mean", "n")
    said = (
        f"{figures['model']}; budget {figures['budget']}, {figures['planner streams a problem']} streams a problem; "
        f"{kept['hardware']['cores']} cores of {kept['hardware']['processor']}, code {kept['code']}."
    )
    return Shown(f"{said}\n\n{table(head, lines)}")


def _over_trainings(found: Mapping[str, Any]) -> Figure:
    """Returns a figure of `training seed 0` and so on."""
    seeds = {name.rpartition(" ")[2]: list(values) for name, values in found.items()}
    return {"seeds": seeds, **mean_of([values[0] for values in seeds.values()], BOUNDS["success_rate"])}


def _supervised(kept: Kept) -> str:
    steps = ", ".join(f"{number(row['r2'])} after {row['steps']:,} steps" for row in kept["supervised"])
    one, alone = kept["supervised"][0], kept["positions_alone"]
    return (
        f"The same encoder, trained by supervision on cosine and sine alone ({one['episodes']} episodes, "
        f"n = {one['n']}, seed {one['seed']}): R² {steps}. From the true centre of gravity alone, with no model, a "
        f"probe reads the agent with R² {number(alone['agent'])}, the middle of the block's edge with "
        f"{number(alone['block'])} and the heading with {number(alone['heading'])} (n = {alone['n']:,})."
    )


def _policies(kept: Kept) -> str:
    head = (
        *("policy", "5-step blocks in which the block moves, %", "turns over 5°, %", "degrees a 5-step block"),
        *("clips with contact, %", "clips turning over 10°, %", "change a block / variance: heading, block, agent"),
        "episodes",
    )
    shares = ("block_moves", "turns_over_5_degrees", "clips_with_contact", "clips_turning_over_10_degrees")
    lines = [
        (
            f"`{row['policy']}`",
            *(number(row[share], True) for share in shares[:2]),
            row["degrees_a_block"],
            *(number(row[share], True) for share in shares[2:]),
            ", ".join(number(row["change_over_variance"][key]) for key in ("heading", "block", "agent")),
            row["episodes"],
        )
        for row in kept["policies"]
    ]
    return table(head, lines)


def _first_run(run: Kept) -> str:
    r2 = ", ".join(f"{name} {number(value)}" for name, value in run["r2"].items())
    lines = [(name.replace("_", " "), *values) for name, values in run["success"].items()]
    found = table(("planner", "uniform goals, success %", "moved-block goals, success %"), lines)
    return f"An earlier training ({run['what']}; seed {run['seed']}, n = {run['n']}): linear R² {r2}.\n\n{found}"
