# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""JSON Schema (draft 2020-12) from the definition: for editors, which see templates, and for validation."""

from __future__ import annotations

import json

from .definition import CATALOG, USER, Field, Type, fields_of
from .model import JSON

DRAFT = "https://json-schema.org/draft/2020-12/schema"
TEMPLATE = "#/$defs/template"


def of_type(kind: Type, where: str, templates: bool) -> JSON:
    """Schema of a type. With ``templates``, any value may also be a text with a Jinja expression."""
    schema: JSON = dict(kind.schema)
    if kind.fields:
        schema.update(_of_fields(kind.fields, where, templates))
    if kind.items is not None:
        schema["items"] = of_type(kind.items, where, templates)
    if kind.members is not None:
        schema["additionalProperties"] = of_type(kind.members, where, templates)
    if templates and not (schema.get("type") == "string" and "enum" not in schema):
        return {"anyOf": [schema, {"$ref": TEMPLATE}]}
    return schema


def _of_fields(fields: tuple[Field, ...], where: str, templates: bool) -> JSON:
    properties = {}
    for item in fields:
        if where in item.where:
            schema = of_type(item.type, where, templates)
            properties[item.name] = {**schema, "description": item.doc} if templates else schema
    result: JSON = {"type": "object", "properties": properties, "additionalProperties": False}
    required = [item.name for item in fields if item.required]
    return {**result, "required": required} if required else result


def addon(where: str) -> JSON:
    """Schema of one add-on (``USER``) or catalog entry (``CATALOG``), after templating."""
    return _of_fields(fields_of(where), where, templates=False)


def editor(where: str) -> JSON:
    """Schema of a file as users write it: group variables, or a catalog entry."""
    if where == CATALOG:
        return {
            "$schema": DRAFT,
            "title": "Slipway catalog entry",
            **_of_fields(fields_of(CATALOG), CATALOG, False),
        }
    addons = {"type": "object", "additionalProperties": {"$ref": "#/$defs/addon"}}
    values = {"type": "object"}
    return {
        "$schema": DRAFT,
        "title": "Slipway manifest: Ansible variables",
        "type": "object",
        "properties": {
            "slipway_name": {"type": "string", "description": "Name of the cluster, unique among your clusters."},
            "slipway_addons": {**addons, "description": "The add-ons of the cluster, by name."},
            "slipway_values": {**values, "description": "Shared values: written once, checked."},
            "slipway_capabilities": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Capabilities that the cluster has without an add-on.",
            },
        },
        "patternProperties": {"^slipway_addons__": addons, "^slipway_values__": values},
        "$defs": {
            "addon": {"anyOf": [_of_fields(fields_of(USER), USER, True), {"type": "null"}, {"$ref": TEMPLATE}]},
            "template": {"type": "string", "pattern": r"\{[\{%]"},
        },
    }


def as_text(schema: JSON) -> str:
    """The schema as it is committed."""
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


FILES = {"slipway_addons.schema.json": USER, "catalog_entry.schema.json": CATALOG}
"""File name below ``schemas/`` and what it describes."""
