"""What Prometheus would find of a job on the only node of the tests' Ray."""

import re
import time
import urllib.request

from infra.observability.metric_names import METRICS

LINE = re.compile(r"^(?P<name>ray_\w+)\{(?P<labels>.*)\} (?P<value>\S+)$")
LABELS = re.compile(r'(\w+)="([^"]*)"')
SECONDS = 180
"""Ray collects its metrics every ten seconds or so, on a quiet machine."""


def scraped(subject: str = "") -> dict[str, float]:
    """Returns by name what is exported now, of one dataset, model or run; of a histogram the sum of its buckets."""
    import ray

    (node,) = ray.nodes()
    address = f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics"
    found: dict[str, float] = {}
    for line in urllib.request.urlopen(address, timeout=60).read().decode().splitlines():
        if (match := LINE.match(line)) is not None:
            labels = dict(LABELS.findall(match["labels"]))
            if not subject or subject in (labels.get(metric.label) for metric in METRICS):
                found[match["name"]] = found.get(match["name"], 0.0) + float(match["value"])
    return found


def exported(prefix: str) -> set[str]:
    """Returns the names under which the listed metrics with a prefix must be found."""
    return {name for metric in METRICS if metric.name.startswith(prefix) for name in metric.exported}


def wait_for_metrics(subject: str, wanted: set[str], values: dict[str, float] | None = None) -> dict[str, float]:
    """Returns the metrics of a dataset, model or run once all that are wanted are exported, with these values.

    Raises:
        AssertionError: they are not, in a time that is long enough on a busy machine.
    """
    found: dict[str, float] = {}
    deadline = time.monotonic() + SECONDS
    while not (wanted <= found.keys() and (values or {}).items() <= found.items()):
        assert time.monotonic() < deadline, (sorted(wanted - found.keys()), found)
        time.sleep(1)
        found |= scraped(subject)  # a gauge is shown for a while only, once its process is gone
    return found
