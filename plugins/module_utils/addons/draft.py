# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Drafts: the user's entries, checked in shape and joined with the catalog, not yet related to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from .catalog import Entry
from .definition import SOURCES, USER
from .finding import Finding, KeyPath, Position
from .names import ADDON_LENGTH, NAMESPACE_LENGTH, did_you_mean, label_problem, label_suggestion, nearest
from .node import Node, merge
from .shape import check

ROOT = "slipway_addons"
CRUCIAL = frozenset({*SOURCES, "use", "version"})
ADDED = ("requires", "after", "images", "patches")
LAID = ("chart", "wait", "remove", "hooks", "smoke", "outputs")
APART = ("values", "integrations", "replicas", "name", "description", "home", "kubespray")


@dataclass(frozen=True)
class Draft:
    """``user``: what the user wrote. ``entry``: the catalog entry in use. ``node``: both joined, without values.

    ``broken``: a finding about this add-on's source or shape exists; what merely follows from it is not reported.
    """

    name: str
    user: Node
    entry: Entry | None
    node: Node
    position: Position
    broken: bool = False

    @property
    def path(self) -> KeyPath:
        return (ROOT, self.name)

    def text(self, key: str, default: str = "") -> str:
        found = self.node.at((key,))
        return found.value if found is not None and isinstance(found.value, str) and not found.failed else default

    def flag(self, key: str, default: bool) -> bool:
        found = self.node.at((key,))
        return found.value if found is not None and isinstance(found.value, bool) else default

    def items(self, key: str) -> list[Node]:
        found = self.node.at((key,))
        return [child for child in found.value if not child.failed] if found and isinstance(found.value, list) else []

    def texts(self, key: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(child.value) for child in self.items(key)))

    def integrations(self) -> dict[str, Node]:
        """The entry's integrations by capability that the user has not switched off, in alphabetical order."""
        theirs = self.entry.node.at(("integrations",)) if self.entry else None
        mine = self.user.at(("integrations",))
        off = {key for key, child in (mine.map() if mine else {}).items() if child.value is False}
        return {key: child for key, child in sorted((theirs.map() if theirs else {}).items()) if key not in off}


def drafts(tree: Node, entries: Mapping[str, Entry]) -> tuple[dict[str, Draft], tuple[str, ...], list[Finding]]:
    """Drafts of the enabled add-ons, names of those switched off, and findings."""
    findings: list[Finding] = []
    enabled: dict[str, Draft] = {}
    dropped: list[str] = []
    for name, node in tree.map().items():
        path = (ROOT, name)
        problem = label_problem(name, ADDON_LENGTH)
        if problem:
            findings.append(
                Finding(
                    "SLW-1007",
                    f"the add-on's name {problem}",
                    path,
                    node.position,
                    advice=label_suggestion(name, ADDON_LENGTH),
                )
            )
        user, wrong = check(node, USER, path)
        findings.extend(wrong)
        switch = user.at(("enabled",))
        if switch is not None and switch.value is False:
            dropped.append(name)
            continue
        wrong_keys = {finding.path[2] for finding in wrong if len(finding.path) > 2}
        broken = node.failed or bool(wrong_keys & CRUCIAL) or any(len(finding.path) == 2 for finding in wrong)
        draft = _draft(name, node, user, entries, findings, broken)
        _check_names(draft, findings)
        enabled[name] = draft
    return enabled, tuple(dropped), findings


def _draft(
    name: str, written: Node, user: Node, entries: Mapping[str, Entry], findings: list[Finding], broken: bool
) -> Draft:
    path: KeyPath = (ROOT, name)
    sources = [key for key in SOURCES if key in written.map() and written.map()[key].value is not None]
    sources += [key for key in SOURCES if key in written.map() and written.map()[key].failed]
    use = user.at(("use",))
    wanted = str(use.value) if use is not None and not use.failed else name
    entry = entries.get(wanted) if use is not None or not sources else None
    clash = sources[1:] or ([sources[0]] if use is not None and sources and sources[0] != "chart" else [])
    if clash:
        other = sources[0] if sources[1:] else "use"
        findings.append(
            Finding(
                "SLW-1103",
                f"has the source {clash[0]!r} besides {other!r}",
                (*path, clash[0]),
                user.position_of((clash[0],)),
                advice="one add-on has one source; write two add-ons",
            )
        )
        broken = True
    elif use is not None and entry is None:
        if not use.failed:
            findings.append(
                Finding(
                    "SLW-1101",
                    f"the catalog has no entry {wanted!r}",
                    (*path, "use"),
                    use.position,
                    advice=did_you_mean(wanted, entries),
                )
            )
        broken = True
    elif not sources and entry is None:
        if not broken:
            findings.append(_sourceless(name, user, entries, written.position))
        broken = True
    integrations = user.at(("integrations",))
    known = (entry.node.at(("integrations",)) if entry else None) or Node({})
    for key, child in (integrations.map() if integrations else {}).items():
        if key not in known.map() and not broken:
            findings.append(
                Finding(
                    "SLW-1110",
                    f"there is no integration with {key!r} here",
                    (*path, "integrations", key),
                    child.position,
                    advice=did_you_mean(key, known.map()),
                )
            )
    return Draft(name, user, entry, _join(user, entry), written.position, broken)


def _sourceless(name: str, user: Node, entries: Mapping[str, Entry], position: Position) -> Finding:
    path = (ROOT, name)
    if nearest(name, entries) or not user.map():
        return Finding(
            "SLW-1101",
            f"the catalog has no entry {name!r}, and no source is given",
            path,
            position,
            advice=did_you_mean(name, entries) or "give a source: chart, kustomize, manifests or objects",
        )
    return Finding(
        "SLW-1102",
        "has no source, and the catalog has no entry of this name",
        path,
        position,
        advice="give chart, kustomize, manifests or objects, or name a catalog entry with 'use'",
    )


def _join(user: Node, entry: Entry | None) -> Node:
    """The entry's keys under the user's; what needs its own rules (values, integrations, replicas) is left out."""
    joined: dict[str, Node] = {}
    theirs = entry.node.map() if entry else {}
    for key in (*theirs, *(k for k in user.map() if k not in theirs)):
        if key in APART:
            continue
        under, over = theirs.get(key), user.map().get(key)
        if under is None or over is None:
            joined[key] = under or over or Node(None)
        elif key in ADDED and isinstance(under.value, list) and isinstance(over.value, list):
            joined[key] = replace(over, value=[*under.value, *over.value])
        elif key in LAID:
            joined[key] = merge(under, over)
        else:
            joined[key] = over
    return Node(joined, user.position)


def _check_names(draft: Draft, findings: list[Finding]) -> None:
    for key, length in (("namespace", NAMESPACE_LENGTH), ("release", ADDON_LENGTH)):
        found = draft.node.at((key,))
        if found is None or found.failed or not isinstance(found.value, str):
            continue
        problem = label_problem(found.value, length)
        if problem:
            findings.append(
                Finding(
                    "SLW-1007",
                    f"{key} {'' if found.secret else repr(found.value) + ' '}{problem}",
                    (*draft.path, key),
                    found.position,
                    advice="" if found.secret else label_suggestion(found.value, length),
                )
            )


def folder_of(draft: Draft, key: str, files_dir: Path) -> Path:
    """What a relative path in ``key`` starts from: the entry's own folder for what the entry wrote."""
    return draft.entry.folder if draft.entry is not None and key not in draft.user.map() else files_dir
