"""Claims about the noisy point mass: the order of the curves in section 5, of which the paper gives no figures."""

from jepa.evaluation.statistics import Estimate
from jepa.studies.claims import CellRows, Claim, Finding, mean_interval, side_of, undecided

NEAR = (1.0, 5.0)
MIDDLE = 10.0
ALIKE = 0.9
"""success above which a curve counts as near one"""


def _near(rows: CellRows) -> Finding:
    found = rows.where(experiment="point_mass")
    estimates, words = [], []
    for target in ("latent", "input"):
        for noise in found.distinct("noise"):
            own = [found.over_seeds("success", quantity=target, noise=noise, x=x) for x in NEAR]
            estimates += own
            words.append(f"{target}, noise {noise:g}: {_means(own)}")
    return side_of(ALIKE, estimates, "; ".join(words)) if estimates else undecided()


def _input_first(rows: CellRows) -> Finding:
    found = rows.where(experiment="point_mass", metric="lead")
    least = found.where(noise=min(found.distinct("noise"), default=None))
    lead = least.over_seeds("lead", x=MIDDLE)
    return side_of(0.0, [lead], f"lead of latents {_interval(lead)} without noise at 10 steps", above=False)


def _latent_far(rows: CellRows) -> Finding:
    found = rows.where(experiment="point_mass", metric="lead")
    farthest, noises = max(found.distinct("x"), default=None), found.distinct("noise")
    leads = [found.over_seeds("lead", x=farthest, noise=noise) for noise in noises]
    words = ", ".join(f"{_interval(one)} at noise {noise:g}" for noise, one in zip(noises, leads, strict=True))
    return side_of(0.0, leads, f"lead of latents {words}")


def _drops(rows: CellRows) -> Finding:
    found = rows.where(experiment="point_mass", metric="success", quantity="input")
    places = found.distinct("x")
    if len(places) < 2:
        return undecided()
    drop = found.difference("success", {"x": places[-2]}, {"x": places[-1]})
    curve = _means([found.over_seeds("success", x=x) for x in places])
    return side_of(0.1, [drop], f"input at {', '.join(f'{x:.0f}' for x in places)} steps, all noise levels: {curve}")


def _noise(rows: CellRows) -> Finding:
    found = rows.where(experiment="point_mass", metric="lead")
    noises = found.distinct("noise")
    if len(noises) < 2:
        return undecided()
    leads = [found.by_seed("lead", noise=noise) for noise in (noises[0], noises[-1])]
    shared = sorted(leads[0].keys() & leads[1].keys())
    growth = mean_interval([leads[1][seed] - leads[0][seed] for seed in shared]) if shared else None
    curve = _means([found.over_seeds("lead", noise=noise) for noise in noises])
    words = f"mean lead of latents at noise {', '.join(f'{noise:g}' for noise in noises)}: {curve}"
    return side_of(0.0, [growth], words)


def _means(estimates: list[Estimate | None]) -> str:
    return ", ".join(f"{one.value:.2f}" for one in estimates if one is not None)


def _interval(one: Estimate | None) -> str:
    return "not measured" if one is None else f"{one.value:.2f} ({one.low:.2f} to {one.high:.2f})"


POINT_MASS = (
    Claim(
        "point-mass-near",
        "section 5, figure 2",
        "Goals that require 1 or 5 steps are reached with predicted latents and with predicted input alike.",
        "both near 1; no figures",
        _near,
    ),
    Claim(
        "point-mass-input-first",
        "section 5, figure 2",
        "At 10 steps and little noise prediction of the input plans better.",
        "input above latent; no figures",
        _input_first,
    ),
    Claim(
        "point-mass-noise",
        "section 5, figure 2",
        "With more noise latents gain on input.",
        "latent catches up at 10 steps, is ahead at 15 and 20; no figures",
        _noise,
    ),
    Claim(
        "point-mass-far",
        "section 5, figure 2",
        "At 25 steps latents plan better at each level of noise.",
        "latent clearly higher at most levels; no figures",
        _latent_far,
    ),
    Claim(
        "point-mass-drop",
        "section 5, figure 2",
        "From 20 to 25 steps prediction of the input loses over a tenth of the goals.",
        "a sharp drop; no figures",
        _drops,
    ),
)
