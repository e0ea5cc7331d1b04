# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Selectors of Kubernetes: which labels, nodes and taints they fit. Pure, on objects as the API gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]
Labels = Mapping[str, str]

KEEPS_AWAY = ("NoSchedule", "NoExecute")


def selects(selector: Json | None, labels: Labels) -> bool:
    """A LabelSelector: an empty one selects everything, none at all nothing."""
    if selector is None:
        return False
    wanted: Labels = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_expression(one, labels) for one in selector.get("matchExpressions") or [])


def selects_node(selector: Json | None, node: Json) -> bool:
    """A NodeSelector, as in node affinities of pods and volumes: one of its terms must fit. None fits every node."""
    if selector is None:
        return True
    return any(_term(term, node) for term in selector.get("nodeSelectorTerms") or [])


def untolerated(tolerations: Sequence[Json], taints: Sequence[Json]) -> Json | None:
    """The first taint that keeps a pod with these tolerations away."""
    for taint in taints:
        if taint.get("effect") in KEEPS_AWAY and not any(_tolerates(t, taint) for t in tolerations):
            return taint
    return None


def _term(term: Json, node: Json) -> bool:
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    meta = node["metadata"]
    names = {"metadata.name": meta["name"]}
    labels = meta.get("labels") or {}
    return all(_expression(one, labels) for one in expressions) and all(_expression(one, names) for one in fields)


def _expression(one: Json, labels: Labels) -> bool:
    key, operator, values = one["key"], one["operator"], one.get("values") or []
    value = labels.get(key)
    if operator == "In":
        return value in values
    if operator == "NotIn":
        return value not in values
    if operator in ("Exists", "DoesNotExist"):
        return (value is not None) is (operator == "Exists")
    number, bound = _integer(value), _integer(values[0] if values else None)
    if number is None or bound is None:
        return False
    return number > bound if operator == "Gt" else number < bound


def _integer(text: str | None) -> int | None:
    try:
        return int(text or "")
    except ValueError:
        return None


def _tolerates(toleration: Json, taint: Json) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("operator") == "Exists":
        # Without a key it tolerates everything.
        return toleration.get("key") in (None, "", taint["key"])
    same = (toleration.get("value") or "") == (taint.get("value") or "")
    return toleration.get("key") == taint["key"] and same
