"""The image: locked, without root and without build tools. Nobody builds it here; what can be read off is checked."""

import re
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from tests.infra.kubernetes.conftest import Manifest, pod_templates
from tests.tools import ROOT, assert_nothing_found, checkov, run_tool, tool

DOCKERFILE = ROOT / "infra/images/Dockerfile"
TEXT = DOCKERFILE.read_text()
FINAL = TEXT[TEXT.rindex("\nFROM ") :]


def test_hadolint_finds_nothing() -> None:
    """Each rule that is not followed is named beside the line, with a reason."""
    done = run_tool(tool("hadolint", "the Dockerfile"), DOCKERFILE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall(r"hadolint ignore", TEXT)) == len(re.findall(r"^# .*\n# hadolint ignore", TEXT, re.MULTILINE))


@pytest.mark.slow
def test_checkov_finds_nothing(tmp_path: Path) -> None:
    """No root, and no health check that KubeRay does not do itself."""
    shutil.copy(DOCKERFILE, tmp_path)
    assert_nothing_found(checkov(tmp_path, "dockerfile", "whether the image is safe"))


def test_packages_are_bound_by_the_lock_file() -> None:
    """Every install of packages names the lock file, so Ray and torch have the versions that the tests ran with."""
    installs = [step for step in re.split(r"\n(?=[A-Z]+ )", TEXT) if "uv pip install" in step]
    assert len(installs) == 2
    assert all("onstraint requirements.lock" in step for step in installs)


def test_the_stage_that_runs_has_no_tools_to_build_or_install_with() -> None:
    """Compilers and uv stay in the first stage, and the base image's pip is removed."""
    assert "build-essential" in TEXT and "uv==" in TEXT
    installed = re.findall(r"apt-get install --yes --no-install-recommends (.*?) \\", FINAL)
    assert installed and not {"build-essential", "gcc", "git", "curl"} & set(" ".join(installed).split())
    assert "uv " not in FINAL and "pip install" not in FINAL and "pip uninstall" in FINAL


def test_it_runs_as_the_user_that_the_manifests_name(manifests: Callable[[str], list[Manifest]]) -> None:
    """The files belong to nobody who runs: the user owns none, and is the one of the pods."""
    user = re.findall(r"^USER (\d+):(\d+)$", FINAL, re.MULTILINE)[-1]
    assert FINAL.rindex("\nUSER ") > FINAL.rindex("\nRUN ")
    for manifest in manifests("dev/pretrain"):
        for _, template in pod_templates(manifest):
            context = template["spec"]["securityContext"]
            assert (str(context["runAsUser"]), str(context["runAsGroup"])) == user


def test_containers_log_for_programs() -> None:
    """Who collects the lines of pods gets one JSON object each."""
    assert re.search(r"^ {4}JEPA_LOG=json \\$", FINAL, re.MULTILINE)


def test_what_is_written_goes_to_tmp() -> None:
    """The root file system may be read-only: home, caches and Prefect's files lie where a pod mounts a volume."""
    for name in ("HOME", "XDG_CACHE_HOME", "PREFECT_HOME", "MPLCONFIGDIR"):
        assert re.search(rf"\b{name}=/tmp/", FINAL), name
    assert "PYTHONDONTWRITEBYTECODE=1" in FINAL and "--compile-bytecode" in TEXT


def test_versions_are_those_of_the_project() -> None:
    """Python is one that the project supports, uv is the Makefile's, and what is copied exists."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    python = re.search(r"ARG PYTHON_VERSION=(\S+)", TEXT)
    assert python is not None and python[1] in SpecifierSet(project["requires-python"])
    makefile = (ROOT / "Makefile").read_text()
    uv = re.search(r"ARG UV_VERSION=(\S+)", TEXT)
    assert uv is not None and f"UV_VERSION := {uv[1]}\n" in makefile
    copied = [name for line in re.findall(r"^COPY (?!--from)(.*) \S+$", TEXT, re.MULTILINE) for name in line.split()]
    allowed = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert {"requirements.lock", "pyproject.toml", "jepa", "pipelines", "flows", "infra"} <= set(copied)
    assert all((ROOT / name).exists() and name in allowed for name in copied)


def test_labels_tell_the_versions() -> None:
    """`make image` reads them off the lock file and the commit, and both variants get them."""
    makefile = (ROOT / "Makefile").read_text()
    for name in ("VERSION", "REVISION", "VARIANT", "RAY_VERSION", "TORCH_VERSION", "PREFECT_VERSION"):
        assert f"--build-arg {name}=" in makefile, name
        assert f'"${{{name}}}"' in FINAL or f"${{{name}}}-" in FINAL, name
