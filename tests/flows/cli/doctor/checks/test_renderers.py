"""The doctor's check of renderers, in a process of its own: MuJoCo reads MUJOCO_GL once."""

import pytest

from flows.cli.doctor.findings import Asked
from flows.cli.doctor.run import run_checks


@pytest.mark.parametrize(("renderer", "status"), [(None, "ok"), ("nonsense", "failed")])
def test_mujoco_draws_or_its_renderer_is_named(
    renderer: str | None, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    if renderer is not None:
        monkeypatch.setenv("MUJOCO_GL", renderer)
    mujoco, pygame = run_checks(["renderers"], Asked("runs/", 120), 1, lambda: None)
    assert (mujoco.step, mujoco.status) == ("mujoco", status), mujoco
    assert renderer is None or ("nonsense" in mujoco.found + mujoco.remedy and "MUJOCO_GL" in mujoco.remedy)
    assert (pygame.step, pygame.status) == ("pygame", "ok"), pygame
