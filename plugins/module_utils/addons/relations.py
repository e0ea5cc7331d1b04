# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Who provides what, who needs whom: capabilities, order and its circles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from .catalog import Entry
from .draft import ROOT, Draft
from .finding import Finding, format_path
from .graph import circle, closure, components
from .names import did_you_mean
from .node import Node

Uses = Mapping[str, Mapping[str, Node]]
"""Add-on → add-on whose outputs it uses → the value that does."""


@dataclass(frozen=True)
class Relations:
    """``depends``: for each add-on the add-ons it waits for, in alphabetical order.

    ``needs``: those among them that it cannot do without: providers of what it requires, and of capabilities whose
    integrations its values have in them, and add-ons whose outputs it uses. ``after`` alone is no need.
    """

    depends: dict[str, tuple[str, ...]]
    needs: dict[str, tuple[str, ...]]


@dataclass
class _World:
    drafts: Mapping[str, Draft]
    entries: Mapping[str, Entry]
    dropped: frozenset[str]
    cluster: frozenset[str]
    providers: dict[str, str] = field(default_factory=dict)
    by_entry: dict[str, list[str]] = field(default_factory=dict)
    offered: dict[str, list[str]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def relate(
    drafts: Mapping[str, Draft],
    entries: Mapping[str, Entry],
    dropped: tuple[str, ...],
    cluster: frozenset[str],
    uses: Uses | None = None,
) -> tuple[Relations, list[Finding]]:
    """Edges between the drafts and everything that is wrong with them. ``uses``: what reads outputs of whom."""
    world = _World(drafts, entries, frozenset(dropped), cluster)
    _providers(world)
    edges: dict[str, dict[str, Node]] = {name: {} for name in drafts}
    needs: dict[str, set[str]] = {name: set() for name in drafts}
    for draft in drafts.values():
        for key, hard in (("requires", True), ("after", False)):
            for at, item in enumerate(draft.items(key)):
                for target in _targets(world, draft, key, at, item, hard):
                    edges[draft.name].setdefault(target, item)
                    if hard:
                        needs[draft.name].add(target)
    for name, used in (uses or {}).items():
        for target, leaf in used.items():
            edges[name].setdefault(target, leaf)
            needs[name].add(target)
    _circles(world, edges)
    graph = {name: set(targets) for name, targets in edges.items()}
    _integrate(world, graph, needs)
    depends = {name: tuple(sorted(targets)) for name, targets in graph.items()}
    needed = {name: tuple(sorted(targets)) for name, targets in needs.items()}
    return Relations(depends, needed), world.findings


def _providers(world: _World) -> None:
    for name, entry in sorted(world.entries.items()):
        for capability in entry.texts("provides"):
            world.offered.setdefault(capability, []).append(name)
    for draft in world.drafts.values():
        if draft.entry is not None:
            world.by_entry.setdefault(draft.entry.name, []).append(draft.name)
        for item in draft.items("provides"):
            capability = str(item.value)
            first = world.providers.setdefault(capability, draft.name)
            if capability in world.cluster or first != draft.name:
                by = (
                    "the cluster itself (slipway_capabilities)"
                    if capability in world.cluster
                    else (f"{first!r} ({world.drafts[first].position})")
                )
                world.findings.append(
                    Finding(
                        "SLW-1202",
                        f"provides {capability!r}, and so does {by}",
                        (*draft.path, "provides"),
                        item.position if not item.literal else draft.position,
                        advice=f"leave one out, or give one of them 'provides' without {capability}",
                    )
                )


def _targets(world: _World, draft: Draft, key: str, at: int, item: Node, hard: bool) -> list[str]:
    """The add-ons that one item of ``requires`` or ``after`` means; findings where it means none."""
    wanted = str(item.value)
    path = (*draft.path, key)
    position = draft.position if item.literal else item.position
    if wanted in world.providers:
        provider = world.providers[wanted]
        return [provider] if provider != draft.name else []
    if wanted in world.cluster:
        return []
    if wanted in world.drafts:
        return [wanted]
    if wanted in world.by_entry:
        return [name for name in world.by_entry[wanted] if name != draft.name]
    if wanted in world.dropped:
        if hard:
            world.findings.append(
                Finding(
                    "SLW-1207",
                    f"requires {wanted!r}, which is switched off",
                    path,
                    position,
                    advice="enable it, or drop the requirement",
                )
            )
        return []
    if wanted in world.offered:
        if hard:
            by = ", ".join(world.offered[wanted])
            world.findings.append(
                Finding(
                    "SLW-1201",
                    f"requires {wanted!r}, which nothing provides",
                    path,
                    position,
                    advice=f"add one of: {by}; or name it in slipway_capabilities if the cluster has it",
                )
            )
        return []
    if wanted in world.entries:
        if hard:
            world.findings.append(
                Finding(
                    "SLW-1201",
                    f"requires {wanted!r}, which is not in the manifest",
                    path,
                    position,
                    advice=f"add {wanted}: {{}}",
                )
            )
        return []
    if item.literal and not hard:
        return []  # a catalog entry may know of entries in other catalogs
    known = {*world.providers, *world.cluster, *world.drafts, *world.offered, *world.entries}
    world.findings.append(
        Finding(
            "SLW-1203",
            f"{wanted!r} is neither an add-on nor a capability",
            path,
            position,
            advice=did_you_mean(wanted, known) or "name it in slipway_capabilities if the cluster has it",
        )
    )
    return []


def _circles(world: _World, edges: dict[str, dict[str, Node]]) -> None:
    for component in components(edges):
        path = circle(edges, component)
        if not path:
            continue
        steps = []
        for name, target in pairwise(path):
            item = edges[name][target]
            steps.append(f"{name} needs {target} ({world.drafts[name].position if item.literal else item.position})")
        first = world.drafts[path[0]]
        world.findings.append(
            Finding(
                "SLW-1204",
                f"circle {' -> '.join(path)}: {', '.join(steps)}",
                first.path,
                first.position,
                advice=f"take one step out of 'requires' or 'after', or an output out of values, for example in "
                f"{format_path((ROOT, path[-2]))}",
            )
        )


def _integrate(world: _World, graph: dict[str, set[str]], needs: dict[str, set[str]]) -> None:
    """An add-on goes after the provider of a capability it integrates with, unless that would close a circle.

    One closure for each provider is enough: an edge added here starts outside the closure and cannot widen it.
    """
    users: dict[str, list[str]] = {}
    for draft in world.drafts.values():
        for capability in draft.integrations():
            if capability in world.providers:
                users.setdefault(world.providers[capability], []).append(draft.name)
    for provider in sorted(users):
        before = closure(graph, [provider])
        for name in users[provider]:
            if name not in before:
                graph[name].add(provider)
                needs[name].add(provider)
