# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Labels, taints and annotations that the inventory wants on nodes: read and checked, all problems at once.

The formats are Kubespray's: ``node_labels`` is a mapping, ``node_taints`` a list of ``key=value:Effect``, and
``node_annotations``, which Kubespray does not know, a mapping like the labels.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from .problem import Problem, Severity

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
OWN_PREFIX = "slipway.cluster/"
ANNOTATIONS_MOST = 256 * 1024
"""Bytes that Kubernetes allows for all annotations of an object together."""

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_PREFIX = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_LETTERS = "letters, digits, '-', '_' and '.', a letter or digit at both ends"
_KEPT_BY_OTHERS = {
    "kubernetes.io/hostname": "kubelet",
    "kubernetes.io/os": "kubelet",
    "kubernetes.io/arch": "kubelet",
    "beta.kubernetes.io/os": "kubelet",
    "beta.kubernetes.io/arch": "kubelet",
    "node-role.kubernetes.io/control-plane": "kubeadm",
    "kubeadm.alpha.kubernetes.io/cri-socket": "kubeadm",
    "node.alpha.kubernetes.io/ttl": "kube-controller-manager",
    "volumes.kubernetes.io/controller-managed-attach-detach": "kubelet",
}
_CONDITIONS = frozenset(
    f"node.kubernetes.io/{name}"
    for name in (
        "not-ready", "unreachable", "memory-pressure", "disk-pressure", "pid-pressure", "network-unavailable",
        "unschedulable",
    )
)  # fmt: skip
"""Taints that Kubernetes sets and takes away by the node's condition."""


@dataclass(frozen=True, order=True)
class Taint:
    """``value`` may be empty. Kubernetes tells taints apart by key and effect."""

    key: str
    value: str
    effect: str

    @property
    def identity(self) -> tuple[str, str]:
        return self.key, self.effect

    def __str__(self) -> str:
        return f"{self.key}={self.value}:{self.effect}"


@dataclass(frozen=True)
class Marks:
    """What one node is to bear."""

    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.labels or self.taints or self.annotations)


def read_marks(
    labels: object, taints: object, annotations: object, *, host: str, where: str = ""
) -> tuple[Marks, list[Problem]]:
    """What the three variables of one host say, and everything that is wrong with them. None is nothing wanted."""
    reader = _Reader(host, where)
    marks = Marks(
        labels=reader.mapping("node_labels", labels),
        taints=reader.taints(taints),
        annotations=reader.mapping("node_annotations", annotations),
    )
    return marks, reader.problems


def parse_taint(text: str) -> Taint | None:
    """``key=value:Effect`` or ``key:Effect``; None for anything else. The effect is not looked at."""
    left, colon, effect = text.rpartition(":")
    key, _equals, value = left.partition("=")
    return Taint(key, value, effect) if colon and key and effect else None


