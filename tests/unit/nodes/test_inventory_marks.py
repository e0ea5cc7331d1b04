# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Whose labels, taints and annotations are read from the inventory: no host is none, and not all."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.cluster.plugins.plugin_utils.inventory_marks import read
from tests.contract.support import ROOT

MARKING = sorted((ROOT / "roles" / "nodes" / "tasks").glob("*.yml"))


class HostVars(dict[str, dict[str, Any]]):
    def raw_get(self, host: str) -> dict[str, Any]:
        return self[host]


@pytest.mark.parametrize(("only", "expected"), [(None, {"w1", "w2"}), (["w2"], {"w2"}), ([], set())])
def test_hosts_that_are_asked_for(only: Collection[str] | None, expected: set[str]) -> None:
    known = HostVars({name: {"node_labels": {"disk": "ssd"}} for name in ("w1", "w2")})
    assert read({"hostvars": known, "groups": {"kube_node": list(known)}}, only).keys() == expected


def test_every_task_of_ours_says_which_hosts() -> None:
    """A task that does not would mark nodes that the plan leaves out."""
    tasks = [task for file in MARKING for task in _tasks(yaml.safe_load(file.read_text(encoding="utf-8")))]
    given = [task["slipway.cluster.node_marks"] for task in tasks if "slipway.cluster.node_marks" in task]
    assert given
    assert all(arguments and "hosts" in arguments for arguments in given)


def _tasks(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for task in tasks for one in (task, *_tasks(task.get("block", [])), *_tasks(task.get("always", [])))]
