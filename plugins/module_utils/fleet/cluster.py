# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a look at one cluster came to, out of what its run of ``status`` wrote and said. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..kube.lives import CERTIFICATE
from ..nodes.plan import IDLE
from .children import Ended

CHANGES, DRIFT, UNREACHABLE = "changes", "drift", "unreachable"
CONDITIONS = (CHANGES, DRIFT, UNREACHABLE)
"""What ``slipway_fail_on`` may name."""

WORST_FIRST = ("error", CHANGES, DRIFT, "unchanged")

_NOT_LOOKED_AT, _TOO_LONG = "SLW-8802", "SLW-8803"
_CODE = re.compile(r"SLW-\d{4}")
_SAID = re.compile(r"^(?:ERROR! |\[ERROR\]: )(.+)", re.MULTILINE)
_NOTHING_TO_DO = (*IDLE, "unknown")


@dataclass(frozen=True)
class Failure:
    """Why something could not be looked at, in one line."""

    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.code} {self.message}"


@dataclass(frozen=True)
class Behind:
    """An add-on whose chart is older than the catalog's."""

    addon: str
    version: str
    offered: str


@dataclass(frozen=True)
class Count:
    """``good`` of ``total``: nodes that are ready, add-ons that are healthy."""

    good: int
    total: int

    def __str__(self) -> str:
        return f"{self.good}/{self.total}"


@dataclass(frozen=True)
class Cluster:
    """``name`` is that of its inventory. ``answered``: whether anything is known of it. ``nodes`` and ``addons`` are
    None where nobody could look; ``changes`` counts nodes and add-ons that are not as written. ``lives`` as
    ``report.lives_text.life_dict`` has them, what ends first at the top."""

    name: str
    inventory: str
    seconds: float
    answered: bool = False
    slipway_name: str = ""
    uid: str = ""
    result: str = "error"
    kubernetes: str = ""
    kubespray: str = ""
    nodes: Count | None = None
    addons: Count | None = None
    changes: int = 0
    drift: tuple[str, ...] = ()
    behind: tuple[Behind, ...] = ()
    lives: tuple[Mapping[str, Any], ...] = ()
    problems: tuple[str, ...] = ()
    failure: Failure | None = None
    looked: str = ""

    @property
    def conditions(self) -> frozenset[str]:
        """What is to be known of it at once; of ``CONDITIONS``."""
        found = {CHANGES: self.changes > 0, DRIFT: bool(self.drift), UNREACHABLE: not self.answered}
        return frozenset(name for name, holds in found.items() if holds)

    @property
    def in_part(self) -> bool:
        """Whether it answered, and not all of it could be looked at: then nobody can say that a condition does not
        hold."""
        return self.answered and self.failure is not None

    @property
    def first_end(self) -> Mapping[str, Any] | None:
        """Of certificates: tokens are meant to end soon."""
        return next((life for life in self.lives if life["ends"] and life["kind"] == CERTIFICATE), None)


@dataclass(frozen=True)
class Fleet:
    """All clusters in the order in which they were named. ``looked``: when, in RFC 3339; ``seconds`` it took."""

    clusters: Sequence[Cluster]
    looked: str
    seconds: float
    counts: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        clusters = self.clusters
        found = {
            "clusters": len(clusters),
            "answered": sum(one.answered for one in clusters),
            **{name: sum(name in one.conditions for one in clusters) for name in CONDITIONS},
            "errors": sum(one.result == "error" for one in clusters),
            "behind": sum(len(one.behind) for one in clusters),
        }
        object.__setattr__(self, "counts", found)

    @property
    def result(self) -> str:
        return worst(one.result for one in self.clusters)


def failures(fleet: Fleet, fail_on: Sequence[str]) -> list[str]:
    """Why the run is to end with a failure; empty: it is not. ``fail_on``: of ``CONDITIONS``."""
    if not fleet.counts["answered"]:
        return ["SLW-8804 no cluster of the fleet answered (the reason of each stands above)"]
    if not fail_on:
        return []
    found = {what: [one.name for one in fleet.clusters if what in one.conditions] for what in fail_on}
    named = [
        f"SLW-4901 {what}: {', '.join(names)}, and slipway_fail_on asks to fail on it"
        for what, names in found.items()
        if names
    ]
    in_part = [one.name for one in fleet.clusters if one.in_part]
    if not in_part:
        return named
    unknown = "could be looked at in part only, so what slipway_fail_on names may be there (the reason stands above)"
    return [*named, f"SLW-8806 {', '.join(in_part)}: {unknown}"]


