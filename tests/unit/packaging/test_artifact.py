# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The artifact that users install: what is in it, and that it works on its own, away from this checkout."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path, PurePosixPath

import pytest
import yaml

from tests.packaging import ROOT, ansible, repository

# These have to work without Kubespray being installed.
PLAYBOOKS = ("access", "addons", "install", "plan", "remove", "status")
FOR_USERS = {
    "CHANGELOG.rst", "LICENSE", "LICENSES", "README.md", "bindep.txt", "changelogs", "docs", "execution-environment",
    "inventories", "meta", "playbooks", "plugins", "requirements.txt", "requirements.yml", "roles", "schemas",
    # Written by the build.
    "FILES.json", "MANIFEST.json",
}  # fmt: skip
FOR_DEVELOPERS = {"tests", "test", "molecule", "lab", "benchmarks", "__pycache__", "conftest.py", "Makefile"}
PROGRAMS = {"playbooks", "plugins", "roles"}
PICTURES = {".png", ".svg"}
LARGEST = 256 * 1024


def unwanted(member: tarfile.TarInfo, content: bytes) -> str:
    """Why a file has no business in the artifact; empty: it has."""
    path = PurePosixPath(member.name)
    if path.parts[0] not in FOR_USERS:
        return "not meant for users"
    if FOR_DEVELOPERS & set(path.parts) or path.name.startswith("test_"):
        return "meant for developers"
    if path.suffix == ".py" and path.parts[0] not in PROGRAMS:
        return "meant for developers"
    if any(part.startswith(".") for part in path.parts):
        return "hidden"
    if not (member.isdir() or member.isfile()):
        return "a link or worse"
    if member.isfile() and member.mode & 0o111:
        return "executable"
    if len(content) > LARGEST and path.name != "FILES.json":
        return f"{len(content)} bytes"
    if path.suffix not in PICTURES and b"\0" in content:
        return "binary"
    return ""


def entry(name: str, content: bytes = b"", mode: int = 0o644, kind: bytes = tarfile.REGTYPE) -> str:
    member = tarfile.TarInfo(name)
    member.mode, member.type = mode, kind
    return unwanted(member, content)


def test_the_artifact_holds_what_users_need_and_nothing_else(artifact: Path) -> None:
    with tarfile.open(artifact) as archive:
        found = {}
        for member in archive.getmembers():
            source = archive.extractfile(member)
            found[member.name] = unwanted(member, source.read() if source else b"")
    assert {name: reason for name, reason in found.items() if reason} == {}
    assert not [name for name in found if name.startswith("inventories/lab")]
    assert {"README.md", "requirements.txt", "meta/runtime.yml", "changelogs/changelog.yaml"} <= set(found)


def test_what_does_not_belong_there_is_seen() -> None:
    assert entry("plugins/modules/addons.py", b"text") == ""
    assert entry("pyproject.toml") == "not meant for users"
    assert entry("plugins/modules/test_addons.py") == "meant for developers"
    assert entry("roles/addons/molecule/default/molecule.yml") == "meant for developers"
    assert entry("schemas/generate.py") == "meant for developers"
    assert entry("docs/.secret") == "hidden"
    assert entry("docs/link.md", kind=tarfile.SYMTYPE) == "a link or worse"
    assert entry("roles/addons/files/run", b"#!/bin/sh", 0o755) == "executable"
    assert entry("docs/figures.csv", b"0" * (LARGEST + 1)) == f"{LARGEST + 1} bytes"
    assert entry("roles/addons/files/helm", b"\x7fELF\0") == "binary"
    assert entry("docs/plan.png", b"\x89PNG\0") == ""


def test_the_same_comes_from_git(collection: Path, tmp_path: Path) -> None:
    """What `git+https://…` in a requirements.yml gives is what the artifact gives, file by file."""
    folder = tmp_path / "collections"
    address = repository(tmp_path / "repository")
    ansible("ansible-galaxy", "collection", "install", address, "-p", folder, home=tmp_path, collections=folder)

    def listed(root: Path) -> dict[str, str]:
        files = json.loads((root / "FILES.json").read_text(encoding="utf-8"))["files"]
        return {file["name"]: file["chksum_sha256"] for file in files}

    assert listed(folder / "ansible_collections" / "slipway" / "cluster") == listed(collection)


def test_every_licence_that_is_named_has_its_text() -> None:
    named = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["license"]
    assert {f"{name}.txt" for name in named} == {path.name for path in (ROOT / "LICENSES").iterdir()}


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_playbooks_work_from_the_installed_artifact(installed: Path, playbook: str) -> None:
    out = ansible(
        "ansible-playbook", "-i", "localhost,", "--syntax-check", f"slipway.cluster.{playbook}",
        home=installed.parent, collections=installed,
    )  # fmt: skip
    assert "playbook: slipway.cluster" in out or str(installed) in out
