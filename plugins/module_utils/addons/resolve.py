# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Drafts and their relations become add-ons: values laid together, sources complete, nothing left to look up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from .draft import Draft
from .finding import Finding, KeyPath
from .model import Addon, Condition, DriftRule, RemovePolicy, Wait
from .node import Node, merge, plain
from .outputs import Outputs, named, provider_of
from .relations import Relations, Uses
from .smoke.resolve import smoke_checks
from .source import source_of
from .task_files import task_files

TIMEOUT = Wait().timeout


def resolve(
    drafts: Mapping[str, Draft],
    relations: Relations,
    values: Mapping[str, Node],
    outputs: Outputs,
    files_dir: Path,
) -> tuple[dict[str, Addon], list[Finding]]:
    """All add-ons, by name in order of writing, and what is wrong with their sources."""
    findings: list[Finding] = []
    addons = {
        draft.name: _addon(draft, relations, values[draft.name], outputs, files_dir, findings)
        for draft in drafts.values()
    }
    return addons, findings


def uses_of(drafts: Mapping[str, Draft], values: Mapping[str, Node]) -> Uses:
    """Whose outputs each add-on uses, each with one value that does."""
    return {
        draft.name: {
            provider_of(output): leaf
            for _path, leaf in _inputs(draft, values[draft.name])
            for output in sorted(leaf.outputs)
        }
        for draft in drafts.values()
    }


def _inputs(draft: Draft, values: Node) -> Iterator[tuple[KeyPath, Node]]:
    """Everything of an add-on that may come from outputs, by key path below the add-on."""
    yield from values.walk(("values",))
    for key in ("objects", "patches"):
        for at, item in enumerate(draft.items(key)):
            yield from item.walk((key, at))


def _addon(
    draft: Draft, relations: Relations, values: Node, outputs: Outputs, files_dir: Path, findings: list[Finding]
) -> Addon:
    leaves = [(path, leaf) for path, leaf in values.walk() if path]
    late = {path: tuple(sorted(leaf.outputs)) for path, leaf in _inputs(draft, values) if leaf.outputs}
    return Addon(
        name=draft.name,
        source=source_of(draft, files_dir, findings),
        namespace=draft.text("namespace", draft.name),
        release=draft.text("release", draft.name),
        values=plain(values),
        secret_paths=frozenset(path for path, leaf in leaves if leaf.secret),
        position=draft.position,
        catalog=draft.entry.name if draft.entry else "",
        offered=_offered(draft),
        provides=draft.texts("provides"),
        requires=draft.texts("requires"),
        after=draft.texts("after"),
        depends=relations.depends[draft.name],
        needs=relations.needs[draft.name],
        wait=_wait(draft),
        remove=_remove(draft),
        crds=draft.text("crds", "apply"),
        protected=draft.flag("protected", False),
        adopt=draft.flag("adopt", False),
        drift=draft.text("drift", "report"),
        drift_rules=_drift_rules(draft),
        patches=tuple(plain(item) for item in draft.items("patches")),
        store_values=draft.flag("store_values", True),
        images=draft.texts("images"),
        smoke=smoke_checks(draft, findings),
        scale_down=draft.text("scale_down", "safe"),
        hooks=task_files(draft, files_dir, findings),
        origins={path: leaf.position for path, leaf in leaves},
        outputs=late,
        unknown=outputs.unknown(name for names in late.values() for name in names),
    )


def _offered(draft: Draft) -> str:
    found = draft.entry.node.at(("chart", "version")) if draft.entry else None
    return str(found.value) if found is not None and not found.failed else ""


def values_of(draft: Draft, outputs: Outputs, findings: list[Finding]) -> Node:
    """Catalog defaults, then integrations in alphabetical order, then the user's values, then replicas; with the
    values of outputs where an entry names them."""
    return outputs.fill(_laid(draft, outputs.present, findings), (*draft.path, "values"))


def _laid(draft: Draft, present: frozenset[str], findings: list[Finding]) -> Node:
    values = Node({}, draft.position)
    if draft.entry is not None:
        values = merge(values, draft.entry.node.at(("values",)) or Node({}))
        for capability, overlay in draft.integrations().items():
            if capability in present:
                values = merge(values, named(overlay.at(("values",)) or Node({}), capability))
    mine = draft.user.at(("values",))
    if mine is not None and not mine.failed:
        values = merge(values, mine)
    count = draft.user.at(("replicas",))
    if count is None or count.failed:
        return values
    place = draft.entry.node.at(("replicas",)) if draft.entry else None
    if place is None:
        if not draft.broken:
            findings.append(
                Finding(
                    "SLW-1107",
                    "'replicas' is set, but no catalog entry says which value it is",
                    (*draft.path, "replicas"),
                    count.position,
                    advice="set the chart's own key below 'values'",
                )
            )
        return values
    # YAML's 3.0 passes for an integer in JSON Schema
    whole = replace(count, value=int(count.value)) if isinstance(count.value, float) else count
    return merge(values, _below(tuple(str(place.value).split(".")), whole))


def _below(path: KeyPath, leaf: Node) -> Node:
    node = leaf
    for key in reversed(path):
        node = Node({str(key): node}, leaf.position)
    return node


def _seconds(*candidates: Node | None, default: int) -> int:
    for node in candidates:
        if node is not None and isinstance(node.value, (int, float)) and not node.failed:
            return int(node.value)
    return default


def _wait(draft: Draft) -> Wait:
    theirs = draft.entry.node if draft.entry else Node({})
    timeout = _seconds(
        draft.user.at(("wait", "timeout")),
        draft.user.at(("timeout",)),
        theirs.at(("wait", "timeout")),
        theirs.at(("timeout",)),
        default=TIMEOUT,
    )
    wait = draft.node.at(("wait",)) or Node({})
    listed = wait.at(("conditions",)) or Node([])
    conditions = []
    for item in listed.value if isinstance(listed.value, list) else []:
        text = {key: str(child.value) for key, child in item.map().items() if not child.failed}
        if "kind" in text and "type" in text:
            conditions.append(Condition(**text))
    address = wait.at(("load_balancer",))
    return Wait(timeout, tuple(conditions), str(address.value) if address and not address.failed else "required")


def _drift_rules(draft: Draft) -> tuple[DriftRule, ...]:
    """The first that fits counts, so the user's stand before the entry's."""
    lists = [draft.user.at(("drift_rules",)), draft.entry.node.at(("drift_rules",)) if draft.entry else None]
    items = [item for node in lists if node is not None and isinstance(node.value, list) for item in node.value]
    return tuple(DriftRule(**plain(item)) for item in items if "answer" in item.map())


def _remove(draft: Draft) -> RemovePolicy:
    policy = draft.node.at(("remove",)) or Node({})
    first = policy.at(("first",)) or Node([])
    kinds = tuple(str(item.value) for item in first.value if not item.failed) if isinstance(first.value, list) else ()
    return RemovePolicy(kinds, _seconds(policy.at(("timeout",)), default=RemovePolicy().timeout))
