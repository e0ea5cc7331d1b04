# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A claim on the nodes, as it stands in the lock of node operations: of a run that works, or of one that died."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Claim:
    """Who, what, how far (``stage`` is Kubespray's last playbook that is through), and the public parts of its join
    tokens. ``since`` is in seconds since the epoch, by the clock of the host that keeps the lock; ``remaining`` seconds
    are left of the claim. ``dead``: its process is known to be gone. ``removes``: nodes that it takes out. ``cleared``:
    it has taken away what the cluster had outside of itself."""

    holder: str
    operation: str
    stage: str = ""
    since: float = 0.0
    remaining: float = 0.0
    dead: bool = False
    tokens: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()
    cleared: bool = False

    @property
    def holds(self) -> bool:
        """Whether somebody has to be waited for."""
        return not self.dead and self.remaining > 0

    @property
    def began(self) -> str:
        """In UTC; empty where it is not known."""
        if not self.since:
            return ""
        return datetime.fromtimestamp(self.since, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def __str__(self) -> str:
        if self.holds:
            reached = f", Kubespray's {self.stage} is through" if self.stage else ""
            return f"{self.holder} works on the nodes since {self.began} ({self.operation}{reached})"
        reached = f"Kubespray's {self.stage} was through" if self.stage else "no playbook of Kubespray's was through"
        return f"an earlier {self.operation} by {self.holder} did not come to its end, {reached}"


def claim_of(found: Mapping[str, Any] | None, *, dead: bool) -> Claim | None:
    """``found``: what stands in the lock's file, with ``remaining``. None: nobody is or was at work."""
    if not found:
        return None
    return Claim(
        holder=str(found["holder"]),
        operation=str(found.get("operation") or "run"),
        stage=str(found.get("stage") or ""),
        since=float(found.get("since") or 0),
        remaining=float(found.get("remaining") or 0),
        dead=dead,
        tokens=tuple(found.get("tokens") or ()),
        removes=tuple(found.get("removes") or ()),
        cleared=bool(found.get("cleared")),
    )
