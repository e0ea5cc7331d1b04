# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What rendering is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...kube.objects import ObjectId
from ..finding import KeyPath
from ..hooks import Hook
from .helm import Helm, ServerAccess
from .repository import Repository


@dataclass(frozen=True)
class RenderContext:
    """The cluster and the tools.

    ``api_versions`` are the live and the arriving ones: ``apps/v1``, ``monitoring.coreos.com/v1/ServiceMonitor``.
    ``kustomize`` is the command that takes a folder: ``("kustomize", "build")`` or ``("kubectl", "kustomize")``.
    ``repositories`` are by URL. ``server`` is used for charts that look into the cluster, and for nothing else.
    ``find_random`` renders charts with random values twice.
    """

    kube_version: str
    api_versions: tuple[str, ...]
    is_upgrade: bool
    helm: Helm
    cache_dir: Path
    kustomize: tuple[str, ...] = ("kubectl", "kustomize")
    repositories: Mapping[str, Repository] = field(default_factory=dict)
    server: ServerAccess | None = None
    find_random: bool = True


@dataclass(frozen=True)
class Rendered:
    """An add-on's objects.

    ``objects`` are in rendered order, without hooks and without what lies in charts' ``crds/``. ``manifest`` and
    ``chart`` are parts of Helm's release, empty for other sources. ``gated``: the chart asks which APIs there are.
    ``uses_lookup``: it reads the cluster; ``blind`` then says that it could not, ``blindness`` why.
    ``random`` are the fields that differ from render to render.
    """

    objects: tuple[dict[str, Any], ...]
    identity: str
    crds: tuple[dict[str, Any], ...] = ()
    hooks: tuple[Hook, ...] = ()
    version: str = ""
    app_version: str = ""
    manifest: str = ""
    chart: dict[str, Any] | None = None
    gated: bool = False
    uses_lookup: bool = False
    blind: bool = False
    blindness: str = ""
    random: tuple[tuple[ObjectId, KeyPath], ...] = ()