class _Reader:
    def __init__(self, host: str, where: str) -> None:
        self._host = host
        self._where = where
        self.problems: list[Problem] = []

    def mapping(self, variable: str, given: object) -> dict[str, str]:
        if given is None or given == "":
            return {}
        if not isinstance(given, Mapping):
            self._add("SLW-8601", f"{variable} is {_kind(given)}, not a mapping", "write it as key: value")
            return {}
        found = {}
        for key, value in given.items():
            text = self._text(variable, str(key), value)
            if text is not None and self._usable(variable, str(key), text):
                found[str(key)] = text
        if (
            variable == "node_annotations"
            and sum(len(k) + len(v.encode()) for k, v in found.items()) > ANNOTATIONS_MOST
        ):
            self._add(
                "SLW-8603", f"node_annotations are larger than {ANNOTATIONS_MOST} bytes", "keep large data elsewhere"
            )
        return found

    def taints(self, given: object) -> tuple[Taint, ...]:
        if given is None or given == "":
            return ()
        if not isinstance(given, (list, tuple)):
            # Kubespray takes no notice of it then, and says nothing.
            self._add("SLW-8601", f"node_taints is {_kind(given)}, not a list", "write each as - key=value:Effect")
            return ()
        found: dict[tuple[str, str], Taint] = {}
        for entry in given:
            taint = self._taint(entry)
            if taint is None:
                continue
            other = found.setdefault(taint.identity, taint)
            if other != taint:
                message = f"node_taints has {other} and {taint}"
                self._add("SLW-8605", message, "a node bears one taint of a key and effect: take one out")
        return tuple(found.values())

    def _taint(self, entry: object) -> Taint | None:
        if not isinstance(entry, str):
            self._add("SLW-8604", f"{entry!r} in node_taints is {_kind(entry)}", "write it as key=value:Effect")
            return None
        taint = parse_taint(entry.strip())
        if taint is None:
            self._add("SLW-8604", f"{entry!r} in node_taints has no key or no effect", "write it as key=value:Effect")
            return None
        wrong = _key_problem(taint.key) or _value_problem(taint.value)
        if wrong:
            self._add("SLW-8604", f"{entry!r} in node_taints: {wrong}")
            return None
        if taint.effect not in EFFECTS:
            self._add(
                "SLW-8604", f"{entry!r} in node_taints: there is no effect {taint.effect!r}", _effect(taint.effect)
            )
            return None
        if taint.key in _CONDITIONS:
            remedy = "take it out; to keep pods away from a node, use a key of your own, or kubectl cordon"
            self._add("SLW-8606", f"{entry!r} in node_taints: Kubernetes sets and takes {taint.key} by itself", remedy)
            return None
        return taint

    def _text(self, variable: str, key: str, value: object) -> str | None:
        if isinstance(value, str):
            return value
        if value is None:
            return ""
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        remedy = f'in quotes it is text: {key}: "…"' if isinstance(value, (bool, float)) else "give text"
        self._add("SLW-8602", f"{key} in {variable} is {_kind(value)} ({value!r})", remedy)
        return None

    def _usable(self, variable: str, key: str, value: str) -> bool:
        wrong = _key_problem(key) or (_value_problem(value) if variable == "node_labels" else "")
        if wrong:
            self._add("SLW-8603", f"{key!r} in {variable}: {wrong}")
            return False
        if key.startswith(OWN_PREFIX):
            self._add("SLW-8606", f"{key} in {variable}: {OWN_PREFIX}… is where this collection remembers what it did")
            return False
        keeper = _KEPT_BY_OTHERS.get(key)
        if keeper:
            message = f"{key} in {variable} is kept by {keeper} and left to it"
            self._add("SLW-8606", message, "take it out", Severity.WARNING)
            return False
        return True

    def _add(self, code: str, message: str, remedy: str = "", severity: Severity = Severity.ERROR) -> None:
        self.problems.append(Problem(code, message, remedy, self._where, self._host, severity))


def _key_problem(key: str) -> str:
    prefix, slash, name = key.rpartition("/")
    if slash and not (len(prefix) <= 253 and _PREFIX.fullmatch(prefix)):
        return f"{prefix!r} before the slash is no DNS name in lower case"
    if not _NAME.fullmatch(name):
        return f"{name!r} is not 1 to 63 {_LETTERS}"
    return ""


def _value_problem(value: str) -> str:
    if value and not _NAME.fullmatch(value):
        return f"the value {value!r} is neither empty nor 1 to 63 {_LETTERS}"
    return ""


def _effect(given: str) -> str:
    by_fold = {effect.lower(): effect for effect in EFFECTS}
    near = difflib.get_close_matches(given.lower(), by_fold, n=1, cutoff=0.6)
    return f"did you mean {by_fold[near[0]]!r}?" if near else f"give {', '.join(EFFECTS[:-1])} or {EFFECTS[-1]}"


def _kind(value: object) -> str:
    names = {str: "text", bool: "a truth value", int: "a number", float: "a number", list: "a list", dict: "a mapping"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), type(value).__name__)
