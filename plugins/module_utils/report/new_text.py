# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is told of a new cluster: its hosts, its files, and the commands that come next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from ..stacks.build import Cluster
from ..stacks.definition import ROLES
from ..stacks.writing import Comparison

_NEXT = ("preflight", "plan", "install")


def next_commands(cluster: Cluster, destination: Path, current: Path) -> list[str]:
    """The commands that make the cluster, from the current folder."""
    away = [f"cd {shlex.quote(str(destination))}"] if destination.resolve() != current.resolve() else []
    return [
        *away,
        "ansible-galaxy collection install -r collections/requirements.yml",
        *(f"ansible-playbook -i {cluster.folder} slipway.cluster.{operation}" for operation in _NEXT),
    ]


def new_lines(cluster: Cluster, files: Comparison, commands: Sequence[str], *, check: bool) -> list[str]:
    """``files`` as they were before; ``commands`` is empty where nothing was to be written."""
    control, etcd, workers = (len(cluster.groups[group]) for group in ROLES.values())
    number = len(cluster.inventory["_meta"]["hostvars"])
    hosts = f"{number} host{_s(number)}"
    counted = f"{control} control plane, {etcd} etcd, {workers} worker{_s(workers)}"
    lines = [f"NEW {cluster.name}  {cluster.stack.name}: {cluster.stack.title}  {hosts}: {counted}"]
    lines += [f"+ {path}" + ("  would be written" if check else "") for path in sorted(files.missing)]
    lines += [f"! {path}  is there with other content, and stays as it is" for path in sorted(files.kept)]
    lines += [f"= {len(files.same)} files are there already"] if files.same else []
    return [*lines, "next:", *(f"  {command}" for command in commands)] if commands else lines


def _s(number: int) -> str:
    return "" if number == 1 else "s"
