"""A folder is refused as a store where some node of the cluster does not see it."""

from pathlib import Path

import pytest

from infra.errors import AddressError
from infra.storage import open_store, shared
from infra.storage.shared import check_seen_by_all_nodes

NODES = [{"NodeID": name, "NodeName": name, "Alive": True} for name in ("head", "worker-1", "worker-2")]


def test_nodes_that_do_not_see_a_folder_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, asked = open_store(str(tmp_path)), []
    monkeypatch.setattr(shared, "_nodes", lambda: NODES)

    def answers(path: str) -> dict[str, bool]:
        asked.append(Path(path).exists())
        return {"head": True, "worker-1": False, "worker-2": True}

    monkeypatch.setattr(shared, "_answers", answers)
    with pytest.raises(AddressError, match=r"1 of 3 nodes of the Ray cluster do not see \(worker-1\); give s3://"):
        check_seen_by_all_nodes(store)
    monkeypatch.setattr(shared, "_answers", lambda path: dict.fromkeys(("head", "worker-1", "worker-2"), True))
    check_seen_by_all_nodes(store)
    assert asked == [True] and list(tmp_path.rglob("*seen*")) == []


def test_one_node_and_s3_are_asked_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "_answers", lambda path: pytest.fail("nodes were asked"))
    monkeypatch.setattr(shared, "_nodes", lambda: NODES[:1])
    check_seen_by_all_nodes(open_store(str(tmp_path)))
    monkeypatch.setattr(shared, "_nodes", lambda: NODES)
    check_seen_by_all_nodes(open_store("s3://bucket/prefix"))


@pytest.mark.ray
@pytest.mark.slow
def test_the_nodes_of_a_real_cluster_answer(ray_cluster: None, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert set(shared._answers(str(tmp_path / "file")).values()) == {True}
    assert set(shared._answers(str(tmp_path / "nowhere")).values()) == {False}
