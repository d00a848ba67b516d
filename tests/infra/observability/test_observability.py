"""Dashboard and alert rules: they parse, they fire when they should, and they name metrics that exist."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import ray
import yaml

from infra.observability.metric_names import METRICS, RAY_METRICS
from tests.tools import ROOT, run_tool, tool

FOLDER = ROOT / "infra/observability"
UNCHECKED = "the alert rules and the dashboard's queries"
EXPORTED = {name for metric in METRICS for name in metric.exported} | set(RAY_METRICS)
NAME = re.compile(r"\bray_[a-z_]+\b")


def rules() -> list[dict[str, Any]]:
    """Returns the alert rules."""
    groups = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    """Returns the Grafana dashboard."""
    found: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text())
    return found


def queries() -> list[str]:
    """Returns the dashboard's queries."""
    return [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", [])]


def test_rules_parse_and_fire_when_they_should() -> None:
    """promtool accepts them, and plays series to each: one that fires it, and one that does not."""
    done = run_tool(tool("promtool", UNCHECKED), "test", "rules", "alerts.test.yaml", cwd=FOLDER)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_scrape_configuration_parses(tmp_path: Path) -> None:
    """promtool accepts it but for the discovery of pods, which Debian's Prometheus is built without."""
    config = yaml.safe_load((FOLDER / "scrape.yaml").read_text())
    (job,) = config["scrape_configs"]
    assert job.pop("kubernetes_sd_configs") == [{"role": "pod", "namespaces": {"names": ["jepa"]}}]
    config["rule_files"] = [str(FOLDER / name) for name in config["rule_files"]]
    path = tmp_path / "prometheus.yaml"
    path.write_text(yaml.safe_dump(config | {"scrape_configs": [job | {"static_configs": [{"targets": ["ray"]}]}]}))
    done = run_tool(tool("promtool", UNCHECKED), "check", "config", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_is_tried_both_ways() -> None:
    """No alert is without a test that it fires and one that it keeps silent, and each says what to do."""
    tests = yaml.safe_load((FOLDER / "alerts.test.yaml").read_text())["tests"]
    tried = [(t["promql_expr_test"][0]["expr"], bool(t["promql_expr_test"][0]["exp_samples"])) for t in tests]
    for rule in rules():
        fires = {fired for query, fired in tried if f'"{rule["alert"]}"' in query}
        assert fires == {True, False}, rule["alert"]
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert {"summary", "description"} <= set(rule["annotations"])


def test_the_dashboards_queries_parse(tmp_path: Path) -> None:
    """promtool accepts each as the expression of a rule."""
    promtool = tool("promtool", UNCHECKED)
    recorded = [
        {"record": f"panel:{number}", "expr": query.replace("$__rate_interval", "5m")}
        for number, query in enumerate(queries())
    ]
    path = tmp_path / "queries.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": recorded}]}))
    done = run_tool(promtool, "check", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(recorded) >= 15


def test_dashboard_and_rules_name_listed_metrics_only() -> None:
    """A name that no job exports would show an empty panel, or an alert that never fires."""
    named = {name for text in [*queries(), *(rule["expr"] for rule in rules())] for name in NAME.findall(text)}
    assert sorted(named - EXPORTED) == []
    shown = set(NAME.findall(json.dumps(dashboard())))
    assert sorted(shown - EXPORTED) == []


def test_every_listed_metric_is_looked_at() -> None:
    """A metric that no panel and no rule names is of no use to anybody."""
    text = json.dumps(queries()) + json.dumps(rules())
    unseen = [m.name for m in METRICS if not any(re.search(rf"\b{name}\b", text) for name in m.exported)]
    assert unseen == ["jepa_collect_frames_per_second"]  # its counter's rate is shown, which knows of all processes


def test_rays_own_metrics_are_in_the_installed_ray() -> None:
    """The names that Ray gives its own metrics stand in its source."""
    source = (Path(ray.__file__).parent / "dashboard/modules/reporter/reporter_agent.py").read_text()
    defined = {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}
    assert [name for name in RAY_METRICS if name.removeprefix("ray_") not in defined] == []


def test_panels_do_not_overlap() -> None:
    """Each has an id of its own and a place of its own."""
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(at["x"] + dx, at["y"] + dy) for dx in range(at["w"]) for dy in range(at["h"])}
        assert not cells & taken and at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells
