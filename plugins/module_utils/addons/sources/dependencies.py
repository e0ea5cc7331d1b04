# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which sub-charts take part, under which name, and what values they hand up to their parent."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from .chart import Chart, dependencies
from .coalesce import Node, Values, coalesce, merge_tables


@dataclass
class Resolved(Node):
    """A chart with its enabled sub-charts. ``declared`` are their entries in Chart.yaml, alias and flags applied."""

    chart: Chart | None = None
    declared: list[dict[str, Any]] | None = None


def resolve(chart: Chart, values: Values) -> Resolved:
    """The chart as Helm has it after dependency processing: aliases, conditions, tags, imported values."""
    root = _enable(chart, chart.name, values, "")
    _import_values(root)
    return root


def effective_values(chart: Chart, values: Values) -> Values:
    """The values that the chart's templates see, its defaults and those of its enabled sub-charts included."""
    return coalesce(resolve(chart, values), values)


def _enable(chart: Chart, name: str, values: Values, path: str) -> Resolved:
    node = Resolved(name, copy.deepcopy(chart.values), chart=chart)
    declared = copy.deepcopy(dependencies(chart))
    if not declared:
        node.children = [_enable(sub, sub.name, values, f"{path}{sub.name}.") for sub in chart.subcharts]
        return node
    pairs = [(sub, sub.name) for sub in chart.subcharts if not any(sub.name == dep.get("name") for dep in declared)]
    for dep in declared:
        found = _chart_for(dep, chart.subcharts)
        dep["name"] = dep.get("alias") or dep["name"]
        if found is not None:
            pairs.append((found, dep["name"]))
    # conditions look at the values with the defaults of all sub-charts below them
    seen = coalesce(Node(name, chart.values, [_plain(sub, alias) for sub, alias in pairs]), values)
    for dep in declared:
        dep["enabled"] = _enabled(dep, seen, path)
    off = {dep["name"] for dep in declared if not dep["enabled"]}
    node.declared = [dep for dep in declared if dep["name"] not in off] or None
    node.children = [_enable(sub, alias, seen, f"{path}{alias}.") for sub, alias in pairs if alias not in off]
    return node


def _plain(chart: Chart, name: str) -> Node:
    return Node(name, chart.values, [_plain(sub, sub.name) for sub in chart.subcharts])


def _chart_for(dep: dict[str, Any], charts: list[Chart]) -> Chart | None:
    """By name; two versions of one chart are told apart by the exact version."""
    named = [chart for chart in charts if chart.name == dep.get("name")]
    exact = [chart for chart in named if chart.version == dep.get("version")]
    return next(iter(exact or named), None)


def _enabled(dep: dict[str, Any], values: Values, path: str) -> bool:
    """Tags first, then the first condition that names a boolean."""
    tags = values.get("tags")
    flags = [tags[tag] for tag in dep.get("tags") or [] if isinstance(tags, dict) and isinstance(tags.get(tag), bool)]
    enabled = any(flags) or not flags
    for condition in str(dep.get("condition") or "").strip().split(","):
        value = _at(values, path + condition) if condition else None
        if isinstance(value, bool):
            return value
    return enabled


def _at(values: Any, dotted: str) -> Any:
    for key in dotted.split("."):
        if not isinstance(values, dict):
            return None
        values = values.get(key)
    return values


def _import_values(node: Resolved) -> None:
    """``import-values``: the parent's defaults take over parts of the child's, and win over them."""
    for below in node.children:
        if isinstance(below, Resolved):
            _import_values(below)
    if node.declared is None:
        return
    defaults = coalesce(node, {}, keep_nulls=True)
    imported: Values = {}
    for dep in node.declared:
        wishes = [_wish(item) for item in dep.get("import-values") or []]
        if wishes:
            dep["import-values"] = [{"child": child, "parent": parent} for child, parent in wishes]
        for child, parent in wishes:
            part = _at(defaults, f"{dep['name']}.{child}")
            if isinstance(part, dict):
                merge_tables(imported, _below(parent, copy.deepcopy(part)), True)
    node.defaults = merge_tables(copy.deepcopy(defaults), imported, True)


def _wish(item: Any) -> tuple[str, str]:
    if isinstance(item, dict):
        return str(item.get("child")), str(item.get("parent"))
    return f"exports.{item}", "."


def _below(path: str, value: Values) -> Values:
    if path == ".":
        return value
    for key in reversed(path.split(".")):
        value = {key: value}
    return value
