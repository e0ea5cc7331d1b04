# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a run is told beside the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .answers import Decisions
from .consent import Consent
from .sources.helm import ServerAccess
from .sources.repository import Repository


@dataclass(frozen=True)
class Settings:
    """Everything that is not the manifest. Times in seconds."""

    operation: str
    helm: str = "helm"
    kustomize: tuple[str, ...] = ("kubectl", "kustomize")
    cache_dir: Path = Path("~/.cache/slipway")
    namespace: str = "slipway-system"
    concurrency: int = 4
    lock_wait: float = 0.0
    lock_duration: float = 30.0
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    decisions: Decisions = field(default_factory=Decisions)
    consent: Consent = field(default_factory=Consent)
    rollback: Mapping[str, int] = field(default_factory=dict)
    """Revision by add-on, for the operation ``rollback``; 0 is the state before the one that is live."""
    disown: tuple[str, ...] = ()
    """Add-ons to be forgotten without deleting anything, for the operation ``remove``."""
    history_max: int = 10
    """States that are kept of each add-on."""
    repositories: Mapping[str, Repository] = field(default_factory=dict)
    server: ServerAccess | None = None
    who: str = ""
    smoke: bool = True
    """Whether what changed is checked by the smoke checks of its add-on."""
    files_dir: Path = Path()
    rendered_dir: Path | None = None
    """Where the rendered history is kept: everything is rendered for it, also what has not changed."""

    @property
    def keeps_history(self) -> bool:
        return self.rendered_dir is not None and self.operation in ("plan", "install", "scale")
