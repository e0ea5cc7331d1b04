# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What stands in the rendered history: for each add-on its files by path, and the objects that are left out.

Below ``objects/`` lies what may be applied as it is: whole objects, no secret value, no hook. A Secret without its
data, or with stars in it, would overwrite the live one; so it is left out, and the index says so.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...kube.objects import Json, ObjectId, object_id
from ..desired import CRDS, CUSTOM, NAMESPACES, WEBHOOKS, WORKLOADS, Desired
from ..finding import KeyPath, format_path
from ..masking import Masker
from ..model import JSON, Addon, ChartSource, KustomizeSource, ManifestsSource
from ..plan import Action, AddonPlan, Op
from ..sources.yaml import pretty

OBJECTS, HOOKS, NAMESPACES_OF_RELEASES = "objects", "hooks", "_namespaces"
_LONGEST = 200
"""Characters of a file's name before its suffix: file systems take 255 bytes."""


@dataclass
class Branch:
    """One add-on's part. ``files``: path below the folder → text. ``left_out``: object → why. ``about``: its index."""

    name: str
    files: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    about: dict[str, JSON] = field(default_factory=dict)


def branches(plans: Iterable[AddonPlan], masker: Masker, base: Path, done: frozenset[str]) -> list[Branch]:
    """A branch for each add-on that was rendered.

    ``base``: what the paths of sources are told relative to. ``done``: add-ons that have been applied from this plan.
    """
    return [_branch(plan, masker, base, plan.name in done) for plan in plans if _is_told(plan)]


def namespaces(plans: Iterable[AddonPlan], made: Collection[str]) -> Branch:
    """The namespaces that no add-on renders: a branch of their own, because several add-ons may live in one.

    ``made``: those that Slipway has made. One that was there before is nobody's to apply, or to prune.
    """
    spaces = Branch(NAMESPACES_OF_RELEASES)
    spaces.about = {"namespaces": "of releases; no add-on renders them, and several may share one"}
    for plan in plans:
        for item in plan.objects if _is_told(plan) else ():
            if item.desired is None or not item.desired.bare:
                continue
            if item.op is Op.CREATE or item.id.name in made:
                spaces.files[f"{OBJECTS}/{NAMESPACES_OF_RELEASES}/{item.id.name}.yaml"] = pretty(item.desired.body)
    return spaces


def rendered_namespaces(paths: Iterable[str]) -> set[str]:
    """Names of the namespaces that add-ons render, from the paths of their files."""
    found = (re.fullmatch(rf"{OBJECTS}/[^/]+/{_prefix(NAMESPACES)}-namespace-(.+)\.yaml", path) for path in paths)
    return {match[1] for match in found if match}


def _is_told(plan: AddonPlan) -> bool:
    """A plan that stopped before it looked at objects, or has stand-ins for outputs, says nothing about them: what is
    in the folder stays."""
    return (
        plan.addon is not None
        and not plan.addon.unknown
        and plan.rendered is not None
        and not (plan.action is Action.BLOCKED and not plan.objects)
    )


def _desired(plan: AddonPlan) -> Iterator[Desired]:
    return (item.desired for item in plan.objects if item.desired is not None and not item.desired.bare)


def _branch(plan: AddonPlan, masker: Masker, base: Path, done: bool) -> Branch:
    addon = plan.wanted
    branch = Branch(plan.name)
    chance = _by_chance(plan)
    files: list[tuple[str, Json]] = []
    shared = {item.id: item.note for item in plan.objects if item.op is Op.SHARED}
    created = {item.id for item in plan.objects if item.op is Op.CREATE}
    for desired in _desired(plan):
        unknown = desired.id in chance and desired.id in created and not done
        reason = shared.get(desired.id) or why_left_out(desired.body, masker, by_chance=unknown)
        if reason:
            branch.left_out[masker.text(str(desired.id))] = reason
        else:
            files.append((f"{OBJECTS}/{plan.name}/{_name(desired.id, desired.rank)}", desired.body))
    for hook in plan.output.hooks:
        identity = object_id(hook.object)
        reason = why_left_out(hook.object, masker, by_chance=identity in chance)
        if reason:
            branch.left_out[masker.text(f"hook {identity}")] = reason
        else:
            files.append((f"{HOOKS}/{plan.name}/{_file_name(identity)}", hook.object))
    branch.files = {path: pretty(body) for path, body in _distinct(files)}
    branch.about = masker.value(_about(addon, plan, base))
    return branch


