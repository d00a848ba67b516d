"""The tables of `docs/scale.md`, from the figures that the benchmarks kept; a test compares them with the page."""

from collections.abc import Callable, Sequence
from typing import Any

Kept = Callable[..., dict[str, Any]]
"""Gives the figures of a benchmark by its name, and by the name of the part that holds them."""

SOURCES = {"two_room": "collect_two_room_peer", "pusht": "collect_pusht_peer"}
"""Worlds, and the benchmark of a whole collection that was kept; without one (""), `unit_costs` has shards."""
FRAMES = 10**9
CORES = 1000
GPUS = 100
FRAMES_A_SHARD = 32 * 101
"""32 episodes of 100 steps, the collector's usual shard."""


def tables(kept: Kept) -> dict[str, str]:
    """Returns each table by its name on the page."""
    costs, simulated, loader = kept("unit_costs"), kept("scale_simulation"), kept("loader_pusht_224", "rows")
    worlds = world_costs(kept)
    return {
        "unit costs": unit_costs(costs, worlds, loader, kept("training_workers"), kept("step_cpu_2_threads")),
        "codecs": codecs(kept("codecs")["rows"]),
        "a billion frames": billion_frames(worlds),
        "executor": executor(simulated["executor"]),
        "loader": loading(simulated["loader"]),
        "training": training(worlds, simulated["assumed"], loader),
    }


def world_costs(kept: Kept) -> dict[str, dict[str, Any]]:
    """Returns frames a core second, bytes a frame and the machine's load of each world."""
    found = {}
    for world, source in SOURCES.items():
        figures = kept(source)["ours"] if source else kept("unit_costs")[world]
        load = kept(source, "hardware")["load"] if source else figures["load"]
        found[world] = {name: figures[name] for name in ("frames_a_cpu_second", "bytes_a_frame")} | {"load": load}
    return found


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Returns a table in Markdown."""
    lines = [list(head), ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def unit_costs(
    costs: dict[str, Any],
    worlds: dict[str, dict[str, Any]],
    loader: dict[str, Any],
    workers: dict[str, Any],
    step: dict[str, Any],
) -> str:
    """Returns what one unit of each kind costs on one core."""
    rows = [
        (f"{what}, {world} (load {cost['load']})", f"{cost[figure]:,.0f}")
        for what, figure in (
            ("frames a core second, collected at 224²", "frames_a_cpu_second"),
            ("bytes a frame, zstd", "bytes_a_frame"),
        )
        for world, cost in worlds.items()
    ]
    native, alone = loader["native, folder, 8 windows"], loader["native, folder, 1 window"]
    driver = costs["driver"]
    return table(
        ("cost", "measured"),
        [
            *rows,
            ("clips a core second, loader, Push-T 224², 8 windows a chunk", f"{native['clips_per_cpu_second']:,}"),
            ("the same, 1 window a chunk", f"{alone['clips_per_cpu_second']:,}"),
            ("training step, `lewm-small` at 64², one core", f"{workers['lewm-small']['milliseconds_of_one']:,.0f} ms"),
            ("training step at 224², two cores", f"{step['median_milliseconds']['ours']:,.0f} ms"),
            ("a plan, CEM 300 × 10, smallest model, one core", f"{costs['plan']['cem_300x10_smallest_model']:.2f} s"),
            ("report rows a core second, written", f"{costs['reports']['written_a_cpu_second']:,}"),
            ("report rows a core second, queried", f"{costs['reports']['queried_a_cpu_second']:,}"),
            ("driver on Ray, a unit", f"{1e3 * driver['cpu_seconds_a_unit']:.1f} ms"),
            ("driver on Ray, a heartbeat of a worker", f"{1e3 * driver['cpu_seconds_a_heartbeat']:.2f} ms"),
            (
                "requests to the store, a shard",
                f"{driver['requests_a_unit']['put']} writes, {driver['requests_a_unit']['get']} reads",
            ),
        ],
    )


def codecs(rows: Sequence[dict[str, Any]]) -> str:
    """Returns size and speed of each codec on each world's frames."""
    shown = [
        (
            row["world"],
            row["codec"],
            row["kb_a_frame"],
            f"{row['encode_frames_a_second']:,}",
            f"{row['decode_frames_a_second']:,}",
            row["psnr"],
        )
        for row in rows
        if row["codec"] != "raw"
    ]
    return table(("frames of", "codec", "KB a frame", "encoded a second", "decoded a second", "error"), shown)


def billion_frames(worlds: dict[str, dict[str, Any]]) -> str:
    """Returns what a billion frames of each world cost."""
    rows = []
    for world, cost in worlds.items():
        rate, size = cost["frames_a_cpu_second"], cost["bytes_a_frame"]
        rows.append(
            (
                world,
                f"{FRAMES / rate / 3600:,.0f}",
                f"{FRAMES / rate / 3600 / CORES:,.1f}",
                f"{FRAMES * size / 1e12:,.2f}",
                f"{FRAMES / FRAMES_A_SHARD:,.0f}",
                f"{CORES * rate / FRAMES_A_SHARD:,.0f}",
            )
        )
    return table(("world", "core hours", f"hours on {CORES:,} cores", "TB", "shards", "shards a second"), rows)


def executor(simulated: dict[str, Any]) -> str:
    """Returns the simulated rates of the executor."""
    rows = [
        (
            name,
            f"{one['workers']:,}",
            f"{one['units_a_second']:,.1f}",
            f"{100 * one['share_of_linear']:.0f} %",
            f"{100 * one['driver_busy']:.0f} %",
            f"{100 * one['store_busy']:.0f} %",
        )
        for name, runs in simulated.items()
        for one in runs
    ]
    return table(("units", "workers", "units/s", "of linear", "driver busy", "store busy"), rows)


def loading(simulated: dict[str, Any]) -> str:
    """Returns the simulated waiting of ranks for data."""
    rows = [
        (
            name,
            f"{one['gpus']:,}",
            f"{100 * one['data_wait']:.0f} %",
            f"{one['clips_a_second']:,}",
            f"{one['gets_a_second']:,}",
        )
        for name, runs in simulated.items()
        for one in runs
    ]
    return table(("shards", "GPUs", "data wait", "clips/s", "GET/s"), rows)


def training(worlds: dict[str, dict[str, Any]], assumed: dict[str, Any], loader: dict[str, Any]) -> str:
    """Returns what an epoch of a billion frames asks for on a hundred GPUs."""
    clips = GPUS * assumed["gpu_clips_a_second"]
    cores = clips / loader["native, folder, 8 windows"]["clips_per_cpu_second"]
    size = worlds["pusht"]["bytes_a_frame"]
    return table(
        (f"{GPUS} GPUs, Push-T 224²", "computed"),
        [
            ("clips a second, if each GPU reaches the goal", f"{clips:,.0f}"),
            ("an epoch of 10⁹ windows", f"{FRAMES / clips / 60:,.0f} min"),
            ("cores that decode", f"{cores:,.0f}"),
            ("dataset, to be held by each node", f"{FRAMES * size / 1e12:,.2f} TB"),
            (
                "to fill the disk of a node at a quarter of its network",
                f"{FRAMES * size / (assumed['node_bytes_a_second'] / 4) / 60:,.1f} min",
            ),
            ("GET a second, if chunks came from S3", f"{clips / 8:,.0f}"),
        ],
    )
