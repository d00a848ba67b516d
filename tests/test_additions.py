"""Every README's recipe, carried out in a package outside the tree: by entry points, and by JEPA_IMPORT."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RECIPES = {
    "drift_world": ("jepa/worlds/README.md", "How to add a world"),
    "drift_expert": ("jepa/worlds/README.md", "How to add a policy"),
    "pooled": ("jepa/models/README.md", "How to add an encoder"),
    "perceptron": ("jepa/models/README.md", "How to add a predictor"),
    "hinge": ("jepa/objectives/README.md", "How to add an objective"),
    "bang_bang": ("jepa/planning/README.md", "How to add a planner"),
    "absolute": ("jepa/planning/README.md", "How to add a cost"),
    "scale": ("jepa/evaluation/README.md", "How to add an evaluation"),
    "sample_mean": ("jepa/studies/README.md", "How to add a study"),
}
"""Module of the package, and the README and the heading that its text stands under."""
OFFERED = {
    "jepa.worlds": ("drift", "drift_world:Drift"),
    "jepa.policies": ("drift/expert", "drift_expert:DriftExpert"),
    "jepa.encoders": ("pooled", "pooled:PooledEncoder"),
    "jepa.predictors": ("perceptron", "perceptron:PerceptronPredictor"),
    "jepa.objectives": ("hinge", "hinge:Hinge"),
    "jepa.planners": ("bang_bang", "bang_bang:BangBang"),
    "jepa.costs": ("absolute", "absolute:Absolute"),
    "jepa.evaluations": ("scale", "scale:ScaleEvaluation"),
    "jepa.studies": ("sample_mean", "sample_mean:SampleMean"),
}
"""What each group of entry points offers."""
FINDS = """
import json
from jepa.evaluation import EVALUATIONS
from jepa.models.encoders.encoder import ENCODERS
from jepa.models.predictors.predictor import PREDICTORS
from jepa.objectives import OBJECTIVES
from jepa.planning import COSTS, PLANNERS
from jepa.studies import STUDIES
from jepa.worlds import POLICIES, WORLDS

registries = (WORLDS, POLICIES, ENCODERS, PREDICTORS, OBJECTIVES, PLANNERS, COSTS, EVALUATIONS, STUDIES)
print(json.dumps({r.group: {name: r.get(name).__module__ for name in r if name in NAMES} for r in registries}))
"""
JOB = """
import sys
from infra.progress import Progress
from infra.storage import open_store
from pipelines.collect import CollectConfig, collect
from pipelines.evaluate import EvaluateConfig, evaluate
from pipelines.pretrain import PretrainConfig, pretrain
from pipelines.reports.page import ReportConfig, report
from pipelines.study import StudyConfig, study

if __name__ == "__main__":
    folder, protocol = sys.argv[1:]
    store = open_store(folder)
    sizes = {"episodes": 24, "steps": 40, "image_size": 32, "episodes_per_shard": 6, "test_share": 0.2}
    collect(CollectConfig(world="drift", name="d0", executor="local", actors=1, **sizes), store)
    pretrain(
        PretrainConfig(
            dataset="d0",
            name="m0",
            recipe="smoke",
            steps=20,
            objective="hinge",
            model_options={"encoder": "pooled", "predictor": "perceptron", "predictor_options": {"hidden": "16"}},
            executor="local",
            workers=1,
            trackers=(),
        ),
        store,
    )
    kinds = ("planning", "scale")
    evaluate(EvaluateConfig(model="m0", protocol=protocol, kinds=kinds, executor="local", workers=2), store)
    report(ReportConfig(), store, Progress())
    studied = study(StudyConfig(study="sample_mean", executor="local", workers=2), store)
    report(ReportConfig(run=studied.run), store, Progress())
"""
PROTOCOL = """
name: drift-v1
planning:
  problems: 2
  position_frames: 100
  position_probe: {hidden: 8, steps: 20}
  planners:
    bang_bang: {samples: 16}
    bang-bang-more: {planner: bang_bang, samples: 32, cost: absolute}
    oracle: {samples: 16, elites: 4, iterations: 2}
scale:
  episodes: 2
"""


def recipe(readme: str, heading: str, language: str = "python") -> str:
    """Returns the code that stands in a README under a heading."""
    text = (ROOT / readme).read_text()
    (section,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, flags=re.DOTALL | re.MULTILINE)
    (code,) = re.findall(rf"^```{language}\n(.*?)^```", section, flags=re.DOTALL | re.MULTILINE)
    return str(code)


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a module for each recipe."""
    folder = tmp_path_factory.mktemp("modules")
    for module, place in RECIPES.items():
        (folder / f"{module}.py").write_text(recipe(*place))
    return folder