def worst(results: Any) -> str:
    found = set(results)
    return next((one for one in WORST_FIRST if one in found), "unchanged")


def cluster_of(inventory: str, ended: Ended, limit: float) -> Cluster:
    """``limit``: the seconds that it was given."""
    wrote = _read(ended.wrote)
    nodes, addons = wrote.get("nodes"), wrote.get("addons")
    failure = _failure(inventory, ended, wrote, limit)
    known = _of_nodes(nodes) | _of_addons(addons)
    # What the rest failed with has been told once.
    known["problems"] = tuple(p for p in known.get("problems", ()) if failure is None or not p.startswith(failure.code))
    known["changes"] = _changes(nodes, addons)
    results = [part["result"] for part in (nodes, addons) if part] + (["error"] if failure else [])
    seconds = round(ended.seconds, 1)
    return Cluster(
        ended.name, inventory, seconds, **known, result=worst(results) if results else "error", failure=failure
    )


def _read(text: str) -> dict[str, Any]:
    """Of a run that was ended in the middle there is nothing, or a part."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _of_nodes(nodes: Mapping[str, Any] | None) -> dict[str, Any]:
    if not nodes:
        return {}
    there = [node for node in nodes["nodes"] if node["joined"]]
    known = nodes["answers"]
    return {
        # Where there is no cluster yet, that is what is known of it.
        "answered": known or not nodes["there"],
        "slipway_name": nodes["name"],
        "kubernetes": nodes["kubernetes"],
        "kubespray": nodes["kubespray"]["recorded"],
        "nodes": Count(sum(node["ready"] for node in there), len(there)) if known else None,
        "problems": (*nodes["reasons"], *(f"{one['code']} {one['message']}" for one in nodes["problems"])),
    }


def _of_addons(addons: Mapping[str, Any] | None) -> dict[str, Any]:
    if not addons:
        return {}
    every = addons["addons"]
    return {
        "answered": True,
        "slipway_name": addons["name"],
        "uid": addons["cluster"],
        "kubernetes": addons["kubernetes"].removeprefix("v"),
        "kubespray": addons["kubespray"],
        "nodes": Count(addons["nodes"]["ready"], addons["nodes"]["total"]),
        "addons": Count(sum(addon["healthy"] for addon in every), len(every)),
        "drift": tuple(line for addon in every for line in _drift(addon)),
        "behind": tuple(Behind(a["name"], a["version"], a["offered"]) for a in every if a["behind"]),
        "lives": tuple(addons["lives"]),
        "looked": addons["looked"],
    }


def _drift(addon: Mapping[str, Any]) -> list[str]:
    """A field each where it could be told, else an object each."""
    told = {one["object"] for one in addon["drift"]}
    fields = [f"{one['object']} {one['field'] or 'is gone'}, by {one['manager']}" for one in addon["drift"]]
    others = [one for one in addon["moved"] if one.split(":")[0] not in told]
    return [f"{addon['name']}: {line}" for line in (*fields, *others)]


def _changes(nodes: Mapping[str, Any] | None, addons: Mapping[str, Any] | None) -> int:
    of_nodes = [node for node in (nodes or {}).get("nodes", ()) if node["action"] not in _NOTHING_TO_DO]
    of_addons = [addon for addon in (addons or {}).get("addons", ()) if addon["state"] != "applied"]
    as_a_whole = bool(nodes and nodes["result"] == CHANGES and not of_nodes)
    return len(of_nodes) + len(of_addons) + as_a_whole


def _failure(inventory: str, ended: Ended, wrote: Mapping[str, Any], limit: float) -> Failure | None:
    """The first thing that went wrong, by its own code where it has one."""
    if ended.status is None:
        return Failure(_TOO_LONG, f"it was not done within {limit:g} s")
    failures = wrote.get("failures") or []
    if failures:
        return _coded(str(failures[0]))
    if ended.status == 0 and (wrote.get("addons") or wrote.get("nodes")):
        return None
    said = _SAID.search(ended.said)
    words = said[1] if said else _last(ended.said) or f"ansible-playbook ended with {ended.status}"
    return _coded(words if _CODE.search(words) else f"{inventory}: {words}")


def _coded(text: str) -> Failure:
    """One line. Of several errors at once the first: the rest is for a look at that cluster alone."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    first = next((line for line in lines if _CODE.search(line)), lines[0] if lines else "")
    code = _CODE.search(first)
    if code is None:
        return Failure(_NOT_LOOKED_AT, first)
    before, after = first[: code.start()].strip(), first[code.end() :].strip()
    return Failure(code[0], f"{before} {after}".strip())


def _last(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
