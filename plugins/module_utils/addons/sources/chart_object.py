# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The ``chart`` part of Helm's release object, made from the chart's files as Helm makes it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from .chart import Chart
from .dependencies import resolve

_METADATA = (
    "name",
    "home",
    "sources",
    "version",
    "description",
    "keywords",
    "maintainers",
    "icon",
    "apiVersion",
    "condition",
    "tags",
    "appVersion",
    "deprecated",
    "annotations",
    "kubeVersion",
    "dependencies",
    "type",
)
_LISTS = frozenset(["sources", "keywords", "maintainers", "dependencies"])
_MAINTAINER = ("name", "email", "url")
_DEPENDENCY = ("name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias")


def chart_object(chart: Chart, values: dict[str, Any]) -> dict[str, Any]:
    """JSON as Helm stores it. Sub-charts are not in it, but their defaults are in ``values`` where Helm puts them.

    ``values`` are the user's: they decide which sub-charts take part.
    """
    resolved = resolve(chart, values)
    metadata = {**chart.metadata, "dependencies": resolved.declared}
    return {
        "metadata": _metadata(metadata),
        "lock": _lock(chart.lock),
        "templates": _files(chart.templates),
        # a chart without values.yaml has no values, which is something else than empty ones
        "values": resolved.defaults if resolved.defaults or "values.yaml" in chart.files else None,
        "schema": _encode(chart.schema) if chart.schema is not None else None,
        "files": _files(chart.other_files),
    }


def _files(files: Mapping[str, bytes]) -> list[dict[str, str]]:
    return [{"name": name, "data": _encode(data)} for name, data in files.items()]


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _metadata(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Chart.yaml with Helm's field names, in Helm's order; unknown fields and empty ones are left out."""
    out: dict[str, Any] = {}
    for name in _METADATA:
        value = raw.get(name)
        if not value:
            continue
        if name == "maintainers":
            out[name] = [_fields(item, _MAINTAINER) for item in value if isinstance(item, dict)]
        elif name == "dependencies":
            out[name] = [_dependency(item) for item in value]
        elif name == "annotations":
            out[name] = {key: _text(item) for key, item in value.items()}
        elif name == "deprecated":
            out[name] = True
        else:
            out[name] = [_text(item) for item in value] if name in _LISTS else _text(value)
    return out


def _lock(raw: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if raw is None:
        return None
    return {
        "generated": _text(raw.get("generated") or "0001-01-01T00:00:00Z"),
        "digest": _text(raw.get("digest") or ""),
        "dependencies": [_dependency(item) for item in raw.get("dependencies") or []],
    }


def _dependency(raw: Mapping[str, Any]) -> dict[str, Any]:
    fields = _fields(raw, _DEPENDENCY)
    return {"name": "", "repository": "", **fields}


def _fields(raw: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    kept = ("tags", "import-values", "enabled")
    return {name: raw[name] if name in kept else _text(raw[name]) for name in names if raw.get(name)}


def _text(value: Any) -> str:
    """Helm's fields are strings; a version written as a bare number becomes one."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
