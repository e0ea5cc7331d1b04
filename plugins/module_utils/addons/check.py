# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Checks that need the whole manifest: placeholders, keys, releases, ownership, the cluster's name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from .draft import ROOT, Draft
from .evaluate import Evaluation
from .finding import Finding, KeyPath, Position
from .model import JSON, Addon
from .names import CLUSTER_LENGTH, label_problem, label_suggestion
from .node import Node
from .placeholders import placeholder
from .references import SHARED, is_template

SHORTEST_SECRET = 4
"""Characters. Shorter texts would blot out half of every report, and are no secrets."""
_IDENTITY = (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace"))
TRUE_WORDS = frozenset({"true", "yes", "on", "y", "t", "1"})


def cluster_name(node: Node | None) -> tuple[str, list[Finding]]:
    """slipway_name, and what is wrong with it."""
    path: KeyPath = ("slipway_name",)
    if node is None or (node.value in (None, "") and not node.failed):
        position = node.position if node else Position("variable slipway_name")
        return "", [
            Finding("SLW-1008", "is not set", path, position, advice="name the cluster, for example slipway_name: prod")
        ]
    if node.failed:
        return "", []
    if not isinstance(node.value, str):
        return "", [Finding("SLW-1002", "is not text", path, node.position, advice="write it in quotes")]
    problem = label_problem(node.value, CLUSTER_LENGTH)
    if problem:
        return "", [
            Finding(
                "SLW-1007",
                f"the cluster's name {problem}",
                path,
                node.position,
                advice=label_suggestion(node.value, CLUSTER_LENGTH),
            )
        ]
    return node.value, []


def placeholders(
    written: Node, evaluated: Node, root: str, evaluation: Evaluation, known: set[KeyPath]
) -> Iterator[Finding]:
    """Values that are still to be filled in, once each: where they are written, not where they are used.

    ``known`` collects the paths below slipway_values that have such a finding.
    """
    for path, leaf in evaluated.walk():
        if leaf.failed or not isinstance(leaf.value, str) or leaf.outputs:
            continue  # what comes from the cluster was not left to be filled in
        word = placeholder(leaf.value)
        if not word or _reported(written, path, evaluation, known):
            continue
        if root == SHARED:
            known.add(path)
        shown = "a placeholder" if leaf.secret else f"the placeholder {word!r}"
        yield Finding("SLW-1303", f"still holds {shown}", (root, *path), leaf.position, advice="fill it in")


def _reported(written: Node, path: KeyPath, evaluation: Evaluation, known: set[KeyPath]) -> bool:
    source = None
    for end in range(len(path), -1, -1):
        source = written.at(path[:end])
        if source is not None:
            break
    if source is None or source.literal or not isinstance(source.value, str) or not is_template(source.value):
        return False
    shared = evaluation.scope.of_text(source.value).shared
    return any(seen[: len(ref.path)] == ref.path or ref.path[: len(seen)] == seen for ref in shared for seen in known)


def places_of_outputs(evaluation: Evaluation) -> Iterator[Finding]:
    """Outputs may stand where a plan can go on without them: not in what decides who there is, where, and in what
    order, nor in what an object is."""
    for path, node in evaluation.waiting.items():
        place = path[2] if len(path) > 2 else ""
        of_object = place in ("objects", "patches") and len(path) > 4 and path[4:] not in _IDENTITY
        shared = path[0] == SHARED and len(path) > 1
        if shared or (path[0] == ROOT and (place in ("values", "replicas") or of_object)):
            continue
        yield Finding(
            "SLW-1404",
            "an output of an add-on has no place here",
            path,
            node.position,
            advice="outputs may stand below 'values', in 'replicas', in fields of 'objects' and 'patches', and in "
            "slipway_values",
        )


def escaped_keys(node: Node, path: KeyPath) -> Iterator[Finding]:
    """Keys such as ``grafana\\.ini``: the backslash belongs to ``helm --set``, in YAML it makes another key."""
    if isinstance(node.value, dict):
        for key, child in node.value.items():
            if "\\." in key:
                yield Finding(
                    "SLW-1010",
                    f"the key {key!r} holds a backslash, which YAML keeps",
                    (*path, key),
                    child.position,
                    advice=f"write {key.replace(chr(92) + '.', '.')!r}",
                )
            yield from escaped_keys(child, (*path, key))
    elif isinstance(node.value, list):
        for at, child in enumerate(node.value):
            yield from escaped_keys(child, (*path, at))


def releases(drafts: Mapping[str, Draft], addons: Mapping[str, Addon]) -> Iterator[Finding]:
    """Two add-ons must not share a release name within a namespace."""
    first: dict[tuple[str, str], Addon] = {}
    for name, addon in addons.items():
        other = first.setdefault((addon.namespace, addon.release), addon)
        if other is not addon:
            yield Finding(
                "SLW-1205",
                f"release {addon.release!r} in namespace {addon.namespace!r} is that of {other.name!r} too "
                f"({other.position})",
                drafts[name].path,
                addon.position,
                advice="give one of them another 'release' or 'namespace'",
            )


def ownership(drafts: Mapping[str, Draft], evaluation: Evaluation) -> Iterator[Finding]:
    """Kubespray must not install what an add-on installs."""
    for draft in drafts.values():
        for name in draft.entry.texts("kubespray") if draft.entry else ():
            variable = evaluation.scope.variable(name)
            if variable is None or not _truthy(evaluation.quiet(variable.node)):
                continue
            yield Finding(
                "SLW-1206",
                f"{name} is on ({variable.node.position}): Kubespray would install this too",
                draft.path,
                draft.position,
                advice=f"set {name}: false, or take the add-on out",
            )


def hooks(addons: Mapping[str, Addon], look: Callable[[str], tuple[Position, str] | None]) -> Iterator[Finding]:
    """Tasks that Ansible could not read when their turn comes."""
    for addon in addons.values():
        for hook in addon.hooks:
            problem = look(hook.file)
            if problem is not None:
                position, message = problem
                path = ("slipway_addons", addon.name, "hooks", hook.event)
                yield Finding("SLW-1413", f"{hook.written!r} cannot be read: {message}", path, position)


def _truthy(value: JSON) -> bool:
    return value.strip().lower() in TRUE_WORDS if isinstance(value, str) else bool(value)


def capabilities(node: Node | None) -> tuple[frozenset[str], list[Finding]]:
    """slipway_capabilities: what the cluster has without us."""
    path: KeyPath = ("slipway_capabilities",)
    if node is None or node.value is None:
        return frozenset(), []
    if not isinstance(node.value, list):
        return frozenset(), [
            Finding(
                "SLW-1002",
                "is not a list",
                path,
                node.position,
                advice="write a list of names: [default-storage-class]",
            )
        ]
    findings = [
        Finding("SLW-1002", "is not text", (*path, at), item.position)
        for at, item in enumerate(node.value)
        if not item.failed and not isinstance(item.value, str)
    ]
    return frozenset(item.value for item in node.value if isinstance(item.value, str)), findings


def texts_of(nodes: Iterable[Node]) -> set[str]:
    """The secret scalars below ``nodes`` as text, those of four characters and more."""
    found: set[str] = set()
    for node in nodes:
        for _path, leaf in node.walk():
            if leaf.secret and isinstance(leaf.value, (str, int, float)) and not isinstance(leaf.value, bool):
                text = str(leaf.value)
                if len(text) >= SHORTEST_SECRET and (leaf.literal or not is_template(text)):
                    found.add(text)
    return found
