# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What ansible-builder makes of the installed artifact, and of the definition that comes with it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.packaging import ROOT

BUILDER = ROOT / ".venv" / "bin" / "ansible-builder"
# Names of packages whose modules are called otherwise, and what every ansible-core brings.
PACKAGES = {"yaml": "pyyaml"}
WITH_CORE = {"ansible", "ansible_collections", "jinja2"}


def builder(*arguments: str | Path, folder: Path) -> str:
    done = subprocess.run([BUILDER, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def lines(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def names(path: Path) -> set[str]:
    return {re.split(r"[<>=!~\[; ]", line)[0].lower() for line in lines(path)}


def pin(path: Path, name: str) -> str:
    return next(line.split()[0] for line in lines(path) if line.startswith(f"{name}=="))


def imported(folder: Path) -> set[str]:
    """Top-level modules that plugins import and Python does not have itself."""
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module)
    return {name.split(".")[0] for name in found} - sys.stdlib_module_names


@pytest.fixture(scope="session")
def context(collection: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build context that the definition gives, out of the installed artifact."""
    folder = tmp_path_factory.mktemp("context")
    definition = collection / "execution-environment" / "execution-environment.yml"
    builder("create", "-f", definition, "-c", folder, "--output-filename", "Containerfile", folder=folder)
    return folder


@pytest.fixture(scope="session")
def definition(collection: Path) -> Any:
    return yaml.safe_load((collection / "execution-environment" / "execution-environment.yml").read_text("utf-8"))


def test_every_package_that_plugins_import_is_required(collection: Path) -> None:
    modules = imported(collection / "plugins") - WITH_CORE
    assert {"cryptography", "urllib3", "yaml"} <= modules
    assert {PACKAGES.get(name, name) for name in modules} <= names(collection / "requirements.txt")


def test_introspection_finds_what_the_collection_needs(installed: Path, collection: Path) -> None:
    found = yaml.safe_load(builder("introspect", installed, folder=installed))
    stated = {kind: {line.split("  # from collection ")[0] for line in found[kind]} for kind in ("python", "system")}
    # Every ansible-core needs PyYAML itself, so ansible-builder leaves it out.
    asked = lines(collection / "requirements.txt")
    assert stated["python"] == {line for line in asked if not line.startswith("PyYAML")}
    assert stated["system"] == set(lines(collection / "bindep.txt"))
    assert {"git", "openssh-client", "openssh-clients", "rsync"} <= {line.split()[0] for line in stated["system"]}
    assert all(line.endswith("# from collection slipway.cluster") for line in found["python"] + found["system"])


def test_the_definition_is_accepted_and_installs_what_requirements_yml_pins(context: Path, collection: Path) -> None:
    text = (context / "Containerfile").read_text(encoding="utf-8")
    assert "ansible-galaxy collection install" in text
    assert "FROM $EE_BASE_IMAGE AS base" in text
    assert (context / "_build" / "requirements.yml").read_bytes() == (collection / "requirements.yml").read_bytes()


def test_its_ansible_is_what_the_suite_and_kubespray_run_on(definition: Any) -> None:
    asked = definition["dependencies"]
    assert asked["ansible_core"]["package_pip"] == pin(ROOT / "requirements/dev.txt", "ansible-core")
    assert asked["ansible_core"]["package_pip"] == pin(ROOT / "requirements/kubespray.txt", "ansible-core")
    assert asked["ansible_runner"]["package_pip"] == pin(ROOT / "requirements/dev.txt", "ansible-runner")


def test_no_program_is_fetched_without_its_checksum(context: Path) -> None:
    text = (context / "Containerfile").read_text(encoding="utf-8")
    programs = re.findall(r"^ARG (\w+)_URL=https://\S+$", text, re.MULTILINE)
    assert sorted(programs) == ["HELM", "KUBECTL"]
    assert text.count("curl -fsSL") == len(programs)
    for program in programs:
        assert re.search(rf"^ARG {program}_SHA256=[0-9a-f]{{64}}$", text, re.MULTILINE)
        checked = rf'^RUN curl .*"\${program}_URL" && echo "\${program}_SHA256  .*\| sha256sum -c'
        assert re.search(checked, text, re.MULTILINE)


def test_collections_are_pinned(collection: Path) -> None:
    wanted = yaml.safe_load((collection / "requirements.yml").read_text(encoding="utf-8"))["collections"]
    others = {one["name"]: one["version"] for one in wanted if one["name"] != "slipway.cluster"}
    assert {"ansible.utils", "community.general", "kubernetes.core"} <= set(others)
    assert [name for name, version in others.items() if not re.fullmatch(r"v?\d+\.\d+\.\d+", version)] == []
