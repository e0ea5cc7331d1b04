# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Directed graphs of names: order, circles, closures. An edge leads from a name to what it depends on."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

T = TypeVar("T", bound=Hashable)
Graph = Mapping[T, Iterable[T]]


def components(graph: Graph[T]) -> list[list[T]]:
    """Strongly connected components (Tarjan), each after those it depends on. Edges to unknown names are ignored.

    A component with more than one member, or with an edge to itself, is a circle.
    """
    index: dict[T, int] = {}
    low: dict[T, int] = {}
    on_stack: set[T] = set()
    stack: list[T] = []
    found: list[list[T]] = []
    for root in graph:
        if root in index:
            continue
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        work = [(root, iter(graph[root]))]
        while work:
            name, edges = work[-1]
            for target in edges:
                if target not in graph:
                    continue
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(graph[target])))
                    break
                if target in on_stack:
                    low[name] = min(low[name], index[target])
            else:
                work.pop()
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[name])
                if low[name] == index[name]:
                    component: list[T] = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        component.append(member)
                        if member == name:
                            break
                    found.append(component[::-1])
    return found


def circle(graph: Graph[T], component: list[T]) -> list[T]:
    """A shortest circle through the component's first member, which stands at both ends; empty when there is none."""
    start = component[0]
    members = set(component)
    previous: dict[T, T] = {}
    queue = deque([start])
    while queue:
        name = queue.popleft()
        for target in graph[name]:
            if target == start:
                path: list[T] = []
                while name != start:
                    path.append(name)
                    name = previous[name]
                return [start, *reversed(path), start]
            if target in members and target not in previous:
                previous[target] = name
                queue.append(target)
    return []


def circles(graph: Graph[T]) -> list[list[T]]:
    """One circle for each component that has one; ``[a, b, a]`` reads: a needs b, b needs a."""
    return [path for path in (circle(graph, component) for component in components(graph)) if path]


def closure(graph: Graph[T], start: Iterable[T]) -> set[T]:
    """``start`` and everything it depends on."""
    seen = set(start)
    queue = deque(seen)
    while queue:
        for target in graph.get(queue.popleft(), ()):
            if target not in seen and target in graph:
                seen.add(target)
                queue.append(target)
    return seen


def reverse(graph: Graph[T]) -> dict[T, list[T]]:
    """The graph with every edge turned round: from a name to what depends on it."""
    turned: dict[T, list[T]] = {name: [] for name in graph}
    for name, targets in graph.items():
        for target in targets:
            if target in turned:
                turned[target].append(name)
    return turned


def layers(graph: Graph[T]) -> list[list[T]]:
    """Names in steps: each depends on earlier steps only. The graph must have no circle."""
    level: dict[T, int] = {}
    steps: list[list[T]] = []
    for component in components(graph):
        for name in component:
            level[name] = 1 + max((level[target] for target in graph[name] if target in level), default=-1)
            while len(steps) <= level[name]:
                steps.append([])
            steps[level[name]].append(name)
    return steps
