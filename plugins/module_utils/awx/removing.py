# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is to go from AWX: what is no longer wanted of clusters that are, and what a consent names."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..addons.names import did_you_mean
from ..nodes.problem import Problem
from . import naming
from .credentials import KINDS
from .definitions import ORDER, Definitions, Item, make, of_clusters
from .new_cluster import Stack
from .settings import Settings, Survey
from .there import There

_OF_CLUSTERS = ("inventories", "job_templates", "workflows")
"""What a cluster is known by. Everything else of it goes with these."""
_REMEDY = "{!r} alone removes everything; a cluster is taken out of slipway_awx.clusters first"


def dropped(settings: Settings, operations: Sequence[Survey], stacks: Sequence[Stack], there: There) -> Definitions:
    """What could be wanted of these clusters, is not, and is in AWX: a schedule would go on."""
    wanted = _names(make(settings, operations, stacks))
    clusters = [str(one["name"]) for one in settings.given["clusters"]]
    possible = make(_widest(settings, clusters), operations, stacks)
    # Sources and schedules are shown of all organizations, and a template of this name may be of another project.
    templates = there.templates_of(naming.project_name(settings))
    ours: dict[str, Callable[[Item], bool]] = {
        "inventory_sources": lambda item: item["inventory"] in there.names("inventories"),
        "job_templates": lambda item: item["name"] in templates,
        "schedules": lambda item: item["unified_job_template"] in templates,
        "workflows": lambda item: True,
    }
    return {
        kind: [item for item in possible[kind] if item["name"] in there.names(kind) - wanted[kind] and is_ours(item)]
        for kind, is_ours in ours.items()
    }


def refused(
    settings: Settings, operations: Sequence[Survey], stacks: Sequence[Stack], consent: Sequence[str]
) -> list[Problem]:
    """What no consent can mean, whatever AWX has. ``consent``: see `taken_out`."""
    if list(consent) == [settings.prefix]:
        return []
    wanted = {one["name"] for one in settings.given["clusters"]}
    problems = []
    for name in consent:
        common = _shared(settings, operations, stacks, name)
        if name == settings.prefix or name in wanted:
            problems.append(_problem(f"{name!r}", _REMEDY.format(settings.prefix)))
        elif common:
            problems.append(_problem(f"{name!r}, but {common[0]} is no cluster's", _REMEDY.format(settings.prefix)))
    return problems


def taken_out(
    settings: Settings, operations: Sequence[Survey], stacks: Sequence[Stack], consent: Sequence[str], there: There
) -> tuple[Definitions, list[Problem]]:
    """``consent``: the prefix for all of it, or names of clusters that the settings no longer have."""
    if list(consent) == [settings.prefix]:
        return _everything(settings, operations, stacks, there), []
    found: Definitions = {kind: [] for kind in _OF_CLUSTERS}
    problems = []
    for name in dict.fromkeys(consent):
        of_it = _present(_of_cluster(settings, name, operations), there)
        if not any(of_it.values()):
            described = [str(one["name"]) for one in settings.given["clusters"]]
            known = [*_clusters(settings, operations, stacks, there), *described]
            problems.append(_problem(f"{name!r}, of which AWX has nothing", _nearest(name, settings.prefix, known)))
        for kind, items in of_it.items():
            found[kind] += items
    return ({kind: [] for kind in found} if problems else found), problems


def kept_credentials(settings: Settings, there: There) -> list[str]:
    """Those that others write a secret into: sending inputs without it would take it away."""
    present = [item for item, ours in there.credentials(settings) if ours]
    return [
        one["name"]
        for one in settings.given["credentials"]
        if KINDS[one["kind"]].once
        and {"name": one["name"], "credential_type": naming.type_name(settings, one["kind"])} in present
        and not any((one.get("inputs") or {}).get(entry.id) for entry in KINDS[one["kind"]].fields if entry.secret)
    ]


def _everything(settings: Settings, operations: Sequence[Survey], stacks: Sequence[Stack], there: There) -> Definitions:
    """Also of clusters that a survey has made or that the settings have lost, and of operations no longer chosen."""
    clusters = [str(one["name"]) for one in settings.given["clusters"]]
    possible = make(_widest(settings, [*clusters, *_clusters(settings, operations, stacks, there)]), operations, stacks)
    credentials = list(there.credentials(settings))
    # AWX lets no type go that has credentials, such as those of another organization.
    in_use = {item["credential_type"] for item, ours in credentials if not ours}
    return {
        **_present(possible, there),
        "projects": possible["projects"],
        "credentials": [item for item, ours in credentials if ours],
        "credential_types": [item for item in possible["credential_types"] if item["name"] not in in_use],
        "execution_environments": possible["execution_environments"],
    }


def _widest(settings: Settings, clusters: Sequence[str]) -> Settings:
    """As if these clusters wanted all that one can want: what it makes has every name that there can be."""
    # Without any there would be nothing for all of them either; no cluster is called by the empty name.
    names = list(dict.fromkeys(clusters)) or [""]
    wanted: Mapping[str, Any] = {
        "clusters": [{"name": name, "inventory": name} for name in names],
        "credentials": [{"name": kind, "kind": kind} for kind in KINDS],
        "fleet": {"schedule": {}},
        "new_cluster": {"controller_credential": ""},
    }
    return dataclasses.replace(settings, given={**settings.given, **wanted})


def _clusters(settings: Settings, operations: Sequence[Survey], stacks: Sequence[Stack], there: There) -> list[str]:
    """Those that AWX has: what is there for all of them may look like another one."""
    found = there.clusters(settings, operations)
    return [name for name in found if not _shared(settings, operations, stacks, name)]


def _shared(settings: Settings, operations: Sequence[Survey], stacks: Sequence[Stack], cluster: str) -> list[str]:
    """What a cluster of this name would have in common with what is there for all of them."""
    widest = _widest(settings, [])
    of_one = _names(of_clusters(widest, widest.given["clusters"], operations))
    of_all = _names(make(widest, operations, stacks))
    own = _names(_of_cluster(settings, cluster, operations))
    return sorted(name for kind in _OF_CLUSTERS for name in own[kind] & (of_all[kind] - of_one[kind]))


def _of_cluster(settings: Settings, name: str, operations: Sequence[Survey]) -> Definitions:
    # Its inventory may have been in the project or not.
    return of_clusters(settings, [{"name": name, "inventory": name}], operations)


def _present(found: Definitions, there: There) -> Definitions:
    return {kind: [item for item in found[kind] if item["name"] in there.names(kind)] for kind in _OF_CLUSTERS}


def _names(found: Mapping[str, Sequence[Item]]) -> dict[str, frozenset[str]]:
    return {kind: frozenset(str(item["name"]) for item in found.get(kind, ())) for kind in ORDER}


def _nearest(name: str, prefix: str, known: Sequence[str]) -> str:
    if name.lower() == prefix.lower():
        return f"did you mean {prefix!r}, which removes everything?"
    near = did_you_mean(name, known)
    if near:
        return near
    return f"there are: {', '.join(dict.fromkeys(known))}" if known else "there are no clusters"


def _problem(named: str, remedy: str) -> Problem:
    return Problem("SLW-9005", f"slipway_remove_awx names {named}", remedy)
