"""Names find classes, in this package and in others, and a broken one harms nobody else."""

import pytest

from neuroanp.config import registry
from neuroanp.errors import NeuroANPError, UnknownName
from neuroanp.rules import NodePerturbation
from neuroanp.tasks import CopyingMemory


@pytest.fixture
def other_package(tmp_path, monkeypatch):
    """Another installed package: a task of its own, broken ones, and one with a name of ours."""
    (tmp_path / "other_package.py").write_text("class Mine:\n    pass\n\nnot_a_class = 3\n")
    (tmp_path / "raises_on_import.py").write_text("raise ValueError('no such device')\n")
    info = tmp_path / "other_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[neuroanp.tasks]\n"
        "mine = other_package:Mine\n"
        "absent = other_package:Absent\n"
        "missing = nowhere_to_be_found:Task\n"
        "number = other_package:not_a_class\n"
        "raises = raises_on_import:Task\n"
        "copying-memory = other_package:Mine\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))


def test_own_names():
    assert registry.broken() == []
    assert registry.classes("task")["copying-memory"] is CopyingMemory
    assert set(registry.classes("model")) >= {"tanh", "leaky-tanh", "lif"}
    assert registry.classes("rule")["node-perturbation"] is NodePerturbation
    assert registry.find("rule", "node-perturbation") is NodePerturbation


@pytest.mark.parametrize("kind", ["task", "model", "rule", "optimizer", "baseline"])
def test_a_class_knows_the_name_it_is_found_by(kind):
    for name, cls in registry.classes(kind).items():
        assert cls.name == name


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownName, match=r"got 'mackey-glas'; did you mean 'mackey-glass'"):
        registry.find("task", "mackey-glas")
    with pytest.raises(UnknownName, match="did you mean 'rule'"):
        registry.find("rules", "node-perturbation")


@pytest.mark.usefixtures("other_package")
def test_another_package_adds_a_task():
    assert registry.classes("task")["mine"].__module__ == "other_package"
    assert registry.find("task", "mine") is registry.classes("task")["mine"]


def test_a_package_that_is_installed_meanwhile_is_found(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "later" not in registry.names("task")
    info = tmp_path / "later-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: later\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[neuroanp.tasks]\nlater = nowhere:Task\n")
    assert "later" in registry.names("task")


@pytest.mark.usefixtures("other_package")
def test_another_package_cannot_take_a_name_of_ours():
    assert registry.find("task", "copying-memory") is CopyingMemory


@pytest.mark.usefixtures("other_package")
def test_broken_entry_points_are_left_out_and_explained_when_asked_for():
    broken = {"absent", "missing", "number", "raises"}
    assert not broken & set(registry.classes("task"))
    assert registry.find("task", "copying-memory") is CopyingMemory
    assert len(registry.broken()) == len(broken)
    reasons = {
        "absent": "no attribute 'Absent'",
        "missing": "nowhere_to_be_found",
        "number": "a class, got 3",
    }
    for name, reason in (reasons | {"raises": "no such device"}).items():
        with pytest.raises(registry.BrokenEntryPoint, match=reason):
            registry.find("task", name)


def test_checkout_without_links_is_explained(tmp_path, monkeypatch):
    registry.require_links()
    (tmp_path / "models").write_text("../models")
    monkeypatch.setattr(registry, "__file__", str(tmp_path / "registry.py"))
    with pytest.raises(NeuroANPError, match=r"core\.symlinks true"):
        registry.find("model", "tanh")
