# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The project as it lies on this machine, where the run was started in it: jobs have the same files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Optional

from ..nodes.problem import Problem

_FOLDER = "/runner/project"
PLAYBOOKS = "slipway"
_SIGN = "new.yml"
"""AWX offers only playbooks that are files of its project, so that this one tells a project from other folders."""


def root(start: Path, given: Mapping[str, Any]) -> Optional[Path]:
    """The nearest folder from ``start`` upwards that is a project. ``given``: ``slipway_awx.project``."""
    sign = Path(given.get("playbooks", PLAYBOOKS)) / _SIGN
    return next((one for one in (start, *start.parents) if (one / sign).is_file()), None)


def in_job(path: str) -> str:
    """Where a job finds a file or folder of its project."""
    return str(PurePosixPath(_FOLDER) / path)


def paths(
    here: Optional[Path], start: Path, folders: Sequence[str], given: Mapping[str, Any], where: str
) -> tuple[list[str], list[Problem]]:
    """Where a job finds these folders with stacks, as somebody in ``start`` names them."""
    sign = f"{given.get('playbooks', PLAYBOOKS)}/{_SIGN}"
    if folders and here is None:
        text = "slipway_stacks: no job would have these folders, because none above this one is AWX's project"
        return [], [Problem("SLW-9001", text, f"start this in the project's folder, which has {sign}", where)]
    found, problems = [], []
    for folder in folders:
        place = (start / Path(folder).expanduser()).resolve()
        if here is not None and place.is_relative_to(here.resolve()):
            found.append(in_job(str(place.relative_to(here.resolve()))))
            continue
        text = f"slipway_stacks: {folder} lies outside of the project {here}, and no job would have it"
        problems.append(Problem("SLW-9001", text, "put the stacks into the project", where))
    return found, problems
