# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The entry point: from Ansible's variables to a checked and resolved manifest. Pure, but for reading catalogs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from . import check, hints
from .catalog import load as load_catalog
from .draft import ROOT, Draft, drafts
from .errors import FindingsError
from .evaluate import Evaluation
from .evaluator import Evaluator, Raw, Variable
from .finding import Finding, KeyPath, Level, Position, errors
from .layers import merged
from .model import JSON, Addon, Manifest
from .node import Node
from .output import LookOf, unseen
from .outputs import Outputs
from .references import SHARED
from .relations import relate
from .resolve import resolve, uses_of, values_of
from .scope import Scope
from .shared import evaluate_shared

MASK = "********"


def _no_names() -> Iterable[str]:
    return ()


@dataclass(frozen=True)
class ManifestInput:
    """Everything that ``load`` reads.

    ``variables``: slipway_name, slipway_addons, slipway_values, their layers, and slipway_capabilities, as written.
    ``catalogs``: folders of catalog entries. ``files_dir``: what relative paths of sources start from.
    ``raw``: any other Ansible variable, untemplated. ``names``: the names of all of them, for advice.
    ``nodes``: makes ``slipway_nodes``; called at most once, and only if an expression reads it.
    ``outputs``: begins a look at the cluster for outputs of add-ons; None: nothing is looked for.
    ``findings``: what reading the variables has found already. ``tasks``: a second look at a hook's file of tasks; it
    tells where and why the file cannot be read.
    """

    variables: Sequence[Variable]
    evaluator: Evaluator
    raw: Raw
    catalogs: Sequence[str] = ()
    files_dir: str = "."
    nodes: Callable[[], Mapping[str, JSON]] | None = None
    outputs: LookOf = None
    names: Callable[[], Iterable[str]] = _no_names
    findings: tuple[Finding, ...] = ()
    tasks: Callable[[str], tuple[Position, str] | None] = lambda file: None


def load(given: ManifestInput) -> tuple[Manifest | None, list[Finding]]:
    """``Loader.load``, for those who need no second look at outputs."""
    return Loader(given).load()


class Loader:
    """Reads the manifest. All but outputs of add-ons is evaluated once, when this is made; threads take turns.

    Making one raises only what ``given.nodes`` raises.
    """

    def __init__(self, given: ManifestInput) -> None:
        self._given = given
        self._turn = threading.Lock()
        self._broken: set[str] = set()
        """Add-ons of the last look that hold values which could not be evaluated."""
        self._evaluation = evaluation = Evaluation(
            given.evaluator, Scope(given.raw), given.nodes, frozenset(given.names())
        )
        findings = self._findings = list(given.findings)
        single = {variable.name: variable for variable in given.variables}

        def expand(variable: Variable) -> Node:
            return evaluation.tree(variable.node, (variable.name,))

        self._written_shared = merged(SHARED, given.variables, expand, findings)
        self._shared = evaluate_shared(self._written_shared, evaluation)
        self._written = merged(ROOT, given.variables, expand, findings)
        self._tree = evaluation.tree(self._written, (ROOT,))
        self._name, wrong = check.cluster_name(expand(single["slipway_name"]) if "slipway_name" in single else None)
        findings += wrong
        cluster = expand(single["slipway_capabilities"]) if "slipway_capabilities" in single else None
        self._cluster, wrong = check.capabilities(cluster)
        findings += wrong
        self._entries, wrong = load_catalog(given.catalogs)
        findings += wrong
        findings += check.places_of_outputs(evaluation)

    def load(self) -> tuple[Manifest | None, list[Finding]]:
        """The manifest, or None if there are errors; and all findings, hints included, in the order of their places.

        Never raises on bad input; only looking for outputs may raise, with its own errors.
        """
        with self._turn:
            manifest, findings = self._look()
        return None if errors(findings) else manifest, findings

    def again(self, name: str) -> Manifest:
        """The manifest with outputs as they are now, sure to be right for the add-on ``name`` only: what others need
        may not be there yet. Without a name, for all. Raises ``FindingsError`` when something is wrong."""
        with self._turn:
            manifest, findings = self._look()
            broken = name in self._broken
        mine = [f for f in findings if f.path[:2] == (ROOT, name) or (broken and f.path[:1] == (SHARED,)) or not name]
        if errors(mine):
            raise FindingsError(mine)
        return manifest

    def _look(self) -> tuple[Manifest, list[Finding]]:
        given, evaluation, tree = self._given, self._evaluation, self._tree
        findings = list(self._findings)
        enabled, dropped, wrong = drafts(tree, self._entries)
        outputs = Outputs(enabled, dropped, self._cluster, given.outputs() if given.outputs else unseen)
        evaluation.with_outputs(outputs)
        if evaluation.waiting:
            self._shared.finish()
            for path, node in evaluation.waiting.items():
                if path[0] == ROOT and len(path) > 1:
                    tree = tree.put(path[1:], evaluation.leaf(node, path))
            enabled, dropped, wrong = drafts(tree, self._entries)
        findings += wrong
        self._broken = {name for name in enabled if any(leaf.failed for _path, leaf in tree.map()[name].walk())}
        values = {name: values_of(draft, outputs, findings) for name, draft in enabled.items()}
        findings += outputs.findings
        relations, wrong = relate(enabled, self._entries, dropped, self._cluster, uses_of(enabled, values))
        findings += wrong
        addons, wrong = resolve(enabled, relations, values, outputs, Path(given.files_dir))
        findings += wrong
        findings += self._checked(tree, enabled, dropped, addons)
        findings += evaluation.findings

        secret = [self._shared.tree, tree, *evaluation.secret_nodes()]
        secrets = tuple(sorted(check.texts_of(secret), key=lambda s: (-len(s), s)))
        findings = sorted({masked(finding, secrets) for finding in findings}, key=lambda f: f.sort_key)
        advice = tuple(finding for finding in findings if finding.level is Level.HINT)
        present = tuple(sorted(outputs.present))
        return Manifest(self._name, addons, secrets, advice, dropped, evaluation.uses_nodes, present), findings

    def _checked(
        self, tree: Node, enabled: Mapping[str, Draft], dropped: Sequence[str], addons: Mapping[str, Addon]
    ) -> Iterator[Finding]:
        """What is checked on the whole manifest."""
        shared, evaluation = self._shared.tree, self._evaluation
        known: set[KeyPath] = set()
        yield from check.placeholders(self._written_shared, shared, SHARED, evaluation, known)
        live = Node({key: child for key, child in tree.map().items() if key not in dropped}, tree.position)
        yield from check.placeholders(self._written, live, ROOT, evaluation, known)
        yield from check.escaped_keys(self._written_shared, (SHARED,))
        yield from check.escaped_keys(self._written, (ROOT,))
        yield from check.releases(enabled, addons)
        yield from check.ownership(enabled, evaluation)
        yield from check.hooks(addons, self._given.tasks)
        yield from hints.unused(shared, evaluation)
        yield from hints.repeated(enabled, self._written)


def masked(finding: Finding, secrets: Sequence[str]) -> Finding:
    """The finding without secret values, wherever they might have got into its sentences."""
    message, advice = finding.message, finding.advice
    for secret in secrets:
        message, advice = message.replace(secret, MASK), advice.replace(secret, MASK)
    return replace(finding, message=message, advice=advice)
