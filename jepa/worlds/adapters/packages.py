"""What adapters share when they bring in a package of others: its late import, its renderer, colours and sizes."""

import colorsys
import ctypes
import importlib
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np

from jepa.core.episodes import Pixels
from jepa.core.errors import InputError

INSTALL = (
    "pip install stable-worldmodel dm_control 'mujoco<4' ogbench pygame pymunk shapely opencv-python-headless imageio"
)
LIBRARIES = {"egl": ("libEGL.so.1", "libEGL.so"), "osmesa": ("libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so")}
"""Ways to render without a display, the better one first, and the shared libraries of each."""


def import_package(world: str, module: str) -> Any:
    """Returns a module of a package; imported late, for it takes seconds and warns of games nobody here plays.

    Raises:
        InputError: the package is not installed.
    """
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    choose_renderer()
    # stable-worldmodel loads lancedb, which warns at every child process from then on; ours execute another program.
    warnings.filterwarnings("ignore", message="lancedb fork support")
    try:
        with quiet():
            return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0].replace("_", "-")
        raise InputError(
            f"world {world!r} needs the package {package}, which cannot be imported here ({error}); "
            f"install it with: {INSTALL}"
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps a package's warnings about itself from the user, who cannot do anything about them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def choose_renderer() -> None:
    """Sets MUJOCO_GL where the user has not, before MuJoCo reads it, which it does when it is imported."""
    if "MUJOCO_GL" in os.environ or not sys.platform.startswith("linux"):
        return
    for renderer, libraries in LIBRARIES.items():
        if any(_loads(library) for library in libraries):
            os.environ["MUJOCO_GL"] = renderer
            return


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


@lru_cache
def require_renderer(world: str) -> None:
    """Makes sure that MuJoCo can render here.

    Raises:
        InputError: it cannot; the message names the system package that is missing.
    """
    late = "mujoco" in sys.modules and "MUJOCO_GL" not in os.environ
    try:
        mujoco = import_package(world, "mujoco")  # which refuses a renderer that it does not know
        with quiet(), mujoco.Renderer(mujoco.MjModel.from_xml_string("<mujoco/>"), 16, 16):
            return
    except InputError:
        raise
    except Exception as error:  # each renderer has its own errors, and no common base
        reason = error or type(error).__name__
        remedy = (
            "mujoco was imported before it, when MUJOCO_GL was not set; set MUJOCO_GL to egl before the program starts"
            if late
            else f"MUJOCO_GL is {os.environ.get('MUJOCO_GL')!r}; install EGL with: "
            "apt-get install libegl1 libgl1-mesa-dri, or OSMesa with: apt-get install libosmesa6, "
            "and set MUJOCO_GL to egl or osmesa or leave it unset"
        )
        raise InputError(f"world {world!r} cannot render here ({reason}): {remedy}") from error


def hue_colour(hue: float, saturation: float, brightness: float) -> tuple[float, float, float]:
    """Returns red, green and blue in [0, 1] of a hue in degrees."""
    return colorsys.hsv_to_rgb(hue / 360 % 1, saturation, brightness)


def other_hue(present: float, hues: Sequence[float], rng: np.random.Generator) -> float:
    """Returns one of the hues that differs from the present one by 30° or more."""
    apart = [hue for hue in hues if abs((hue - present + 180) % 360 - 180) >= 30]
    return apart[rng.integers(len(apart))]


def resize(frame: Pixels, size: int) -> Pixels:
    """Returns an image (H, W, 3) at size × size pixels, averaged where it shrinks."""
    if frame.shape[:2] == (size, size):
        return frame
    import torch  # half a gigabyte that a collector of worlds which render at their size does without

    image = torch.from_numpy(np.array(frame)).permute(2, 0, 1)[None].float()
    image = torch.nn.functional.interpolate(image, (size, size), mode="bilinear", antialias=True, align_corners=False)
    return np.asarray(image[0].permute(1, 2, 0).round().clamp(0, 255).to(torch.uint8).numpy())
