# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Stacks of tests: a small one of their own, and those that ship."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError, Problem
from ansible_collections.slipway.cluster.plugins.module_utils.stacks.build import Cluster, Wanted, build
from ansible_collections.slipway.cluster.plugins.module_utils.stacks.folder import load

ROOT = Path(__file__).resolve().parents[3]
FILES = ROOT / "roles" / "new_cluster" / "files"
SHIPPED = FILES / "stacks"
SMALL: dict[str, Any] = {
    "title": "Small",
    "description": "One that a test has written.",
    "hosts": {"least": 1, "most": 4},
    "roles": {"control_plane": {"least": 1, "most": 3}},
    "layouts": [{"least": 1, "first": 1, "roles": ["control_plane", "etcd", "worker"], "others": ["worker"]}],
    "questions": {"colour": {"question": "Which colour?", "type": "choice", "choices": ["red", "blue"]}},
}
ANSWERS: Mapping[str, Mapping[str, str]] = {
    "air_gapped": {
        "registry": "registry.example.com:5000",
        "files_url": "https://files.example.com",
        "charts_url": "https://charts.example.com/stable",
    }
}
"""What has to be answered of the stacks that ship."""


def write_stack(folder: Path, name: str, content: Any, files: Mapping[str, str] | None = None) -> Path:
    place = folder / name
    place.mkdir(parents=True)
    (place / "stack.yml").write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    for path, text in (files or {}).items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(text)
    return place


def made(stack: str, name: str, hosts: object, *folders: Path, **answers: object) -> Cluster:
    """With the stacks that ship where there are no ``folders``."""
    return build(Wanted(stack, name, hosts, {}, answers), [str(one) for one in folders or (SHIPPED,)])


def refused(stack: str, name: str, hosts: object, *folders: Path, **answers: object) -> list[Problem]:
    with pytest.raises(NodesError) as caught:
        made(stack, name, hosts, *folders, **answers)
    return caught.value.problems


def some_hosts(number: int) -> str:
    return "\n".join(f"node{n}=192.0.2.{n}" for n in range(1, number + 1))


def shipped() -> dict[str, Any]:
    stacks, problems = load([str(SHIPPED)])
    assert problems == []
    return stacks
