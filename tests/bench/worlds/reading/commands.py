"""The commands that give a world's figures again, from the configurations that the jobs' logs and runs hold."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.storage import Store
from jepa.core.config import Config
from pipelines.collect import CollectConfig
from pipelines.evaluate import EvaluateConfig
from pipelines.heads import FitHeadsConfig
from pipelines.pretrain import PretrainConfig
from pipelines.store.logs import job_status
from pipelines.store.reports import run_plans

MACHINERY = {
    *("actors", "workers", "min_workers", "executor", "device", "cpus", "retries", "max_failures", "keep_checkpoints"),
    *("stall_seconds", "stop_seconds", "trackers", "loader", "compute", "force", "run", "problems_per_slice"),
    *("preemption_every", "preemption_file", "max_preemption_failures"),
}
"""Fields that change no figure."""
ORDER = ("collect", "pretrain", "fit-heads", "evaluate")
CONFIGS: Mapping[str, type[Config]] = {
    "collect": CollectConfig,
    "pretrain": PretrainConfig,
    "fit-heads": FitHeadsConfig,
    "evaluate": EvaluateConfig,
}


def commands(store: Store, dataset: str, models: Sequence[str], protocols: Sequence[str]) -> list[str]:
    """Returns the commands of the jobs that made a dataset, its models, their heads and their figures.

    Jobs that left no log are left out; of evaluations those under the protocols are kept, none stands for all.
    """
    now = datetime.now(UTC)
    asked: list[tuple[str, Mapping[str, Any]]] = []
    for kind, names in (("collect", [dataset]), ("pretrain", models), ("fit-heads", models)):
        found = [job_status(store, f"{kind}-{name}", now) for name in names]
        asked += [(kind, job.record.config) for job in found if job is not None]
    for plan in run_plans(store):
        if plan.config.get("model") in models and (not protocols or _protocol(plan.config) in protocols):
            asked.append(("evaluate", plan.config))
    lines = [command(kind, config) for kind, config in asked]
    return list(dict.fromkeys(lines))


def command(kind: str, config: Mapping[str, Any]) -> str:
    """Returns the command of a job of that kind, with the flags that differ from their defaults."""
    fields = CONFIGS[kind].model_fields
    words = ["jepa", kind]
    for name, field in fields.items():
        value = config.get(name)
        default = field.get_default(call_default_factory=True, validated_data={})
        if name in MACHINERY or value is None or _plain(value) == _plain(default):
            continue
        if name == "protocol":
            value = _protocol(config)
        words += [f"--{name.replace('_', '-')}", *_written(value)]
    return " ".join(words)


def _protocol(config: Mapping[str, Any]) -> str | None:
    """Returns the name of a protocol, or that of the file it stands in, without the folders of the machine."""
    given = config.get("protocol")
    return Path(str(given)).name if given else None


def _written(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from (f"{key}={_word(one)}" for key, one in value.items())
    elif isinstance(value, list | tuple):
        yield from map(_word, value)
    else:
        yield _word(value)


def _word(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if re.fullmatch(r"[\w./:@,=+-]+", text) else f"'{text}'"


def _plain(value: Any) -> Any:
    """Returns a value as a log holds it."""
    if isinstance(value, Config):
        return value.model_dump(mode="json")
    return json.loads(json.dumps(value, default=str))
