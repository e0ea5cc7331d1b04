# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Smoke checks as they are written become plain data, and what is wrong with them becomes findings."""

from __future__ import annotations

from collections.abc import Iterator

from ..draft import Draft
from ..field_path import steps
from ..finding import Finding, KeyPath
from ..model import Expectation, SmokeCheck
from ..names import did_you_mean
from ..node import Node, plain


def smoke_checks(draft: Draft, findings: list[Finding]) -> tuple[SmokeCheck, ...]:
    """The checks of an add-on by capability, in alphabetical order."""
    written = draft.node.at(("smoke",)) or Node({})
    provides = draft.texts("provides")
    found = []
    for capability, node in sorted(written.map().items()):
        path: KeyPath = (*draft.path, "smoke", capability)
        switch = node.at(("enabled",))
        if node.failed or (switch is not None and switch.value is False):
            continue
        if capability not in provides:
            # An entry's check goes with the capability that the user has taken away from it.
            if draft.user.at(("smoke", capability)) is not None or draft.user.at(("provides",)) is None:
                advice = did_you_mean(capability, provides) or "name it in 'provides', or take the check out"
                findings.append(
                    Finding(
                        "SLW-1421", f"the add-on does not provide {capability!r}", path, node.position, advice=advice
                    )
                )
            continue
        wrong = list(_wrong(node, path))
        findings.extend(wrong)
        if not wrong:
            found.append(_check(capability, node))
    return tuple(found)


def _check(capability: str, node: Node) -> SmokeCheck:
    body = plain(node)
    ready = tuple(Expectation(**item) for item in body.get("ready", ()) if item and "kind" in item)
    return SmokeCheck(capability, tuple(body.get("objects", ())), ready, int(body.get("timeout", SmokeCheck.timeout)))


def _wrong(node: Node, path: KeyPath) -> Iterator[Finding]:
    objects, ready = _items(node, "objects"), _items(node, "ready")
    if not objects and not ready:
        yield _incomplete("has neither objects nor something that must be ready", path, node)
    for at, item in enumerate(objects):
        name, namespace = item.at(("metadata", "name")), item.at(("metadata", "namespace"))
        here = (*path, "objects", at)
        if not item.failed and (name is None or not isinstance(name.value, str)):
            yield _incomplete("has no metadata.name", here, item)
        if namespace is not None:
            advice = "leave it out: temporary objects get a namespace of their own"
            yield _incomplete("names a namespace", (*here, "metadata", "namespace"), namespace, advice)
    for at, item in enumerate(ready):
        sentence = "" if item.failed else _unclear(item)
        if sentence:
            yield _incomplete(sentence, (*path, "ready", at), item, "see docs/smoke.md for what can be expected")


def _unclear(item: Node) -> str:
    """What keeps an expectation from meaning one thing; empty when nothing does."""
    keys = set(item.map())
    if "type" in keys:
        extra = sorted(keys & {"path", "equals", "exists"})
        return f"expects a condition and has {', '.join(extra)} too" if extra else ""
    if "status" in keys:
        return "has a status without the type of a condition"
    if {"equals", "exists"} <= keys:
        return "has both equals and exists"
    if not keys & {"equals", "exists"}:
        return "says nothing that must hold: give type, equals or exists"
    if "equals" in keys and "path" not in keys:
        return "has equals without the path of a field"
    path = item.at(("path",))
    if path is not None and steps(str(path.value)) is None:
        return f"has the path {path.value!r}, which is no path of a field"
    return ""


def _items(node: Node, key: str) -> list[Node]:
    found = node.at((key,))
    return found.value if found is not None and isinstance(found.value, list) else []


def _incomplete(sentence: str, path: KeyPath, node: Node, advice: str = "") -> Finding:
    return Finding("SLW-1422", sentence, path, node.position, advice=advice)
