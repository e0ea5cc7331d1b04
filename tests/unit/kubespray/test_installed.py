# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The installed Kubespray and what it needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.installed import check_installed, find
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.preinstall import supported_systems
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.ranges import fits, parse
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import Problem, Severity


def install(path: Path, name: str, version: str) -> None:
    folder = path / "ansible_collections" / name.replace(".", "/")
    folder.mkdir(parents=True)
    (folder / "MANIFEST.json").write_text(json.dumps({"collection_info": {"version": version}}))


@pytest.fixture
def base(collection: Path) -> Path:
    """The collection path that Kubespray is on; what it needs is there, too."""
    path = collection.parents[2]
    manifest = json.loads((collection / "MANIFEST.json").read_text())
    manifest["collection_info"]["version"] = "2.31.4"
    (collection / "MANIFEST.json").write_text(json.dumps(manifest))
    (collection / "requirements.txt").write_text("ansible==11.13.0\n# for filters\nnetaddr==1.3.0\nsome-thing>=1\n")
    return path


def found(path: Path, core: str = "2.18.19", missing: str = "") -> list[Problem]:
    return check_installed([path], core, lambda name: name != missing)[1]


def codes(path: Path, core: str = "2.18.19", missing: str = "") -> list[str]:
    return [problem.code for problem in found(path, core, missing)]


def test_nothing_is_found_where_all_is_there(base: Path, collection: Path) -> None:
    assert check_installed([base.parent, base], "2.18.19", lambda name: True) == (collection, [])


def test_it_is_not_installed(tmp_path: Path) -> None:
    folder, (problem,) = check_installed([tmp_path], "2.18.19", lambda name: True)
    assert folder is None
    assert problem.code == "SLW-8001"
    assert str(tmp_path) in problem.message


def test_it_cannot_be_read(base: Path, collection: Path) -> None:
    (collection / "MANIFEST.json").write_text("{")
    assert codes(base) == ["SLW-8002"]


def test_another_minor_is_told_and_does_not_stop(base: Path, collection: Path) -> None:
    text = (collection / "MANIFEST.json").read_text()
    (collection / "MANIFEST.json").write_text(text.replace("2.31.4", "2.30.0"))
    (problem,) = found(base)
    assert (problem.code, problem.severity) == ("SLW-8003", Severity.WARNING)


@pytest.mark.parametrize("core", ["2.17.9", "2.19.0", "2.21.5"])
def test_ansible_core_outside_of_the_range(base: Path, core: str) -> None:
    assert codes(base, core) == ["SLW-8004"]


def test_a_collection_is_missing_too_old_or_spoilt(base: Path) -> None:
    utils = base / "ansible_collections/ansible/utils/MANIFEST.json"
    utils.write_text(json.dumps({"collection_info": {"version": "2.4.9"}}))
    assert codes(base) == ["SLW-8005"]
    utils.write_text("[]")
    assert codes(base) == ["SLW-8005"]
    utils.unlink()
    assert codes(base) == ["SLW-8005"]


@pytest.mark.parametrize("package", ["netaddr", "some_thing"])
def test_a_package_is_missing(base: Path, package: str) -> None:
    assert codes(base, missing=package) == ["SLW-8006"]


def test_ansible_itself_is_not_looked_for(base: Path) -> None:
    assert codes(base, missing="ansible") == []


def test_the_first_path_that_has_it_counts(base: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    install(other, "kubernetes_sigs.kubespray", "1.0.0")
    assert find("kubernetes_sigs.kubespray", [other, base]) == other / "ansible_collections/kubernetes_sigs/kubespray"
    assert find("kubernetes_sigs.kubespray", [base / "ansible_collections"]) is not None
    assert find("a.b", [other, base]) is None


@pytest.mark.parametrize(
    ("version", "wanted", "fitting"),
    [
        ("2.18.0", ">=2.18.0,<2.19.0", True),
        ("2.18.19", ">=2.18.0,<2.19.0", True),
        ("2.19.0", ">=2.18.0,<2.19.0", False),
        ("2.17.14", ">=2.18.0", False),
        ("2.10.0", ">=2.9", True),
        ("1.0", "1.0.0", True),
        ("1.0.1", "!=1.0.1", False),
        ("1.0.1", ">1.0.1", False),
        ("1.0.1", "<=1.0.1", True),
        ("0.0.1", "*", True),
        ("0.0.1", "", True),
        ("2.19.0.dev0", ">=2.18.0,<2.19.0", False),
    ],
)
def test_ranges(version: str, wanted: str, fitting: bool) -> None:
    assert fits(version, wanted) is fitting


def test_versions_compare_by_their_numbers() -> None:
    assert parse("v2.31.0") == parse("2.31") < parse("2.31.1") < parse("2.100")
    assert parse("2.19.0rc1") == (2, 19)


def test_supported_systems_are_read_where_kubespray_has_them(collection: Path) -> None:
    assert supported_systems(collection) == frozenset()
    file = collection / "roles/kubernetes/preinstall/defaults/main.yml"
    file.parent.mkdir(parents=True)
    file.write_text("supported_os_distributions: [Debian, Rocky]\n")
    assert supported_systems(collection) == {"Debian", "Rocky"}
    file.write_text("- [")
    assert supported_systems(collection) == frozenset()
