"""Probes find what is there and nothing that is not."""

import numpy as np
import pytest
from numpy.typing import NDArray

from jepa.evaluation.kinds.probing.probes import ProbeConfig, fit_linear, fit_mlp
from jepa.evaluation.statistics import bootstrap_regression

CONFIG = ProbeConfig(hidden=64, steps=600)
GROUPS = np.repeat(np.arange(50), 10)

Floats = NDArray[np.float32]


def r2(true: Floats, predicted: Floats) -> float:
    return bootstrap_regression(true, predicted, GROUPS, seed=0, resamples=10)["r2"].value


def data(seed: int, count: int = 2000) -> Floats:
    return np.random.default_rng(seed).normal(2, 3, size=(count, 8)).astype(np.float32)


def test_linear_probe_recovers_an_affine_map_exactly() -> None:
    weight = np.random.default_rng(9).normal(size=(8, 3)).astype(np.float32)
    train, test = data(0), data(1, 500)
    probe = fit_linear(train, train @ weight + 7, CONFIG)
    np.testing.assert_allclose(probe.predict(test), test @ weight + 7, atol=2e-3)
    assert r2(test @ weight, probe.predict(test) - 7) > 0.99999


def test_linear_probe_survives_redundant_and_dead_latents() -> None:
    train = np.concatenate([data(0), data(0), np.ones((2000, 1), np.float32)], axis=1)
    test = np.concatenate([data(1, 500), data(1, 500), np.ones((500, 1), np.float32)], axis=1)
    target = train[:, :1] - 2 * train[:, 3:4]
    assert r2(test[:, :1] - 2 * test[:, 3:4], fit_linear(train, target, CONFIG).predict(test)) > 0.9999


def test_linear_probe_of_more_dimensions_than_frames_is_the_same_ridge() -> None:
    train = np.random.default_rng(0).normal(2, 3, size=(30, 50)).astype(np.float32)
    target, config = train[:, :2] + train[:, 40:42] ** 2, ProbeConfig(ridge=0.1)
    probe = fit_linear(train, target, config)
    z, y = probe.z_scale.normalise(train).astype(float), probe.y_scale.normalise(target).astype(float)
    weight_DQ = np.linalg.solve(z.T @ z + 30 * 0.1 * np.eye(50), z.T @ y)
    np.testing.assert_allclose(probe.normalised(train), z @ weight_DQ, atol=1e-5)


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_probes_find_nothing_in_noise(kind: str) -> None:
    train, noise = data(0), data(2)[:, :2]
    held, held_noise = data(3, 400), data(4, 400)[:, :2]
    probe = (
        fit_linear(train, noise, CONFIG)
        if kind == "linear"
        else fit_mlp(train, noise, held, held_noise, CONFIG, seed=0)
    )
    assert abs(r2(data(5, 500)[:, :2], probe.predict(data(6, 500)))) < 0.1


def test_mlp_finds_what_a_line_cannot() -> None:
    def target(z: Floats) -> Floats:
        return ((z[:, :1] - 2) ** 2).astype(np.float32)

    train, held, test = data(0, 6000), data(3, 500), data(1, 500)
    mlp = fit_mlp(train, target(train), held, target(held), CONFIG, seed=0)
    assert r2(target(test), fit_linear(train, target(train), CONFIG).predict(test)) < 0.1
    assert r2(target(test), mlp.predict(test)) > 0.95


def test_mlp_depends_on_its_seed_alone() -> None:
    train, held = data(0), data(3, 300)
    config = ProbeConfig(hidden=16, steps=50)
    first, again, other = (
        fit_mlp(train, train[:, :1], held, held[:, :1], config, seed=s).predict(held) for s in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
