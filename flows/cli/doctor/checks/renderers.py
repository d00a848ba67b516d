"""The renderers that worlds stand on, each by a picture without a display: MuJoCo, and pygame."""

import os

from flows.cli.doctor.findings import Asked, Report
from jepa.worlds.adapters.packages import import_package, require_renderer

GREY = (120, 120, 120)


def check(asked: Asked, report: Report) -> None:
    """Draws with each."""
    with report.step("mujoco") as step:
        require_renderer("reacher")
        step.ok(f"MuJoCo draws by {os.environ.get('MUJOCO_GL') or 'its default renderer'} (reacher, cube)")
    with report.step("pygame") as step:
        pygame = import_package("pusht", "pygame")
        surface = pygame.Surface((8, 8))
        surface.fill(GREY)
        if tuple(pygame.surfarray.array3d(surface)[4, 4]) == GREY:
            step.ok(f"pygame {pygame.version.ver} draws without a display (pusht)")
        else:
            step.failed("pygame draws other colours than it is given", "install pygame as requirements.lock names it")
