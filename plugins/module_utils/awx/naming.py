# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What things are called in AWX, and where a job finds files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from . import project
from .credentials import KINDS
from .settings import Settings, Survey

_FILES = (".yml", ".yaml", ".json", ".toml", ".ini", ".cfg", ".py", ".sh")
"""How files end that are inventories. Other ends may be those of folders, as in ``prod.example.com``."""
_FILE_NAMES = ("hosts", "inventory")


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
    return f"{settings.given['project'].get('playbooks', project.PLAYBOOKS)}/{name}.yml"


def folder(settings: Settings, cluster: Mapping[str, Any]) -> dict[str, str]:
    """What relative paths in the inventory start from, which in AWX has no folder of its own."""
    if cluster.get("folder"):
        return {"slipway_files_dir": project.in_job(cluster["folder"])}
    named = cluster["inventory"] if isinstance(cluster["inventory"], str) else ""
    path = PurePosixPath(named)
    guessed = path.suffix in _FILES or path.name in _FILE_NAMES
    return {"slipway_files_dir": project.in_job(str(path.parent if settings.files.get(named, guessed) else path))}
