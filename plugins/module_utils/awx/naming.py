# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What things are called in AWX, and where a job finds files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from .credentials import KINDS
from .settings import Settings, Survey

PROJECT_FOLDER = "/runner/project"
"""Where a job finds the files of its project."""


def template_name(settings: Settings, cluster: str, operation: Survey) -> str:
    return settings.name("template", cluster=cluster, operation=operation.title)


def environment_name(settings: Settings) -> str:
    given = settings.given["execution_environment"]
    return given if isinstance(given, str) else str(given.get("name") or settings.prefix)


def project_name(settings: Settings) -> str:
    return str(settings.given["project"].get("name") or f"{settings.prefix} project")


def type_name(settings: Settings, kind: str) -> str:
    return f"{settings.prefix} {KINDS[kind].title}"


def controller(settings: Settings) -> str:
    """The inventory of jobs that need no host but the controller."""
    return f"{settings.prefix} controller"


def inventory_name(settings: Settings, cluster: str) -> str:
    return settings.name("inventory", cluster=cluster)


def playbook(settings: Settings, name: str) -> str:
    return f"{settings.given['project'].get('playbooks', 'slipway')}/{name}.yml"


def folder(cluster: Mapping[str, Any]) -> dict[str, str]:
    """What relative paths in the inventory start from, which in AWX has no folder of its own."""
    named = cluster.get("folder") or (cluster["inventory"] if isinstance(cluster["inventory"], str) else "")
    if not named:
        return {"slipway_files_dir": PROJECT_FOLDER}
    path = PurePosixPath(named)
    folder = path.parent if path.suffix in (".yml", ".yaml", ".ini") else path
    return {"slipway_files_dir": str(PurePosixPath(PROJECT_FOLDER) / folder)}
