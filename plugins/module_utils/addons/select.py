# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The user's choice of add-ons: ``only`` and ``skip``, closed over what the chosen ones depend on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .finding import Finding, Position
from .graph import closure
from .model import Addon
from .names import did_you_mean

OPTIONS = Position("option slipway_only / slipway_skip")


def select(
    addons: Mapping[str, Addon], only: Sequence[str] = (), skip: Sequence[str] = ()
) -> tuple[dict[str, Addon], tuple[str, ...], list[Finding]]:
    """The chosen add-ons in their order, the names pulled in because a chosen one depends on them, and findings.

    Without ``only`` all are chosen. Skipping what a chosen add-on depends on is a finding, never a silent gap.
    """
    findings = [
        Finding("SLW-1203", f"there is no add-on named {name!r}", (option,), OPTIONS, advice=did_you_mean(name, addons))
        for option, names in (("slipway_only", only), ("slipway_skip", skip))
        for name in names
        if name not in addons
    ]
    skipped = {name for name in skip if name in addons}
    graph = {name: addon.needs for name, addon in addons.items()}
    wanted = {name for name in only if name in addons} if only else set(addons)
    wanted -= skipped
    chosen = closure(graph, wanted)
    for name in sorted(chosen & skipped):
        by = sorted(other for other in wanted if name in closure(graph, [other]))
        findings.append(
            Finding(
                "SLW-1208",
                f"{name!r} is skipped, but {by[0]!r} depends on it",
                ("slipway_skip",),
                OPTIONS,
                advice=f"skip {', '.join(by)} too, or leave {name} in",
            )
        )
    pulled = tuple(sorted(chosen - wanted)) if only else ()
    return {name: addon for name, addon in addons.items() if name in chosen}, pulled, findings
