# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""All lists of the API by name."""

from __future__ import annotations

from lab.awx import kinds_access, kinds_content, kinds_runs, kinds_work
from lab.awx.shape import Kind

KINDS: dict[str, Kind] = {
    kind.name: kind for part in (kinds_access, kinds_content, kinds_work, kinds_runs) for kind in part.KINDS
}
BY_TYPE: dict[str, Kind] = {kind.type: kind for kind in KINDS.values()}


def members(name: str) -> list[Kind]:
    """The kinds behind a list: one, or all that share the numbers of ``unified_job_templates`` or ``unified_jobs``."""
    if name in KINDS:
        return [KINDS[name]]
    return [kind for kind in KINDS.values() if kind.sequence == name]
