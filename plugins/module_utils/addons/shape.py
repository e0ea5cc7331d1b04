# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Checks the shape of add-ons and catalog entries by the schema, in sentences with positions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import Any

from .definition import USER
from .finding import Finding, KeyPath, format_path
from .layers import kind
from .model import JSON
from .names import did_you_mean
from .node import Node, plain
from .schema import addon

with suppress(ImportError):  # reported by the shell; import checks of single files may not have it
    from jsonschema import Draft202012Validator

WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a map",
    "array": "a list",
    "null": "nothing",
}


@lru_cache(maxsize=2)
def _validator(where: str) -> Any:
    return Draft202012Validator(addon(where))


def check(node: Node, where: str, path: KeyPath) -> tuple[Node, list[Finding]]:
    """The node without its empty and its wrong keys, and a finding for each wrong one.

    A key whose value is null counts as not written: layers take a value away like this.
    """
    if node.failed or node.value is None:
        return replace(node, value={}), []
    if not isinstance(node.value, dict):
        message = f"is {kind(node.value)}, a map is wanted"
        return replace(node, value={}), [Finding("SLW-1002", message, path, node.position)]
    cleaned = _without_nulls(node)
    data = plain(cleaned)
    findings: list[Finding] = []
    bad: set[str] = set()
    for error in _validator(where).iter_errors(data):
        at: KeyPath = tuple(error.absolute_path)
        for finding, key in _explain(error, at, cleaned, path, where):
            findings.append(finding)
            bad.add(str(at[0]) if at else key)
    kept = {key: child for key, child in cleaned.map().items() if key not in bad}
    return replace(cleaned, value=kept), findings


def _without_nulls(node: Node) -> Node:
    keep = {}
    for key, child in node.map().items():
        if child.value is None and not child.failed:
            continue
        laid = ("chart", "wait", "remove", "hooks", "smoke", "outputs")
        nested = key in laid and isinstance(child.value, dict)
        keep[key] = _without_nulls(child) if nested else child
    return replace(node, value=keep)


def _explain(error: Any, at: KeyPath, node: Node, path: KeyPath, where: str) -> Iterator[tuple[Finding, str]]:
    """Findings for one schema error, each with the add-on's key it belongs to."""
    position = node.position_of(at)
    rule = error.validator
    if rule == "additionalProperties":
        known = error.schema.get("properties", {})
        for key in error.instance:
            if key not in known:
                full = (*path, *at, key)
                yield (
                    Finding(
                        "SLW-1001",
                        f"{key!r} is no key of {_owner(at, where)}",
                        full,
                        node.position_of((*at, key)),
                        advice=_meant(key, known, at, where),
                    ),
                    str(key),
                )
        return
    if rule == "required":
        for key in error.validator_value:
            there = node.at((*at, key))
            if key not in error.instance and there is None:
                yield Finding("SLW-1012", f"lacks {key!r}", (*path, *at), position), ""
        return
    secret = _is_secret(node, at)
    if rule == "type":
        wanted = error.validator_value
        words = " or ".join(WORDS[w] for w in ([wanted] if isinstance(wanted, str) else wanted))
        message = f"is {kind(error.instance)}, {words} is wanted"
        yield Finding("SLW-1002", message, (*path, *at), position, advice=_hint(error.instance, wanted, secret)), ""
        return
    yield (
        Finding(
            "SLW-1003",
            _not_allowed(rule, error, secret),
            (*path, *at),
            position,
            advice=did_you_mean(error.instance, error.validator_value) if rule == "enum" else "",
        ),
        "",
    )


def _not_allowed(rule: str, error: Any, secret: bool) -> str:
    value = "the value" if secret else repr(error.instance)
    limit = error.validator_value
    sentences = {
        "minimum": f"{value} is too small; {limit} is the least",
        "minLength": "is empty",
        "minItems": "is empty",
        "pattern": f"{value} is not a key path such as server.replicas",
    }
    if rule == "enum":
        return f"{value} is not allowed; one of {', '.join(map(str, limit))} is"
    return sentences.get(rule, "is not allowed here")


def _hint(value: JSON, wanted: object, secret: bool) -> str:
    if wanted == "string" and isinstance(value, (int, float)):
        if secret:
            return "write it in quotes"
        return "write it in quotes, exactly as it is meant" if not isinstance(value, bool) else "write it in quotes"
    if wanted == "array" and isinstance(value, str):
        return "write it as a list: [" + ("…" if secret else value) + "]"
    words = ("true", "false") if wanted == "boolean" else ()
    if isinstance(value, str) and (value.lower() in words or (wanted == "integer" and value.strip().isdigit())):
        return "write it without quotes"
    return ""


def _meant(key: object, known: dict[str, JSON], at: KeyPath, where: str) -> str:
    found = did_you_mean(key, known)
    if found or at or where != USER:
        return found
    return "values of the chart belong below 'values'"


def _owner(at: KeyPath, where: str) -> str:
    if at:
        return format_path(at)
    return "an add-on" if where == USER else "a catalog entry"


def _is_secret(node: Node, at: KeyPath) -> bool:
    found = node.at(at)
    return found is not None and any(leaf.secret for _path, leaf in found.walk())
