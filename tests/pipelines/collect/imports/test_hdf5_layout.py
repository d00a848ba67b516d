"""What is wrong with a file of episodes is one sentence, before anything is written."""

import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.collect import ImportConfig, import_hdf5, import_notices
from pipelines.collect.imports.columns import read_columns
from pipelines.store import Dataset
from tests.pipelines.collect.files import LENGTHS, episodes_file
from tests.pipelines.small_dataset import stored_bytes

ROWS = sum(LENGTHS)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


def importing(path: str, **changes: Any) -> ImportConfig:
    return ImportConfig.model_validate({"file": path, "name": "small", "executor": "local", "actors": 1, **changes})


def with_entry(values: Any, place: int | tuple[int, int], value: Any, kind: Any = None) -> Any:
    changed = np.array(values, dtype=kind)
    changed[place] = value
    return changed


OFFSETS = np.arange(20) * 8
STATE = np.zeros((ROWS, 3))
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no frames": ({"pixels": None}, "it lacks pixels; it has: action"),
    "cameras in a group": (
        {"pixels": None, "pixels/top": np.zeros((ROWS, 16, 16, 3), np.uint8), "pixels/wrist": np.zeros(3)},
        "pixels is a group of pixels/top, pixels/wrist; choose the camera by --pixels pixels/top",
    ),
    "float frames": ({"pixels": np.zeros((ROWS, 16, 16, 3), np.float32)}, "they must be square, uint8"),
    "actions in a group": ({"action": None, "action/arm": np.zeros((ROWS, 2))}, "action is a group; name one of"),
    "actions cut off": ({"action": np.zeros((ROWS - 1, 2))}, f"action has {ROWS - 1} rows and the frames are {ROWS}"),
    "actions without a value": ({"action": np.zeros((ROWS, 0))}, "it must hold a few numbers a row"),
    "actions as text": ({"action": np.array([b"left"] * ROWS)}, "it must hold a few numbers a row"),
    "no lengths": ({"ep_len": None}, "lacks ep_len"),
    "one length": ({"ep_len": 8}, "ep_len has the shape (); a list of whole numbers is needed"),
    "lengths in a table": ({"ep_len": np.full((20, 1), 8)}, "ep_len has the shape (20, 1)"),
    "lengths in a group": ({"ep_len": None, "ep_len/train": np.full(20, 8)}, "lacks ep_len"),
    "a length of NaN": ({"ep_len": with_entry(LENGTHS, 3, np.nan, float)}, "episode 3: ep_len is nan"),
    "a length of 2.5": ({"ep_len": with_entry(LENGTHS, 3, 2.5, float)}, "ep_len is 2.5, which is no whole number"),
    "a negative length": ({"ep_len": with_entry(LENGTHS, 3, -8)}, "episode 3 has ep_len -8"),
    "a huge length": ({"ep_len": with_entry(LENGTHS, 3, 2**62)}, "episode 3: ep_len is 4611686018427387904"),
    "a huge unsigned length": ({"ep_len": with_entry(LENGTHS, 3, 2**64 - 1, np.uint64)}, "too large for a count"),
    "an offset of infinity": ({"ep_offset": with_entry(OFFSETS, 5, np.inf, float)}, "episode 5: ep_offset is inf"),
    "a huge offset": ({"ep_offset": with_entry(OFFSETS, 5, 1e30, float)}, "too large for a count"),
    "lengths as text": ({"ep_len": np.array([b"8"] * 20)}, "is of type |S1; whole numbers are needed"),
    "fewer lengths": ({"ep_len": np.full(19, 8)}, "19 entries in ep_len and 20 in ep_offset"),
    "beyond the file": ({"ep_len": with_entry(LENGTHS, 19, 9)}, "episode 19 ends after the last of 160 rows"),
    "a gap": ({"ep_len": with_entry(LENGTHS, 3, 7)}, "rows 31 to 31 belong to no episode"),
    "a gap at the start": (
        {"ep_len": with_entry(LENGTHS, 0, 6), "ep_offset": with_entry(OFFSETS, 0, 2)},
        "rows 0 to 1 belong to no episode",
    ),
    "a gap at the end": ({"ep_len": with_entry(LENGTHS, 19, 5)}, "rows 157 to 159 belong to no episode"),
    "shared frames": ({"ep_len": with_entry(LENGTHS, 3, 9)}, "episodes 3 and 4 share frames, from row 32 on"),
    "one episode twice": ({"ep_offset": with_entry(OFFSETS, 4, 24)}, "episodes 3 and 4 share frames, from row 24 on"),
    "no episode with a step": (
        {"ep_len": np.ones(ROWS, int), "ep_offset": np.arange(ROWS)},
        "no episode has two frames",
    ),
    "NaN in a quantity": (
        {"state": with_entry(STATE, (17, 1), np.nan)},
        "episode 2, frame 1: state[1] is nan, which is not finite",
    ),
    "infinity in the last row": ({"proprio": with_entry(STATE, (159, 2), -np.inf)}, "episode 19, frame 7: proprio[2]"),
    "beyond float32": ({"state": with_entry(STATE, (8, 0), 1e300)}, "episode 1, frame 0: state[0] is 1e+300"),
    "a large whole number": (
        {"state": with_entry(STATE, (8, 0), 2**40, np.int64)},
        "episode 1, frame 0: state[0] is 1099511627776, which is over 2^24 and not exact in float32",
    ),
    "an action of NaN": (
        {"action": with_entry(np.zeros((ROWS, 2)), (9, 1), np.nan)},
        "episode 1, frame 1: action[1] is nan",
    ),
    "an action beyond float32": ({"action": with_entry(np.zeros((ROWS, 2)), (9, 1), 1e39)}, "is beyond float32"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_refused_in_a_sentence_before_anything_is_written(
    case: str, tmp_path: Path, store: Store
) -> None:
    columns, message = WRONG[case]
    path = episodes_file(tmp_path / "wrong.h5", **columns)
    with pytest.raises(InputError, match=re.escape(message)) as raised:
        import_hdf5(importing(path), store)
    assert path in str(raised.value) and "\n" not in str(raised.value)
    assert not stored_bytes(store)


def test_the_last_action_of_an_episode_may_be_anything(tmp_path: Path, store: Store) -> None:
    action = np.zeros((ROWS, 2))
    action[7::8] = [np.nan, 1e300]
    import_hdf5(importing(episodes_file(tmp_path / "right.h5", action=action)), store)
    assert Dataset(store, "small").action_size == 2


def test_ranges_may_be_in_any_order_and_of_any_type_of_whole_numbers(tmp_path: Path, store: Store) -> None:
    path = episodes_file(tmp_path / "right.h5", ep_len=np.full(20, 8.0), ep_offset=OFFSETS[::-1].astype(np.uint16))
    import_hdf5(importing(path), store)
    (first,) = Dataset(store, "small").episodes("train", limit=1)
    with h5py.File(path) as file:
        start = 8 * (19 - first.index)
        np.testing.assert_array_equal(first.pixels, file["pixels"][start : start + 8])


def test_an_episode_without_a_step_is_skipped_and_counted(tmp_path: Path, store: Store) -> None:
    lengths = (8, 1, 8, 0, *(8,) * 18, 1)
    numbers = np.repeat(np.arange(len(lengths)), lengths).astype(float)
    numbers[8] = np.nan  # of an episode that is not imported
    path = episodes_file(tmp_path / "short.h5", lengths, state=numbers)
    manifest = import_hdf5(importing(path), store)
    assert manifest.plan.episodes == 20 and manifest.total("frames") == 160
    (said,) = import_notices(manifest.plan, manifest.quantities)
    assert said.startswith("3 episodes with fewer than two frames were skipped")
    assert "3 episodes with fewer than two frames" in store.read("datasets/small/card.md").decode()
    dataset = Dataset(store, "small")
    found = {
        episode.index: set(episode.state["state"][:, 0].tolist())
        for split in ("train", "validation", "test")
        for episode in dataset.episodes(split)
    }
    usable = [number for number, length in enumerate(lengths) if length > 1]
    assert found == {index: {float(number)} for index, number in enumerate(usable)}


def test_one_of_several_cameras_is_chosen(tmp_path: Path, store: Store) -> None:
    cameras: dict[str, Any] = {
        f"pixels/{name}": np.full((ROWS, 16, 16, 3), value, np.uint8) for name, value in (("a", 5), ("b", 9))
    }
    path = episodes_file(tmp_path / "cameras.h5", pixels=None, **cameras)
    import_hdf5(importing(path, pixels="pixels/b"), store)
    (episode,) = Dataset(store, "small").episodes("train", limit=1)
    assert (episode.pixels == 9).all()


def test_columns_are_mapped_to_quantities(tmp_path: Path, store: Store) -> None:
    state = np.random.default_rng(1).normal(size=(ROWS, 5))
    columns_of_file: dict[str, Any] = {"state": state, "arm/angle": state[:, 3]}
    path = episodes_file(tmp_path / "mapped.h5", **columns_of_file)
    columns = ("place=state[0:2]", "last=state[4]", "heading=cos(arm/angle),sin(arm/angle)", "size=15,-0.5", "state")
    manifest = import_hdf5(importing(path, columns=columns), store)
    assert manifest.quantities == {"heading": 2, "last": 1, "place": 2, "size": 2, "state": 5}
    (episode,) = Dataset(store, "small").episodes("train", limit=1)
    rows = state[8 * episode.index : 8 * episode.index + 8]
    np.testing.assert_array_equal(episode.state["place"], rows[:, :2].astype(np.float32))
    np.testing.assert_array_equal(episode.state["last"], rows[:, 4:].astype(np.float32))
    np.testing.assert_allclose(episode.state["heading"], np.stack([np.cos(rows[:, 3]), np.sin(rows[:, 3])], 1), 1e-6)
    np.testing.assert_array_equal(episode.state["size"], np.tile(np.array([15, -0.5], np.float32), (8, 1)))
    assert import_hdf5(importing(path, columns=columns[::-1]), store) == manifest


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (("place=state[0:9]",), "asks for more than the 3 values of a row"),
        (("place=state[2:2]",), "asks for more than the 3 values of a row"),
        (("place=velocity",), "lacks velocity; it has"),
        (("a=state", "a=state[0]"), "quantity 'a' is given twice"),
        (("a=tan(state)",), "cannot be read at 'tan(state)'"),
        (("a=state[x]",), "cannot be read at 'state[x]'"),
        (("a=",), "cannot be read at ''"),
        (("=state",), "'' cannot name a quantity"),
        (("a/b",), "'a/b' cannot name a quantity"),
        (("a=nan",), "is nan, which is not finite"),
        (("a=1e300",), "is beyond float32"),
    ],
)
def test_columns_that_cannot_be_read_are_refused(
    columns: tuple[str, ...], message: str, tmp_path: Path, store: Store
) -> None:
    path = episodes_file(tmp_path / "right.h5", state=STATE)
    with pytest.raises(InputError, match=re.escape(message)):
        import_hdf5(importing(path, columns=columns), store)
    assert not stored_bytes(store)


def test_a_plain_column_is_read_as_in_earlier_plans() -> None:
    (mapped,) = read_columns(["state"])
    assert (mapped.name, mapped.columns, mapped.text) == ("state", ["state"], "state")


def test_links_that_lead_nowhere_or_in_a_circle_do_no_harm(tmp_path: Path, store: Store) -> None:
    path = episodes_file(tmp_path / "links.h5")
    with h5py.File(path, "a") as file:
        file["nowhere"] = h5py.SoftLink("/gone")
        file["circle/back"] = h5py.SoftLink("/circle")
        file["empty"] = h5py.Empty("f4")
    assert import_hdf5(importing(path), store).quantities == {}