@pytest.fixture(scope="session")
def package(modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same modules as an installed package that offers them by entry points."""
    folder = tmp_path_factory.mktemp("package")
    for module in modules.glob("*.py"):
        (folder / module.name).write_text(module.read_text())
    metadata = folder / "outside-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1.0\n")
    lines = [f"[{group}]\n{name} = {place}\n" for group, (name, place) in OFFERED.items()]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    return folder


def run(arguments: list[str], outside: Path, imports: str = "", cwd: Path | None = None) -> str:
    """Returns what a Python process prints that finds a folder besides this tree."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JEPA_")}
    environment |= {"PYTHONPATH": f"{outside}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1"}
    environment |= {"JEPA_IMPORT": imports} if imports else {}
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=cwd or outside, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="session")
def found(modules: Path, package: Path) -> dict[str, dict[str, dict[str, str]]]:
    """What the registries find in each of two ways: by group, the names and the modules that they come from."""
    code = FINDS.replace("NAMES", repr([name for name, _ in OFFERED.values()]))
    return {
        "entry points": json.loads(run(["-c", code], package)),
        "JEPA_IMPORT": json.loads(run(["-c", code], modules, ",".join(RECIPES))),
        "nothing": json.loads(run(["-c", code], modules)),
    }


@pytest.mark.parametrize("way", ["entry points", "JEPA_IMPORT"])
@pytest.mark.parametrize("group", OFFERED)
def test_an_addition_is_found_by_its_name(found: dict[str, dict[str, dict[str, str]]], group: str, way: str) -> None:
    name, place = OFFERED[group]
    assert found[way][group] == {name: place.split(":")[0]}
    assert found["nothing"][group] == {}, "only what is asked for is imported"


def test_the_readme_s_world_keeps_what_every_world_promises(package: Path) -> None:
    shown = run(
        ["-m", "pytest", "tests/jepa/worlds/test_conformity.py", "-k", "drift", "-q", "-p", "no:cacheprovider"],
        package,
        cwd=ROOT,
    )
    assert re.search(r"\b18 passed, 1 skipped", shown), shown


@pytest.mark.slow
@pytest.mark.parametrize("way", ["entry points", "JEPA_IMPORT"])
def test_a_whole_job_of_additions(modules: Path, package: Path, tmp_path: Path, way: str) -> None:
    """Collected, trained, and judged in worker processes of its own under a protocol of its own."""
    from pipelines.store.reports import read_table

    (tmp_path / "job.py").write_text(JOB)
    (tmp_path / "drift.yaml").write_text(PROTOCOL)
    by_entry_points = way == "entry points"
    run(
        [str(tmp_path / "job.py"), str(tmp_path / "store"), str(tmp_path / "drift.yaml")],
        package if by_entry_points else modules,
        "" if by_entry_points else ",".join(RECIPES),
    )
    metrics = read_table(str(tmp_path / "store"), "metrics").compute()
    judged = metrics[metrics.evaluation != "training"]
    assert set(judged.protocol) == {"drift-v1"} and set(judged.world) == {"drift"}
    planning = judged[judged.evaluation == "planning"]
    assert set(planning.planner) == {"bang_bang", "bang-bang-more", "oracle", "random"}
    assert {"uniform", "far"} >= set(planning.goal) >= {"uniform"}
    scale = judged[judged.evaluation == "scale"]
    assert set(scale.metric) == {"latent_norm", "latent_step"} and (scale.n == 2).all() and (scale.value > 0).all()
    assert set(scale.evaluation_version) == {1}
    page = (tmp_path / "store/reports/m0/report.html").read_text()
    assert '<p class="label">norm of latents</p>' in page and "<h2>Scale of latents</h2>" in page
    assert "<h3>Norm and step</h3>" in page and "latent step" in page
    assert "spread" in set(metrics[metrics.evaluation == "training"].metric)
    assert len(read_table(str(tmp_path / "store"), "claims").compute()) == 1
    page = (tmp_path / "store/reports/sample-mean-tiny/report.html").read_text()
    assert "A larger sample has a smaller error." in page and "<h2>Error by sample size</h2>" in page


def test_the_readme_s_protocol_is_one(tmp_path: Path) -> None:
    from jepa.evaluation import PlanningConfig, get_protocol

    path = tmp_path / "mine.yaml"
    path.write_text(recipe("jepa/evaluation/README.md", "How to add a protocol", "yaml"))
    protocol = get_protocol(str(path))
    planning = protocol.settings("planning")
    assert protocol.name == "mine-v1" and isinstance(planning, PlanningConfig)
    assert list(planning.planners) == ["oracle", "cem", "cem-long", "random"]
    assert planning.planners["cem-long"]["horizon"] == 8 and planning.planners["oracle"]["iterations"] == 2
