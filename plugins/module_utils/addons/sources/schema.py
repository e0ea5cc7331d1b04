# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Values against the chart's own ``values.schema.json``, with the place where each value was written."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..finding import NOWHERE, Finding, KeyPath, Positions, format_path
from ..model import Addon
from .chart import Chart
from .coalesce import coalesce
from .codes import VALUES_REFUSED
from .dependencies import Resolved, resolve

_LONGEST = 200


@dataclass(frozen=True)
class _Refusal:
    path: KeyPath
    message: str
    advice: str = ""


def validate_values(addon: Addon, chart: Chart) -> list[Finding]:
    """What the schemas of the chart and of its enabled sub-charts refuse. Starts no process, fetches nothing.

    A schema that refers to other machines, or that is broken, is left for Helm to judge.
    """
    root = resolve(chart, addon.values)
    values = coalesce(root, addon.values)
    positions = Positions(addon.origins)
    found: list[Finding] = []
    for refusal in _refusals(root, values, (), addon.secret_paths):
        position = positions.of(refusal.path)
        found.append(
            Finding(
                code=VALUES_REFUSED,
                message=refusal.message,
                path=("slipway_addons", addon.name, "values", *refusal.path),
                position=position if position != NOWHERE else addon.position,
                advice=refusal.advice or f"the schema of chart {chart.name} {chart.version} says so",
            )
        )
    return found


def _refusals(node: Resolved, values: Any, path: KeyPath, secret: frozenset[KeyPath]) -> Iterator[_Refusal]:
    if node.chart is not None and node.chart.schema is not None:
        for error in _errors(node.chart.schema, values):
            at = (*path, *error.absolute_path)
            unknown = _unknown_keys(error)
            yield from (_Refusal((*at, key), "the chart knows no such key", advice) for key, advice in unknown)
            if not unknown:
                yield _Refusal(at, _message(error, at, secret))
    for child in node.children:
        below = values.get(child.name) if isinstance(values, Mapping) else None
        if isinstance(child, Resolved) and below is not None:
            yield from _refusals(child, below, (*path, child.name), secret)


def _errors(schema: bytes, values: Any) -> list[Any]:
    # imported here because most runs check nothing anew
    import jsonschema
    import referencing
    import referencing.exceptions

    try:
        parsed = json.loads(schema)
        kind = jsonschema.validators.validator_for(parsed, default=jsonschema.Draft7Validator)
        kind.check_schema(parsed)
        # an empty registry: a schema is never fetched from elsewhere
        validator = kind(parsed, registry=referencing.Registry())
        return sorted(validator.iter_errors(values), key=lambda error: [str(key) for key in error.absolute_path])
    except (ValueError, jsonschema.SchemaError, referencing.exceptions.Unresolvable, re.error):
        return []


def _unknown_keys(error: Any) -> list[tuple[str, str]]:
    """Keys that a closed schema does not list, each with the nearest one that it does."""
    if error.validator != "additionalProperties" or error.validator_value is not False:
        return []
    known = list(error.schema.get("properties", {}))
    patterns = list(error.schema.get("patternProperties", {}))
    extra = [key for key in error.instance if key not in known and not any(re.search(p, key) for p in patterns)]
    near = {key: difflib.get_close_matches(key, known, n=1) for key in extra}
    return [(key, f"did you mean {near[key][0]}?" if near[key] else "") for key in extra]


def _message(error: Any, path: KeyPath, secret: frozenset[KeyPath]) -> str:
    """Never with a secret: neither its own nor one that lies below the refused value."""
    hidden = any(path[: len(one)] == one or one[: len(path)] == path for one in secret)
    if not hidden or error.validator == "required":
        text = str(error.message)
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
    wanted = json.dumps(error.validator_value, default=str)
    rule = f" {wanted}" if len(wanted) <= _LONGEST else ""
    return f"{format_path(path) or 'the values'} does not meet {error.validator}{rule} (the value is hidden)"
