# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The folder of the rendered history: what is ours comes and goes, what is not stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import EngineError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.history.folder import Folder, Written
from ansible_collections.slipway.cluster.plugins.module_utils.addons.history.tree import Branch, _distinct, _name
from ansible_collections.slipway.cluster.plugins.module_utils.kube.objects import ObjectId


def branch(name: str = "portal", **files: str) -> Branch:
    return Branch(name, {f"objects/{name}/{key}.yaml": text for key, text in files.items()})


def write(root: Path, *branches: Branch, gone: tuple[str, ...] = (), owner: str = "prod") -> Written:
    folder = Folder(root, owner)
    known = folder.indexes()
    folder.check(branches, known)
    return folder.write(branches, gone, known)


def tree(root: Path) -> dict[str, str]:
    return {str(p.relative_to(root)): p.read_text() for p in sorted(root.rglob("*")) if p.is_file()}


def test_the_same_twice_changes_nothing(tmp_path: Path) -> None:
    first = write(tmp_path, branch(a="1\n", b="2\n"))
    assert sorted(first.changed) == ["index/portal.yaml", "objects/portal/a.yaml", "objects/portal/b.yaml"]
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    again = write(tmp_path, branch(a="1\n", b="2\n"))
    assert (again.changed, again.removed, again.files) == ([], [], 3)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_only_what_an_index_names_goes(tmp_path: Path) -> None:
    write(tmp_path, branch(a="1", b="2"), branch("loki", a="1"))
    (tmp_path / "objects" / "portal" / "mine.yaml").write_text("mine")
    (tmp_path / "README.md").write_text("mine")
    told = write(tmp_path, branch(a="1"), gone=("loki",))
    assert sorted(told.removed) == ["index/loki.yaml", "objects/loki/a.yaml", "objects/portal/b.yaml"]
    assert set(tree(tmp_path)) == {
        "README.md",
        "index/portal.yaml",
        "objects/portal/a.yaml",
        "objects/portal/mine.yaml",
    }
    assert not (tmp_path / "objects" / "loki").exists()


def test_a_foreign_file_in_the_way_stops_everything(tmp_path: Path) -> None:
    target = tmp_path / "objects" / "portal" / "a.yaml"
    target.parent.mkdir(parents=True)
    target.write_text("mine")
    with pytest.raises(EngineError, match=r"SLW-4712.*objects/portal/a.yaml"):
        write(tmp_path, branch(a="1"), branch("loki", a="1"))
    assert tree(tmp_path) == {"objects/portal/a.yaml": "mine"}


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "objects" / "portal").mkdir(parents=True)
    (tmp_path / "objects" / "portal" / "a.yaml").symlink_to(tmp_path / "nowhere")
    with pytest.raises(EngineError, match="SLW-4712"):
        write(tmp_path, branch(a="1"))


def test_two_names_share_a_folder_but_no_add_on(tmp_path: Path) -> None:
    write(tmp_path, branch(a="1"), owner="prod")
    write(tmp_path, branch("loki", a="2"), owner="test")
    assert set(Folder(tmp_path, "prod").indexes()) == {"portal"}
    with pytest.raises(EngineError, match="SLW-4712"):
        write(tmp_path, branch(a="1"), owner="test")


@pytest.mark.parametrize(
    "path", ["../x", "objects/portal/../../x", "objects/loki/a.yaml", "/etc/passwd", "index/portal.yaml", "x"]
)
def test_an_index_is_believed_about_its_own_files_only(tmp_path: Path, path: str) -> None:
    write(tmp_path, branch(a="1"))
    index = tmp_path / "index" / "portal.yaml"
    index.write_text(index.read_text().replace("objects/portal/a.yaml", path))
    before = tree(tmp_path)
    with pytest.raises(EngineError, match="SLW-4713"):
        write(tmp_path, gone=("portal",))
    assert tree(tmp_path) == before


@pytest.mark.parametrize("text", ["", "- a", "name: other\nslipway_name: prod\nfiles: []", "<<<<<<< HEAD\n", "a: ]"])
def test_a_broken_index_is_an_error(tmp_path: Path, text: str) -> None:
    write(tmp_path, branch(a="1"))
    (tmp_path / "index" / "portal.yaml").write_text(text)
    with pytest.raises(EngineError, match="SLW-4713"):
        write(tmp_path, branch(a="1"))


def test_a_killed_run_leaves_nothing_that_is_taken_for_foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed at every write: the next run always goes through and ends with the same tree."""
    wanted = [branch(b="new", c="3"), branch("loki", a="1")]
    write(tmp_path / "right", *wanted)
    real, left = Folder._put, 0

    def put(self: Folder, path: str, text: str, told: Written) -> None:
        nonlocal left
        if not left:
            raise KeyboardInterrupt
        left -= 1
        real(self, path, text, told)

    for writes in range(8):
        root = tmp_path / str(writes)
        write(root, branch(a="1", b="old"))
        with monkeypatch.context() as patched:
            left = writes
            patched.setattr(Folder, "_put", put)
            with pytest.raises(KeyboardInterrupt) if writes < 7 else pytest.MonkeyPatch.context():
                write(root, *wanted)
        write(root, *wanted)
        assert tree(root) == tree(tmp_path / "right")


def test_a_folder_that_cannot_be_written_is_told_before(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match="SLW-4711"):
        write(tmp_path / "file" / "below", branch(a="1"))


def test_names_sort_in_the_order_of_applying_and_are_different() -> None:
    def name(group: str, kind: str, namespace: str, one: str, rank: int) -> str:
        return _name(ObjectId(group, kind, namespace, one), rank)

    names = [
        name("apiextensions.k8s.io", "CustomResourceDefinition", "", "offers.example.org", 1),
        name("", "Namespace", "", "a", 0),
        name("", "ConfigMap", "a", "x", 14),
        name("apps", "Deployment", "a", "web", 22),
        name("example.org", "Offer", "a", "x", 23),
        name("apiregistration.k8s.io", "APIService", "", "v1.x", 24),
    ]
    assert names == sorted(names)
    assert names[0] == "00-crds/offers.example.org.yaml"
    assert (
        name("rbac.authorization.k8s.io", "ClusterRole", "", "system:reader", 17) == "20-clusterrole-system_reader.yaml"
    )
    long = [name("", "ConfigMap", "a", "x" * 240 + end, 14) for end in "ab"]
    assert len(set(long)) == 2
    assert max(map(len, long)) < 230


def test_objects_whose_names_fall_together_are_told_apart() -> None:
    def body(group: str, namespace: str, name: str) -> dict[str, object]:
        return {"apiVersion": f"{group}/v1", "kind": "Box", "metadata": {"namespace": namespace, "name": name}}

    bodies = [body("a", "x-y", "z"), body("a", "x", "y-z"), body("b", "x", "Y-z"), body("a", "x", "other")]
    paths = [path for path, _ in _distinct([("40-box-x-y-z.yaml", b) for b in bodies[:2]]
             + [("40-box-x-Y-z.yaml", bodies[2]), ("40-box-x-other.yaml", bodies[3])])]  # fmt: skip
    assert len({path.lower() for path in paths}) == 4
    assert paths[3] == "40-box-x-other.yaml"
