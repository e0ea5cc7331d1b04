# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Whether Kubernetes can go from where it is to where it shall be, in one step, and what is left to do. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .api_removals import Used, gone_in
from .api_usage import Asked
from .batches import batches
from .model import CONTROL_PLANE, Actual
from .problem import Problem, Severity
from .versions import Version, minors_between, parse

KUBELET_SKEW = 3
"""Minor versions that a kubelet may be older than the API server (https://kubernetes.io/releases/version-skew-policy)."""


@dataclass(frozen=True)
class Offer:
    """What the installed Kubespray can do: its own version, the lowest one of Kubernetes that it takes
    (``kube_version_min_required``), and those that it has checksums of. All without ``v``."""

    kubespray: str
    lowest: str
    versions: Sequence[str]


@dataclass(frozen=True)
class Running:
    """What there is. ``server``: version of the API server that answered; ``servers``: of each control plane node where
    that is known. ``kubespray``: the one that the record names, empty where none does."""

    server: str
    nodes: Mapping[str, Actual]
    servers: Mapping[str, str] = field(default_factory=dict)
    kubespray: str = ""


@dataclass(frozen=True)
class Left:
    """What an upgrade still has to do: control plane nodes one by one, then workers in batches. ``done`` are there."""

    control_plane: tuple[str, ...]
    workers: tuple[tuple[str, ...], ...]
    done: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.control_plane or self.workers)


def check_path(running: Running, target: str, offer: Offer, *, where: str = "") -> list[Problem]:
    """``target``: version of Kubernetes, ``v`` or not. ``where`` it was written."""
    wanted = parse(target)
    if wanted is None:
        remedy = "give major, minor and patch, for example 1.35.4"
        return [Problem("SLW-8501", f"kube_version is {target!r}, which is no version", remedy, where)]
    known = sorted(version for version in map(parse, offer.versions) if version is not None)
    problems = list(_offered(wanted, known, offer, where))
    servers = _servers(running)
    if not servers:
        problems.append(Problem("SLW-8501", f"the API server calls itself {running.server!r}, which is no version"))
        return problems
    problems += _step(servers, wanted, known, where)
    problems += _skew(running, servers[0], wanted, where)
    problems += _kubespray_step(running, offer)
    return problems


def api_problems(used: Iterable[Used], asked: Iterable[Asked], target: str) -> list[Problem]:
    """Versions of APIs that the target no longer serves: an error where a release of ours has them, since its next
    upgrade would fail; a warning where somebody else asks for them. The server counts from its start."""
    wanted = parse(target)
    if wanted is None:
        return []
    problems = []
    for one, removed in gone_in(used, wanted.minor):
        message = f"{one.by} is {one.api_version}, which Kubernetes 1.{removed.minor} no longer serves"
        remedy = (
            f"use {removed.instead}: upgrade the add-on first" if removed.instead else "nothing follows it: remove it"
        )
        problems.append(Problem("SLW-8507", message, remedy))
    for question in asked:
        if question.minor <= wanted.minor:
            message = f"somebody asks for {question.resource}, which Kubernetes 1.{question.minor} no longer serves"
            remedy = "the audit log says who; it counts since the API server's start"
            problems.append(Problem("SLW-8507", message, remedy, severity=Severity.WARNING))
    return problems


def left(running: Running, target: str, order: Sequence[str], batch: object) -> Left:
    """``order``: hosts of the inventory that are nodes, control plane first as Kubespray goes. ``batch``: how many
    workers at the same time. Raises ``NodesError`` SLW-8420."""
    wanted = parse(target)
    nodes = [running.nodes[name] for name in order if name in running.nodes]
    behind = [node for node in nodes if _is_behind(node, running, wanted)]
    control_plane = tuple(node.name for node in behind if CONTROL_PLANE in node.roles)
    workers = [node.name for node in behind if CONTROL_PLANE not in node.roles]
    every = sum(CONTROL_PLANE not in node.roles for node in nodes)
    # A percentage is of all workers: a run that goes on takes batches as large as the first one did.
    size = batches([""] * every, batch, variable="slipway_upgrade_batch")[0] if every else []
    groups = [tuple(workers[start : start + len(size)]) for start in range(0, len(workers), len(size) or 1)]
    return Left(control_plane, tuple(groups), tuple(node.name for node in nodes if node not in behind))


