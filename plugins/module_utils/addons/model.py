# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a resolved manifest is: plain typed data, with no template and no catalog reference left in it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Union

from .finding import NOWHERE, Finding, KeyPath, Position

JSON = Any
"""A value as it stands in JSON: dict, list, str, int, float, bool or None."""


@dataclass(frozen=True)
class ChartSource:
    """A Helm chart: from a repository (``repo`` + ``name`` + ``version``), an OCI registry
    (``repo`` starting with ``oci://``), or ``path``, an absolute folder or ``.tgz``."""

    repo: str = ""
    name: str = ""
    version: str = ""
    digest: str = ""
    path: str = ""


@dataclass(frozen=True)
class KustomizeSource:
    """A folder with a kustomization, as an absolute path."""

    path: str


@dataclass(frozen=True)
class ManifestsSource:
    """Files or folders of YAML manifests, as absolute paths."""

    paths: tuple[str, ...]


@dataclass(frozen=True)
class ObjectsSource:
    """Objects written in the manifest itself."""

    objects: tuple[dict[str, JSON], ...]


Source = Union[ChartSource, KustomizeSource, ManifestsSource, ObjectsSource]


@dataclass(frozen=True)
class Condition:
    """Readiness of a custom resource: ``kind`` is ready when condition ``type`` has ``status``."""

    kind: str
    type: str
    status: str = "True"
    group: str = ""


@dataclass(frozen=True)
class Wait:
    """How long and for what an add-on is waited for. ``timeout`` in seconds, 0 waits for nothing."""

    timeout: int = 600
    conditions: tuple[Condition, ...] = ()
    load_balancer: str = "required"


@dataclass(frozen=True)
class RemovePolicy:
    """``first``: kinds whose objects are removed, and waited for, before the rest. ``timeout`` in seconds."""

    first: tuple[str, ...] = ()
    timeout: int = 300


@dataclass(frozen=True)
class DriftRule:
    """What is done with fields that others changed: ``answer`` is report, keep, overwrite or adopt.

    The other keys say where it holds; ``*`` stands for anything in them. ``field`` is written as plans write it.
    """

    answer: str
    kind: str = "*"
    group: str | None = None
    namespace: str = "*"
    name: str = "*"
    field: str = "*"
    manager: str = "*"


@dataclass(frozen=True)
class Expectation:
    """What an object must be for a smoke check to pass: a condition (``type``), a field (``path``), or there at all.

    Without ``name`` one object of the kind is enough. ``group`` None: any that has the kind.
    """

    kind: str
    group: str | None = None
    name: str = ""
    namespace: str = ""
    type: str = ""
    status: str = "True"
    path: str = ""
    equals: JSON = None
    exists: bool | None = None


@dataclass(frozen=True)
class SmokeCheck:
    """How to see that a capability is kept. ``timeout`` in seconds."""

    capability: str
    objects: tuple[dict[str, JSON], ...] = ()
    ready: tuple[Expectation, ...] = ()
    timeout: int = 60


@dataclass(frozen=True)
class TaskFile:
    """A hook: Ansible tasks that run at ``event`` (``before_install`` …). ``written``: the path as the manifest has it,
    ``file``: the absolute one."""

    event: str
    written: str
    file: str

    @property
    def name(self) -> str:
        """What plans and records call it."""
        return f"{self.event} {self.written}"


@dataclass(frozen=True)
class Unknown:
    """An output of ``addon`` that cannot be read now, ``output`` by its full name (``gateway.address``).

    ``code`` and ``why`` are those of the error that this is at the moment when the value is needed.
    """

    output: str
    addon: str
    code: str
    why: str


@dataclass(frozen=True)
class Addon:
    """One add-on, resolved: the unit that is planned, installed, upgraded and removed."""

    name: str
    source: Source
    namespace: str
    release: str
    values: dict[str, JSON] = field(default_factory=dict)
    secret_paths: frozenset[KeyPath] = frozenset()
    position: Position = NOWHERE
    catalog: str = ""
    offered: str = ""
    """Version of the chart in the catalog's entry, which need not be the one that the user wants."""
    provides: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    wait: Wait = Wait()
    remove: RemovePolicy = RemovePolicy()
    crds: str = "apply"
    protected: bool = False
    adopt: bool = False
    drift: str = "report"
    drift_rules: tuple[DriftRule, ...] = ()
    patches: tuple[dict[str, JSON], ...] = ()
    store_values: bool = True
    images: tuple[str, ...] = ()
    smoke: tuple[SmokeCheck, ...] = ()
    scale_down: str = "safe"
    hooks: tuple[TaskFile, ...] = ()
    origins: dict[KeyPath, Position] = field(default_factory=dict)
    """Where each value (key path below ``values``) was written, for plan lines and chart schema findings."""
    outputs: dict[KeyPath, tuple[str, ...]] = field(default_factory=dict)
    """What comes from outputs of other add-ons: key path below the add-on → their full names."""
    unknown: tuple[Unknown, ...] = ()
    """Those among them that have a stand-in for a value: nothing of this add-on may be applied."""

    @property
    def drift_digest(self) -> str:
        """Of the rules about drift; empty while there are none."""
        if self.drift == "report" and not self.drift_rules:
            return ""
        return hashlib.blake2b(repr((self.drift, self.drift_rules)).encode(), digest_size=6).hexdigest()


@dataclass(frozen=True)
class Manifest:
    """Everything the user wants on one cluster."""

    name: str
    addons: dict[str, Addon]
    secrets: tuple[str, ...] = ()
    """Secret values known so far; the masker hides them wherever they turn up."""
    hints: tuple[Finding, ...] = ()
    dropped: tuple[str, ...] = ()
    """Names written in the manifest with ``enabled: false``."""
    uses_nodes: bool = False
    """Whether an expression reads ``slipway_nodes``: a change of nodes may change values."""
    capabilities: tuple[str, ...] = ()
    """What enabled add-ons and the cluster itself provide."""
