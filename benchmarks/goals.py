# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The goals, what was reached, and what bounds a missed one."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks import drift, planning
from benchmarks.results import Results, median

# What a no-op may ask beside one list for each kind: version, discovery, records, releases, namespaces.
CONSTANT = 15


@dataclass(frozen=True)
class Goal:
    """``value`` is None when it was not measured; smaller is better."""

    title: str
    limit: float
    value: float | None
    bound: str = ""

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        return "met" if self.value <= self.limit else "missed"


def goals(results: Results) -> list[Goal]:
    install = _ratio(results, "install", "helmfile"), _ratio(results, "install", "tasks")
    kinds = int(results.about["content"]["kinds"])
    requests = results.median("slipway", "again", "requests")
    sizes = [median(results.planning.get(str(size), [])) for size in planning.SIZES]
    return [
        Goal("first install, of helmfile's time", 0.5, install[0], _install_bound(results)),
        Goal("first install, of the tasks' time", 0.25, install[1], _install_bound(results)),
        Goal("no-op, of helmfile's time", 0.1, _ratio(results, "again", "helmfile"), _again_bound(results)),
        *(
            Goal(
                f"drift of {drift.OBJECTS} objects, {text} (engine call), of `kubectl diff --server-side`",
                limit,
                _quotient(median(results.of_drift("slipway", state)), median(results.of_drift("kubectl", state))),
                _drift_bound(results, state),
            )
            for state, text, limit in (
                ("untouched", "all untouched", 0.02),
                ("changed", f"{drift.CHANGED} changed", 0.1),
            )
        ),
        Goal(
            f"planning {planning.SIZES[1]} add-ons, of that of {planning.SIZES[0]}", 12, _quotient(sizes[1], sizes[0])
        ),
        Goal(f"API requests of a no-op: {kinds} kinds and at most {CONSTANT} more", kinds + CONSTANT, requests),
    ]


def _ratio(results: Results, step: str, peer: str) -> float | None:
    return _quotient(results.median("slipway", step), results.median(peer, step))


def _quotient(ours: float | None, theirs: float | None) -> float | None:
    return ours / theirs if ours is not None and theirs else None


def _install_bound(results: Results) -> str:
    ours, cores = results.median("slipway", "install"), results.about["machine"]["cores"]
    if ours is None:
        return ""
    parts = (results.of("slipway", "install", part) for part in ("api_cpu", "etcd_cpu"))
    server = median([api + etcd for api, etcd in zip(*parts, strict=True)]) or 0
    own = results.median("slipway", "install", "cpu") or 0
    return (
        f"of {ours:.1f} s on {cores} cores, API server and etcd take {server:.1f} CPU seconds and Slipway {own:.1f}; "
        "the server's part is the floor"
    )


def _again_bound(results: Results) -> str:
    ours, start = results.median("slipway", "again"), results.median("slipway", "start")
    if ours is None or start is None:
        return ""
    return f"of {ours:.1f} s, {start:.1f} s are the start of ansible-playbook with one empty play"


def _drift_bound(results: Results, state: str) -> str:
    ours = median(results.of_drift("slipway", state))
    server = median(results.of_drift("slipway", state, "api_cpu"))
    own = median(results.of_drift("slipway", state, "cpu"))
    if ours is None or server is None or own is None:
        return ""
    return f"of {ours:.2f} s, the API server takes {server:.2f} CPU seconds and Slipway {own:.2f}"