def _is_behind(node: Actual, running: Running, wanted: Version | None) -> bool:
    if parse(node.kubelet) != wanted:
        return True
    server = running.servers.get(node.name)
    return server is not None and parse(server) != wanted


def _servers(running: Running) -> list[Version]:
    """The API servers' versions, oldest first: an upgrade that died leaves some behind."""
    found = [parse(text) for text in (running.server, *running.servers.values())]
    return sorted(version for version in found if version is not None)


def _offered(wanted: Version, known: Sequence[Version], offer: Offer, where: str) -> Iterator[Problem]:
    lowest = parse(offer.lowest)
    same = [version for version in known if version.line == wanted.line]
    if lowest is not None and wanted < lowest:
        message = f"Kubespray {offer.kubespray} takes Kubernetes from {lowest}, and kube_version is {wanted}"
        yield Problem("SLW-8502", message, "use an older Kubespray for this step", where)
    elif known and wanted not in known:
        message = f"Kubespray {offer.kubespray} does not know Kubernetes {wanted}"
        remedy = f"it knows {same[-1]}" if same else f"it knows {known[0]} to {known[-1]}"
        yield Problem("SLW-8502", message, remedy, where)


def _step(servers: Sequence[Version], wanted: Version, known: Sequence[Version], where: str) -> Iterator[Problem]:
    old, newest = servers[0], servers[-1]
    if wanted < newest:
        message = f"the cluster runs {newest}, and kube_version is {wanted}: Kubernetes does not go back"
        yield Problem("SLW-8503", message, f"set kube_version: {newest}, or restore a snapshot of etcd", where)
        return
    steps = minors_between(old, wanted)
    if steps is not None and steps <= 1:
        return
    between = []
    for minor in range(old.minor + 1, wanted.minor):
        patches = [version for version in known if version.line == (old.major, minor)]
        between.append(str(patches[-1]) if patches else f"{old.major}.{minor} (with an older Kubespray)")
    message = f"from {old} to {wanted} are {steps or 'more than'} minor versions, and one at a time is allowed"
    yield Problem("SLW-8504", message, f"go by {', then '.join(between)}" if between else "", where)


def _skew(running: Running, old: Version, wanted: Version, where: str) -> Iterator[Problem]:
    """Kubelets may be a few minors older than any API server that they speak to, and never newer."""
    servers = [version for version in map(parse, running.servers.values()) if version is not None]
    if servers and (minors_between(min(servers), max(servers)) or 0) > 1:
        message = f"API servers are at {min(servers)} and {max(servers)}: more than one minor apart"
        yield Problem("SLW-8506", message, "bring the older ones forward first", where)
    for node in running.nodes.values():
        kubelet = parse(node.kubelet)
        if kubelet is None:
            continue
        behind = minors_between(kubelet, wanted)
        if behind is None or behind > KUBELET_SKEW:
            message = (
                f"the kubelet of {node.name} is {kubelet}, more than {KUBELET_SKEW} minor versions behind {wanted}"
            )
            remedy = f"bring it to {old} first, or remove the node"
            yield Problem("SLW-8505", message, remedy, where, node.name)
        elif kubelet.line > max(old, wanted).line:
            message = f"the kubelet of {node.name} is {kubelet}, newer than the API server would be ({wanted})"
            yield Problem("SLW-8505", message, f"set kube_version to {kubelet} or later", where, node.name)


def _kubespray_step(running: Running, offer: Offer) -> Iterator[Problem]:
    """Kubespray wants its own versions taken one by one, since each cleans up after the one before."""
    before, now = parse(running.kubespray), parse(offer.kubespray)
    if before is None or now is None:
        return
    steps = minors_between(before, now)
    if steps is None or not 0 <= steps <= 1:
        message = f"the cluster was built by Kubespray {before}, and {now} is installed"
        remedy = "its upgrades are tested from one version to the next; read the notes of those between"
        yield Problem("SLW-8508", message, remedy, severity=Severity.WARNING)
