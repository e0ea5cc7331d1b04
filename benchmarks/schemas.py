# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""CRDs with schemas as large and as deep as those that operators ship, made from a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_DEEPEST = 9
_WORDS, _NAMES = (
    part.split() for part in (Path(__file__).parent / "words.txt").read_text(encoding="utf-8").split("\n\n")
)

# What the benchmark's own custom resources use; everything else in the schemas is filling.
_USED: dict[str, Json] = {
    "Monitor": {
        "selector": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "endpoints": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {key: {"type": "string"} for key in ("port", "interval", "path")},
            },
        },
    },
    "RuleSet": {
        "groups": {
            "type": "array",
            "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    },
}


def crd(group: str, kind: str, kib: int) -> Json:
    """A CustomResourceDefinition whose schema takes about ``kib`` KiB."""
    chance = random.Random(f"{group}/{kind}")
    plural = f"{kind.lower()}{'es' if kind.lower().endswith('s') else 's'}"
    schema: Json = {
        "description": sentence(chance, 20),
        "type": "object",
        "properties": {
            "apiVersion": {"description": sentence(chance, 30), "type": "string"},
            "kind": {"description": sentence(chance, 30), "type": "string"},
            "metadata": {"type": "object"},
            "spec": _spec(chance, kib * 1024, _USED.get(kind, {})),
            "status": {
                "type": "object",
                "properties": {
                    "observedGeneration": {"format": "int64", "type": "integer"},
                    "conditions": {"type": "array", "items": _condition(chance)},
                },
            },
        },
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "annotations": {"controller-gen.example.com/version": "v0.19.0"},
        },
        "spec": {
            "group": group,
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()},
            "scope": "Namespaced",
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [
                        {"jsonPath": ".metadata.creationTimestamp", "name": "Age", "type": "date"}
                    ],
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


def _spec(chance: random.Random, size: int, used: Mapping[str, Json]) -> Json:
    properties: Json = dict(used)
    left = size - len(json.dumps(properties))
    while left > 0:
        name = _name(chance)
        if name in properties:
            continue
        node = _node(chance, min(left, size // 3 + 400), 1)
        properties[name] = node
        left -= len(json.dumps(node)) + len(name)
    return {"description": sentence(chance, 12), "type": "object", "properties": properties}


def _node(chance: random.Random, budget: int, depth: int) -> Json:
    """A schema of at most about ``budget`` bytes: an object or a list of objects while there is room, else a leaf."""
    if budget < 600 or depth > _DEEPEST or chance.random() < 0.25:
        return _leaf(chance)
    node: Json = {"description": sentence(chance, chance.randint(6, 40)), "type": "object"}
    properties: Json = {}
    left = budget - len(node["description"]) - 60
    for _count in range(chance.randint(2, 14)):
        if left < 150:
            break
        child = _node(chance, int(left * chance.uniform(0.2, 0.7)), depth + 1)
        name = _name(chance)
        properties[name] = child
        left -= len(json.dumps(child)) + len(name)
    node["properties"] = properties
    if properties and chance.random() < 0.3:
        node["required"] = sorted(chance.sample(sorted(properties), 1))
    if chance.random() < 0.3:
        listed: Json = {"description": sentence(chance, 12), "type": "array", "items": node}
        if chance.random() < 0.5:
            listed["x-kubernetes-list-type"] = "atomic"
        return listed
    return node


def _leaf(chance: random.Random) -> Json:
    text = {"description": sentence(chance, chance.randint(4, 50))}
    choice = chance.randrange(10)
    if choice < 4:
        return {**text, "type": "string"}
    if choice == 4:
        return {**text, "type": "string", "enum": sorted({_name(chance).title() for _count in range(4)})}
    if choice == 5:
        return {**text, "type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 253}
    if choice == 6:
        return {**text, "type": "integer", "format": "int32", "minimum": 0}
    if choice == 7:
        return {**text, "type": "boolean"}
    if choice == 8:
        return {**text, "type": "object", "additionalProperties": {"type": "string"}}
    return {**text, "anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}


def _condition(chance: random.Random) -> Json:
    keys = ("type", "status", "reason", "message", "lastTransitionTime")
    return {
        "type": "object",
        "properties": {key: {"description": sentence(chance, 15), "type": "string"} for key in keys},
        "required": ["status", "type"],
    }


def _name(chance: random.Random) -> str:
    first, second = chance.choice(_NAMES), chance.choice(_NAMES)
    return first + second.title()


def sentence(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(_WORDS, k=words)).capitalize() + "."
