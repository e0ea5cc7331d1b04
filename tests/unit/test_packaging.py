# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The artifact that users install: what is in it, and that it works on its own, away from this checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent
# These have to work without Kubespray being installed.
PLAYBOOKS = ("access", "addons", "install", "plan", "remove", "status")
FOR_USERS = {
    "CHANGELOG.rst", "LICENSE", "LICENSES", "README.md", "bindep.txt", "changelogs", "docs", "inventories", "meta",
    "playbooks", "plugins", "requirements.txt", "requirements.yml", "roles", "schemas",
    # Written by the build.
    "FILES.json", "MANIFEST.json",
}  # fmt: skip


def ansible(program: str, *arguments: str | Path, home: Path, collections: Path | None = None) -> str:
    """Run a program of ansible-core that knows of no collection but those in ``collections``."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHONPATH"))}
    environment |= {
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_COLLECTIONS_PATH": str(collections or home / "none"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    }
    done = subprocess.run(
        [BIN / program, *arguments],
        cwd=home,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection as built from what git tracks or would track, so without a developer's leavings."""
    home = tmp_path_factory.mktemp("build")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    source = home / "source"
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    ansible("ansible-galaxy", "collection", "build", source, "--output-path", home, home=home)
    (built,) = home.glob("slipway-cluster-*.tar.gz")
    return built


@pytest.fixture(scope="module")
def installed(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("install")
    ansible("ansible-galaxy", "collection", "install", "--offline", artifact, "-p", home / "collections", home=home)
    return home / "collections"


def test_the_artifact_holds_what_users_need_and_nothing_else(artifact: Path) -> None:
    with tarfile.open(artifact) as archive:
        names = archive.getnames()
    assert {name.split("/")[0] for name in names} <= FOR_USERS
    assert not [name for name in names if name.startswith("inventories/lab")]
    assert not [name for name in names if "__pycache__" in name]
    assert {"README.md", "requirements.txt", "meta/runtime.yml", "changelogs/changelog.yaml"} <= set(names)


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


def test_module_documentation_is_in_the_installed_artifact(installed: Path) -> None:
    out = ansible("ansible-doc", "-t", "module", "slipway.cluster.addons", home=installed.parent, collections=installed)
    assert "slipway.cluster.addons" in out
