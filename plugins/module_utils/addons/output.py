# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One output of an add-on: where on the cluster its value stands, and what it is; read from its definition."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Optional

from .draft import Draft
from .field_path import steps
from .finding import NOWHERE, Finding, KeyPath, Position
from .model import JSON
from .node import Node

STAND_IN = "known-after-"
NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Output:
    """One output, defined completely: where on the cluster its value stands, and what it is."""

    addon: str
    name: str
    kind: str
    object: str
    namespace: str
    path: KeyPath
    group: str = ""
    type: str = "text"
    secret: bool = False
    position: Position = NOWHERE

    @property
    def full_name(self) -> str:
        return f"{self.addon}.{self.name}"

    @property
    def stand_in(self) -> JSON:
        """What holds the place of a value that is not there yet: of the same type, and applied nowhere."""
        others: dict[str, JSON] = {"integer": 1, "number": 1.0, "boolean": True, "list": [], "map": {}}
        return others.get(self.type, f"{STAND_IN}{self.addon}")


@dataclass(frozen=True)
class Reading:
    """A value, or the code and the reason for which there is none."""

    value: JSON = None
    code: str = ""
    why: str = ""

    @property
    def known(self) -> bool:
        return not self.code


Look = Callable[[Output], Reading]
LookOf = Optional[Callable[[], Look]]
"""Begins a new look at the cluster."""


def unseen(output: Output) -> Reading:
    """For runs that need no values: nothing is asked of the cluster."""
    return Reading(code="SLW-4501", why=f"nobody has looked at {output.kind} {output.object}")


def defined(draft: Draft, findings: list[Finding]) -> Iterator[Output]:
    written = draft.node.at(("outputs",))
    for name, node in (written.map() if written else {}).items():
        at = (*draft.path, "outputs", name)
        if node.failed or any(child.failed for child in node.map().values()):
            continue
        wrong = _problem(name, node)
        if wrong:
            findings.append(Finding("SLW-1405", wrong, at, node.position))
            continue
        text = {key: str(child.value) for key, child in node.map().items() if isinstance(child.value, str)}
        namespace = draft.text("namespace", draft.name)
        secret = node.map().get("secret")
        default = text["kind"] == "Secret" and not text.get("group")
        yield Output(
            addon=draft.name,
            name=name,
            kind=text["kind"],
            object=_object_name(draft, text.get("name", "{release}"), namespace),
            namespace=text.get("namespace", namespace),
            path=steps(text["path"]) or (),
            group=text.get("group", ""),
            type=text.get("type", "text"),
            secret=secret.value if secret is not None and isinstance(secret.value, bool) else default,
            position=node.position,
        )


def _object_name(draft: Draft, written: str, namespace: str) -> str:
    """``{fullname}`` is what most charts call their main objects: the release, with the chart's name if it lacks it."""
    release = draft.text("release", draft.name)
    chart = draft.node.at(("chart",)) or Node({})
    named_or_path = chart.at(("name",)) or chart.at(("path",)) or Node("")
    name = str(named_or_path.value).rstrip("/").rpartition("/")[2]
    full = release if name in release else f"{release}-{name}"
    names = {"{release}": release, "{namespace}": namespace, "{fullname}": full[:63].rstrip("-")}
    for word, value in names.items():
        written = written.replace(word, value)
    return written


def _problem(name: str, node: Node) -> str:
    if NAME.fullmatch(name) is None or name in dir(dict):
        return f"{name!r} cannot be an output's name: small letters, digits and '_', and no word of Jinja's own"
    for key in ("kind", "path"):
        found = node.at((key,))
        if found is None:
            return f"lacks {key!r}"
    path = str(node.map()["path"].value)
    return "" if steps(path) else f"{path!r} is not a path such as status.items[0].name"
