# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The project repository around inventories: what AWX reads, and what a shell finds in the current folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

OPERATIONS: Mapping[str, str] = {
    "access": "Let hosts trust a certificate authority",
    "drift": "Tell what is not as it was applied",
    "install": "Install until all is as written",
    "new": "Make the inventory of a new cluster",
    "plan": "Tell what a run would change",
    "preflight": "Tell all that is wrong before anything is touched",
    "remove": "Remove what is named",
    "rollback": "Go back to an earlier state",
    "scale": "Add new workers",
    "smoke": "Try what the add-ons promise",
    "status": "Tell what is there",
    "upgrade": "Go to another version of Kubernetes",
}
"""The playbooks that AWX can offer, since it knows no playbook of a collection, and what each does."""

_HIDDEN = "dot_"
"""Begins the names of files that begin with a dot in the project: packaging leaves those out."""


def project_files(folder: Path, cluster: str) -> dict[str, str]:
    """All files of a project but inventories, by path. ``folder`` has the templates, in which ``<<name>>`` is the
    cluster's name. Raises ``OSError``."""
    found = {
        f"slipway/{name}.yml": f"---\n- name: {does}\n  ansible.builtin.import_playbook: slipway.cluster.{name}\n"
        for name, does in OPERATIONS.items()
    }
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            shown = path.relative_to(folder).as_posix()
            shown = f".{shown.removeprefix(_HIDDEN)}" if shown.startswith(_HIDDEN) else shown
            found[shown] = path.read_text(encoding="utf-8").replace("<<name>>", cluster)
    return found