def why_left_out(body: Json, masker: Masker, *, by_chance: bool) -> str:
    """Why an object cannot stand in the history, or nothing."""
    if body.get("kind") == "Secret" and body.get("apiVersion") == "v1":
        return "is a Secret"
    place = _masked_at(body, masker, ())
    if place is not None:
        return f"{format_path(place)} holds a secret value"
    return "the chart makes a value of it by chance: it is known once it is installed" if by_chance else ""


def _masked_at(value: JSON, masker: Masker, path: KeyPath) -> KeyPath | None:
    """The first place that the masker would hide."""
    children: Iterable[tuple[str | int, JSON]] = ()
    if isinstance(value, dict):
        hidden = next((key for key in value if masker.text(str(key)) != key), None)
        if hidden is not None:
            return path
        children = sorted(value.items())
    elif isinstance(value, list):
        children = enumerate(value)
    else:
        return path if masker.value(value) != value else None
    found = (_masked_at(child, masker, (*path, key)) for key, child in children)
    return next((place for place in found if place is not None), None)


def _by_chance(plan: AddonPlan) -> set[ObjectId]:
    """Objects with a value that differs from render to render."""
    written = [identity for identity, _path in plan.output.random]
    return {*written, *(_in_namespace(identity, plan.wanted) for identity in written)}


def _in_namespace(identity: ObjectId, addon: Addon) -> ObjectId:
    return replace(identity, namespace=identity.namespace or addon.namespace)


def _about(addon: Addon, plan: AddonPlan, base: Path) -> dict[str, JSON]:
    told: dict[str, JSON] = {"source": _source(addon, base), "namespace": addon.namespace}
    if plan.output.version:
        told["version"] = plan.output.version
    if addon.catalog:
        told["catalog"] = addon.catalog
    if isinstance(addon.source, ChartSource):
        told["release"] = addon.release
    if addon.depends:
        told["depends"] = sorted(addon.depends)
    return told


def _source(addon: Addon, base: Path) -> str:
    """In one line, the same on every machine that has the same files."""
    source = addon.source
    if isinstance(source, ChartSource):
        return f"chart {_relative(source.path, base) if source.path else f'{source.repo} {source.name}'}"
    if isinstance(source, KustomizeSource):
        return f"kustomize {_relative(source.path, base)}"
    if isinstance(source, ManifestsSource):
        return f"manifests {', '.join(_relative(path, base) for path in source.paths)}"
    return "objects"


def _relative(path: str, base: Path) -> str:
    return os.path.relpath(path, base)


def _name(identity: ObjectId, rank: int) -> str:
    """Sorted by name is the order of applying: CRDs, namespaces, what pods refer to, pods, custom resources, hooks
    into the API server."""
    if rank == CRDS:
        return f"00-crds/{_file_name(identity, short=True)}"
    return f"{_prefix(rank)}-{_file_name(identity)}"


def _prefix(rank: int) -> str:
    stages = {NAMESPACES: "10", WORKLOADS: "30", CUSTOM: "40", WEBHOOKS: "50"}
    return stages.get(rank, "20")


def _file_name(identity: ObjectId, *, short: bool = False) -> str:
    parts = [identity.name] if short else [identity.kind.lower(), identity.namespace, identity.name]
    stem = re.sub(r"[^A-Za-z0-9._-]", "_", "-".join(part for part in parts if part))
    return f"{stem}.yaml" if len(stem) <= _LONGEST else f"{stem[:_LONGEST]}-{_mark(identity)}.yaml"


def _mark(identity: ObjectId) -> str:
    return hashlib.sha256(repr(identity).encode()).hexdigest()[:8]


def _distinct(files: list[tuple[str, Json]]) -> Iterator[tuple[str, Json]]:
    """Two objects whose names fall together, also where case does not count, are told apart by a mark."""
    seen: dict[str, int] = {}
    for path, _body in files:
        seen[path.lower()] = seen.get(path.lower(), 0) + 1
    for path, body in files:
        alone = seen[path.lower()] == 1
        yield path if alone else f"{path.removesuffix('.yaml')}-{_mark(object_id(body))}.yaml", body
