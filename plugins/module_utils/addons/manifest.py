# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The entry point: from Ansible's variables to a checked and resolved manifest. Pure, but for reading catalogs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from . import check, hints
from .catalog import load as load_catalog
from .draft import ROOT, drafts
from .evaluate import Evaluation
from .evaluator import Evaluator, Raw, Variable
from .finding import Finding, Level, Position
from .layers import merged
from .model import JSON, Manifest
from .node import Node
from .references import SHARED
from .relations import relate
from .resolve import resolve
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
    ``findings``: what reading the variables has found already. ``tasks``: a second look at a hook's file of tasks; it
    tells where and why the file cannot be read.
    """

    variables: Sequence[Variable]
    evaluator: Evaluator
    raw: Raw
    catalogs: Sequence[str] = ()
    files_dir: str = "."
    nodes: Callable[[], Mapping[str, JSON]] | None = None
    names: Callable[[], Iterable[str]] = _no_names
    findings: tuple[Finding, ...] = ()
    tasks: Callable[[str], tuple[Position, str] | None] = lambda file: None


def load(given: ManifestInput) -> tuple[Manifest | None, list[Finding]]:
    """The manifest, or None if there are errors; and all findings, hints included, in the order of their places.

    Never raises on bad input; only ``given.nodes`` may raise, with its own errors.
    """
    findings: list[Finding] = list(given.findings)
    evaluation = Evaluation(given.evaluator, Scope(given.raw), given.nodes, frozenset(given.names()))
    single = {variable.name: variable for variable in given.variables}

    def expand(variable: Variable) -> Node:
        return evaluation.tree(variable.node, (variable.name,))

    written_shared = merged(SHARED, given.variables, expand, findings)
    shared = evaluate_shared(written_shared, evaluation)
    written = merged(ROOT, given.variables, expand, findings)
    tree = evaluation.tree(written, (ROOT,))
    name_node = expand(single["slipway_name"]) if "slipway_name" in single else None
    cluster_node = expand(single["slipway_capabilities"]) if "slipway_capabilities" in single else None

    name, wrong = check.cluster_name(name_node)
    findings += wrong
    cluster, wrong = check.capabilities(cluster_node)
    findings += wrong
    entries, wrong = load_catalog(given.catalogs)
    findings += wrong
    enabled, dropped, wrong = drafts(tree, entries)
    findings += wrong
    relations, wrong = relate(enabled, entries, dropped, cluster)
    findings += wrong
    addons, wrong = resolve(enabled, relations, Path(given.files_dir))
    findings += wrong

    known: set[tuple[str | int, ...]] = set()
    findings += check.placeholders(written_shared, shared, SHARED, evaluation, known)
    live = Node({key: child for key, child in tree.map().items() if key not in dropped}, tree.position)
    findings += check.placeholders(written, live, ROOT, evaluation, known)
    findings += check.escaped_keys(written_shared, (SHARED,))
    findings += check.escaped_keys(written, (ROOT,))
    findings += check.releases(enabled, addons)
    findings += check.ownership(enabled, evaluation)
    findings += check.hooks(addons, given.tasks)
    findings += hints.unused(shared, evaluation)
    findings += hints.repeated(enabled, written)
    findings += evaluation.findings

    secrets = tuple(sorted(check.texts_of([shared, tree, *evaluation.secret_nodes()]), key=lambda s: (-len(s), s)))
    findings = sorted({masked(finding, secrets) for finding in findings}, key=lambda f: f.sort_key)
    if any(finding.level is Level.ERROR for finding in findings):
        return None, findings
    advice = tuple(finding for finding in findings if finding.level is Level.HINT)
    present = tuple(sorted(relations.present))
    return Manifest(name, addons, secrets, advice, dropped, evaluation.uses_nodes, capabilities=present), findings


def masked(finding: Finding, secrets: Sequence[str]) -> Finding:
    """The finding without secret values, wherever they might have got into its sentences."""
    message, advice = finding.message, finding.advice
    for secret in secrets:
        message, advice = message.replace(secret, MASK), advice.replace(secret, MASK)
    return replace(finding, message=message, advice=advice)
