# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Status as people read it, and as JSON."""

from __future__ import annotations

from dataclasses import asdict

from ..addons.model import JSON
from ..addons.status import AddonStatus, Status
from .plan_json import drift_fields
from .plan_text import drift_line

_UNFINISHED = {"pending": "unfinished run", "removing": "unfinished removal", "disowning": "half disowned"}


def status_lines(status: Status, *, verbose: bool = False) -> list[str]:
    """One line for each add-on, and what is wrong below it; ``verbose`` also tells who applied it and when."""
    many = len(status.addons)
    healthy = sum(1 for a in status.addons if a.healthy)
    behind = sum(1 for a in status.addons if a.behind)
    old = f", {behind} behind the catalog" if behind else ""
    lines = [
        (
            f"STATUS {status.name}  cluster {status.cluster[:4]}  Kubernetes {status.version}  "
            f"{many} add-on{'' if many == 1 else 's'}: {healthy} healthy{old}  result: {status.result}"
        )
    ]
    for addon in status.addons:
        lines.append(_line(addon))
        lines += [f"    not ready  {problem}" for problem in addon.problems]
        told = {d.object for d in addon.drift}
        lines += [f"    drift      {drift_line(d)}" for d in addon.drift]
        lines += [f"    drift      {moved}" for moved in addon.moved if moved.split(":")[0] not in told]
        if addon.behind:
            lines.append(f"    catalog    {addon.version} -> {addon.offered}")
        if verbose and addon.when:
            lines.append(f"    applied    {addon.when} by {addon.who}, {addon.objects} objects")
    lines += [f"limit: {limit}" for limit in status.limits]
    return lines


def _line(addon: AddonStatus) -> str:
    if addon.state == "missing":
        health = "not installed"
    elif addon.problems:
        health = "not ready"
    elif addon.state != "applied":
        health = _UNFINISHED.get(addon.state, addon.state)
    else:
        health = "drifted" if addon.moved else "healthy"
    sign = "!" if addon.problems or addon.moved else "=" if addon.state == "applied" else "?"
    revision = f"r{addon.revision}" if addon.revision else ""
    return f"{sign} {addon.name:<20} {health:<16} {addon.version:<12} {revision:<5} {addon.namespace}".rstrip()


def status_dict(status: Status) -> dict[str, JSON]:
    return {
        "name": status.name,
        "cluster": status.cluster,
        "kubernetes": status.version,
        "result": status.result,
        "addons": [
            {
                **asdict(addon),
                "healthy": addon.healthy,
                "behind": addon.behind,
                "drift": [drift_fields(d) for d in addon.drift],
            }
            for addon in status.addons
        ],
        "limits": status.limits,
    }
