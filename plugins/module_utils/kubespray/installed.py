# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The Kubespray that is installed: where it is, which version, and whether what it needs is there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from ..nodes.problem import Problem, Severity
from .manifest import Manifest, read_manifest
from .ranges import fits, parse

NAME = "kubernetes_sigs.kubespray"
TRIED = "2.31.0"
"""The version that requirements.yml pins, and that all of Slipway is tried with."""

_PACKAGE = re.compile(r"^([A-Za-z0-9._-]+)", re.MULTILINE)
_NOT_IMPORTED = frozenset({"ansible", "ansible-core"})


def find(name: str, paths: Iterable[Path]) -> Path | None:
    """Folder of the collection ``name`` on the first of ``paths`` that has it, as Ansible looks for it."""
    namespace, collection = name.split(".")
    for path in paths:
        base = path if path.name == "ansible_collections" else path / "ansible_collections"
        folder = base / namespace / collection
        if (folder / "MANIFEST.json").is_file() or (folder / "galaxy.yml").is_file():
            return folder
    return None


def check_installed(
    paths: Iterable[Path], ansible_version: str, importable: Callable[[str], bool]
) -> tuple[Path | None, list[Problem]]:
    """The folder of Kubespray, and what keeps it from running here.

    ``importable`` tells whether a Python package of that name can be imported on the controller.
    """
    everywhere = list(paths)
    folder = find(NAME, everywhere)
    if folder is None:
        looked = ", ".join(str(path) for path in everywhere) or "no folder at all"
        remedy = (
            "ansible-galaxy collection install -r requirements.yml of slipway.cluster; it needs the package distlib"
        )
        return None, [Problem("SLW-8001", f"{NAME} is not installed; looked in {looked}", remedy)]
    try:
        manifest = read_manifest(folder)
    except (OSError, ValueError) as error:
        return None, [Problem("SLW-8002", f"{NAME} cannot be read: {error}", "install it again", str(folder))]
    return folder, [
        *_version(folder, manifest, ansible_version),
        *_collections(manifest, everywhere),
        *_packages(folder, importable),
    ]


def _version(folder: Path, manifest: Manifest, ansible_version: str) -> list[Problem]:
    found = []
    if parse(manifest.version)[:2] != parse(TRIED)[:2]:
        said = f"Kubespray {manifest.version} is installed; this version of slipway.cluster is tried with {TRIED}"
        remedy = f"install {TRIED}, or try this one on a cluster that you can do without"
        found.append(Problem("SLW-8003", said, remedy, str(folder), severity=Severity.WARNING))
    if not fits(ansible_version, manifest.requires_ansible):
        said = (
            f"ansible-core is {ansible_version}, and Kubespray {manifest.version} runs with {manifest.requires_ansible}"
        )
        remedy = "install an ansible-core of that range; Kubespray refuses others in its first task"
        found.append(Problem("SLW-8004", said, remedy, str(folder)))
    return found


def _collections(manifest: Manifest, paths: list[Path]) -> list[Problem]:
    found = []
    for name, wanted in sorted(manifest.dependencies.items()):
        folder = find(name, paths)
        remedy = f"ansible-galaxy collection install '{name}:{wanted}'"
        if folder is None:
            found.append(Problem("SLW-8005", f"the collection {name} is missing, which Kubespray needs", remedy))
            continue
        try:
            version = read_manifest(folder).version
        except (OSError, ValueError) as error:
            found.append(Problem("SLW-8005", f"the collection {name} cannot be read: {error}", remedy, str(folder)))
            continue
        if not fits(version, wanted):
            said = f"the collection {name} has version {version}, and Kubespray needs {wanted}"
            found.append(Problem("SLW-8005", said, remedy, str(folder)))
    return found


def _packages(folder: Path, importable: Callable[[str], bool]) -> list[Problem]:
    """Those of Kubespray's requirements.txt; it asserts some and fails in filters without the others."""
    try:
        text = (folder / "requirements.txt").read_text(encoding="utf-8")
    except OSError:
        return []
    wanted = [name.lower() for name in _PACKAGE.findall(text)]
    return [
        Problem(
            "SLW-8006",
            f"the Python package {name} is missing on the controller, which Kubespray needs",
            f"install it into the environment that ansible-playbook runs in: pip install {name}",
        )
        for name in wanted
        if name not in _NOT_IMPORTED and not importable(name.replace("-", "_"))
    ]
