"""The head `reachable`: a goal is within a budget where the way takes no more steps, and hardly otherwise."""

from typing import Any, cast

import pytest
import torch

from jepa.planning.heads.fitting import fit_head
from jepa.planning.heads.reachable import ReachableHead
from jepa.planning.heads.registry import head_config
from tests.jepa.planning.heads.open_square import STEP, SquareModel, least_steps, walks

MODEL: Any = SquareModel()
OPTIONS = {"width": 32, "depth": 2, "steps": 400, "batch_size": 128, "learning_rate": 3e-3, "longest": 30}


@pytest.fixture(scope="module")
def head() -> ReachableHead:
    return cast(ReachableHead, fit_head("reachable", head_config("reachable", OPTIONS), MODEL, walks(300), {}, 0))


@torch.inference_mode()
def chance(head: ReachableHead, steps: float, budgets: list[int]) -> list[float]:
    """Returns the mean probability of arriving, along x, from places all over the square."""
    start = torch.rand(200, 2, generator=torch.Generator().manual_seed(1)) * torch.tensor([1 - steps * STEP, 1.0])
    goal = start + torch.tensor([steps * STEP, 0.0])
    return [float(head(start, goal, torch.tensor(float(budget))).sigmoid().mean()) for budget in budgets]


def test_more_budget_makes_arriving_likelier_and_more_way_less_so(head: ReachableHead) -> None:
    by_budget = chance(head, 8, [2, 5, 12, 30])
    assert by_budget == sorted(by_budget) and by_budget[0] < 0.15 and by_budget[-1] > 0.85, by_budget
    by_way = [chance(head, steps, [10])[0] for steps in (1, 6, 14, 24)]
    assert by_way == sorted(by_way, reverse=True) and by_way[0] > 0.9 and by_way[-1] < 0.3, by_way


@torch.inference_mode()
def test_the_budget_of_even_chances_is_the_fewest_steps(head: ReachableHead) -> None:
    """Walks of before count little that took longer, so that it is not the time that they took on the average."""
    start, goal = torch.rand(2, 500, 2, generator=torch.Generator().manual_seed(2))
    budgets = torch.arange(1, 31)
    even = (head(start[:, None], goal[:, None], budgets) > 0).float().argmax(1) + 1.0
    truth = least_steps(start, goal)
    assert 0.8 < float((even / truth.clamp_min(1)).median()) < 1.25
    assert float(torch.corrcoef(torch.stack([even, truth]))[0, 1]) > 0.9


@torch.inference_mode()
def test_budgets_beyond_those_learned_count_as_the_largest(head: ReachableHead) -> None:
    place = torch.rand(5, 2)
    torch.testing.assert_close(
        head(place, place.flip(0), torch.tensor(30)), head(place, place.flip(0), torch.tensor(99))
    )
    torch.testing.assert_close(
        head(place, place.flip(0), torch.tensor(1)), head(place, place.flip(0), torch.tensor(-4))
    )
    several = head(place[:, None].expand(5, 3, 2), place[:, None].expand(5, 3, 2), torch.tensor([1, 10, 30]))
    torch.testing.assert_close(several[:, 1], head(place, place, torch.tensor(10)))


def test_pairs_of_two_episodes_are_drawn_from_two_episodes_by_their_share() -> None:
    data = walks(5, steps=20)
    first, second = data.rows_of_two(400, torch.Generator().manual_seed(0))
    assert (first // 21 != second // 21).all() and 280 < len(first) < 360
    assert set((first // 21).tolist()) == set(range(5)) and int(first.max()) == 5 * 21 - 1
