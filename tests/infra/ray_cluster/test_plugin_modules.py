"""An existing cluster gets a copy of the modules that are not installed, and of no other."""

from pathlib import Path

import pytest

from infra.ray_cluster.plugin_modules import plugin_paths


def test_files_and_packages_on_the_path_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one_file.py").write_text("")
    (tmp_path / "a_package").mkdir()
    (tmp_path / "a_package" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("JEPA_IMPORT", "one_file, a_package.worlds,a_package.objectives")
    assert plugin_paths() == [str(tmp_path / "one_file.py"), str(tmp_path / "a_package")]


@pytest.mark.parametrize("names", ["", "numpy", "json,math", "jepa.worlds.two_room.world", "no_such_module_at_all"])
def test_what_a_cluster_has_anyway_is_not_sent(names: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEPA_IMPORT", names)
    assert plugin_paths() == []
