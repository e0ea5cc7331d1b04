# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Outputs: values that are there only once an add-on is ready, for the values and objects of others.

``slipway_outputs.<add-on or capability>.<name>`` in the manifest, ``$output: <capability>.<name>`` in a catalog entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from .draft import Draft
from .finding import Finding, KeyPath
from .model import JSON, Unknown
from .names import did_you_mean
from .node import Node, from_plain
from .output import Look, Output, Reading, defined
from .scope import OUTPUTS

MARKER = "$output"


def provider_of(full_name: str) -> str:
    """The add-on whose output it is."""
    return full_name.rpartition(".")[0]


def shown(full_name: str) -> str:
    """The output as one writes it in the manifest."""
    return f"{OUTPUTS}.{full_name}"


class Outputs:
    """The outputs of all add-ons. What is used is read once; ``tree`` is what expressions see as slipway_outputs."""

    def __init__(self, drafts: Mapping[str, Draft], dropped: Iterable[str], cluster: Iterable[str], look: Look) -> None:
        self._drafts = drafts
        self._dropped = frozenset(dropped)
        self._cluster = frozenset(cluster)
        self._look = look
        self._providers: dict[str, str] = {}
        self._used: dict[str, tuple[Output, Reading]] = {}
        self._defined: dict[str, dict[str, Output]] = {}
        self.findings: list[Finding] = []
        self.tree: dict[str, dict[str, JSON]] = {}
        for draft in drafts.values():
            for capability in draft.texts("provides"):
                self._providers.setdefault(capability, draft.name)
            self._defined[draft.name] = {o.name: o for o in defined(draft, self.findings)}

    @property
    def present(self) -> frozenset[str]:
        """Capabilities that an add-on or the cluster itself provides."""
        return frozenset(self._providers) | self._cluster

    def use(self, path: KeyPath, constant: bool) -> Output | Finding:
        """The output that ``slipway_outputs.<path>`` means, read if need be. A finding has no position yet."""
        if len(path) < 2 and not (constant and len(path) == 1):
            return Finding("SLW-1403", f"{OUTPUTS} is not read by an add-on's and an output's name", advice=_EXAMPLE)
        wanted = str(path[0])
        addon = self._addon(wanted)
        if not addon:
            return self._nobody(wanted)
        if len(path) < 2:
            return Finding("SLW-1403", f"names no output of {wanted!r}", advice=self._offer(addon) or _EXAMPLE)
        name = str(path[1])
        output = self._defined[addon].get(name)
        if output is None:
            message = f"add-on {addon!r} has no output {name!r}"
            return Finding("SLW-1402", message, advice=did_you_mean(name, self._defined[addon]) or self._offer(addon))
        self.tree.setdefault(wanted, {})[name] = self._read(output)
        return output

    def unknown(self, names: Iterable[str]) -> tuple[Unknown, ...]:
        """Those of the named outputs that have a stand-in for a value."""
        found = [self._used[name] for name in sorted(set(names))]
        return tuple(Unknown(o.full_name, o.addon, r.code, r.why) for o, r in found if not r.known)

    def secret_nodes(self) -> list[Node]:
        """The secret values that were read."""
        return [
            from_plain(reading.value, output.position, pattern=Node(None, secret=True, literal=True))
            for output, reading in self._used.values()
            if output.secret and reading.known
        ]

    def fill(self, node: Node, path: KeyPath) -> Node:
        """``node`` with values in the place of ``$output`` markers; ``path`` is its own, for findings."""
        if isinstance(node.value, list):
            return replace(node, value=[self.fill(child, (*path, at)) for at, child in enumerate(node.value)])
        if not isinstance(node.value, dict):
            return node
        marker = node.value.get(MARKER)
        if marker is not None and len(node.value) == 1:
            return self._filled(marker, path)
        # What the user lays over a marker takes its place.
        return replace(node, value={k: self.fill(child, (*path, k)) for k, child in node.value.items() if k != MARKER})

    def _filled(self, marker: Node, path: KeyPath) -> Node:
        capability, _dot, name = str(marker.value).rpartition(".")
        found = self.use((capability, name), True) if capability else Finding("SLW-1403", "names no capability")
        if isinstance(found, Finding):
            advice = found.advice or "write <capability>.<output>"
            self.findings.append(replace(found, path=path, position=marker.position, advice=advice))
            return replace(marker, value=None, failed=True)
        like = replace(marker, secret=found.secret, outputs=frozenset({found.full_name}))
        return from_plain(self.tree[capability][name], marker.position, path, self.findings, like)

    def _read(self, output: Output) -> JSON:
        if output.full_name not in self._used:
            self._used[output.full_name] = (output, self._look(output))
        reading = self._used[output.full_name][1]
        return reading.value if reading.known else output.stand_in

    def _addon(self, wanted: str) -> str:
        """The add-on that a capability, an add-on's name or a catalog entry stands for; the order is that of
        ``requires``."""
        if wanted in self._providers:
            return self._providers[wanted]
        if wanted in self._drafts:
            return wanted
        users = [
            draft.name for draft in self._drafts.values() if draft.entry is not None and draft.entry.name == wanted
        ]
        return users[0] if len(users) == 1 else ""

    def _nobody(self, wanted: str) -> Finding:
        if wanted in self._dropped:
            return Finding("SLW-1401", f"add-on {wanted!r} is switched off", advice="enable it, or write the value")
        if wanted in self._cluster:
            message = f"capability {wanted!r} is the cluster's own (slipway_capabilities): it has no outputs"
            return Finding("SLW-1401", message, advice="write the value here")
        known = {*self._providers, *self._drafts}
        # Jinja reads a-b as a difference: what stands here is only the name's beginning.
        dashed = sorted(name for name in known if name.startswith(f"{wanted}-"))
        advice = f"a name with '-' goes into brackets: {OUTPUTS}[{dashed[0]!r}]" if dashed else ""
        message = f"{wanted!r} is neither an add-on nor a capability"
        return Finding("SLW-1401", message, advice=advice or did_you_mean(wanted, known))

    def _offer(self, addon: str) -> str:
        names = sorted(self._defined[addon])
        return f"it has: {', '.join(names)}" if names else "define it below 'outputs' of that add-on"


_EXAMPLE = f"write {OUTPUTS}.<add-on>.<output>, both as they are"


def named(node: Node, capability: str) -> Node:
    """Markers of an integration, which may leave out the capability, with its name."""
    if isinstance(node.value, list):
        return replace(node, value=[named(child, capability) for child in node.value])
    if not isinstance(node.value, dict):
        return node
    children = {key: named(child, capability) for key, child in node.value.items()}
    marker = children.get(MARKER)
    if marker is not None and "." not in str(marker.value):
        children[MARKER] = replace(marker, value=f"{capability}.{marker.value}")
    return replace(node, value=children)
