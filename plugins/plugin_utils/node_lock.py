# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of node operations, as an action of the first control plane host sees it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.claim import Claim, claim_of
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError, Problem

from . import ssh_session
from .scope import is_dead, myself

_MODULE = "slipway.cluster.node_lock"
_TAKEN_OVER = Problem(
    "SLW-8309",
    "another run has taken over the nodes, because this one took longer than its claim",
    "look at what that run does; set slipway_node_lock_duration to more seconds than a stage takes",
)


class NodeLock:
    """``seconds``: how long a claim holds after the last sign of its run. ``dead``: the mark of a run of which the user
    says that it is over; empty, none."""

    def __init__(
        self, action: ActionBase, variables: Mapping[str, Any], *, kubeconfig: str, seconds: float, dead: str = ""
    ) -> None:
        self._action = action
        self._variables = dict(variables)
        self._kubeconfig = kubeconfig
        self._seconds = max(60, int(seconds))
        self._dead = dead.strip().removeprefix("#")
        self._me = myself()
        self._host = str(variables.get("inventory_hostname", ""))
        self.abandoned = False
        """Whether a claim of a dead run, or one that is over, was there when this looked."""
        self.claim: Claim | None = None
        """Of whoever was at work when this looked."""
        self.half_built = False
        """Whether runs of ours made this cluster and none of them has come to its end, when this looked."""

    def cluster_is_there(self) -> bool:
        """Whether the host is part of a cluster. Raises ``NodesError`` SLW-8306."""
        answer = self._call("look")
        found = answer.get("found") or {}
        self.claim = claim_of(found, dead=self._is_over(found))
        self.abandoned = self.claim is not None and not self.claim.holds
        self.half_built = bool(found.get("creates"))
        return bool(answer["cluster"])

    def take(self, operation: str, token_id: str, *, creates: bool, removes: Sequence[str] = ()) -> Claim | None:
        """Returns the run that this one follows, if that died. ``token_id``, and names of nodes in ``removes``, are for
        the one that follows this one.

        Raises ``NodesError`` SLW-8304: somebody is at work.
        """
        claim = {
            "operation": operation,
            "controller": self._me.controller,
            "tokens": [token_id],
            "removes": list(removes),
            "creates": creates,
        }
        answer = self._call("taken", **claim)
        found: dict[str, Any] = answer.get("found") or {}
        if not answer["held"] and self._is_over(found):
            answer = self._call("taken", dead=found["holder"], **claim)
        if not answer["held"]:
            minutes = max(1, round(found["remaining"] / 60))
            since = round((time.time() - float(found.get("since", time.time()))) / 60)
            raise NodesError(
                [
                    Problem(
                        "SLW-8304",
                        f"{found['holder']} works on the nodes since {since} min ({found['operation']})",
                        f"wait for it; if it was canceled or has died, its claim ends by itself in {minutes} min, or "
                        f"go on at once with -e slipway_dead_run={_mark(found)}",
                        host=self._host,
                    )
                ]
            )
        if found and found["holder"] != self._me.name:
            return claim_of(found, dead=True)
        return None

    def renew(self, stage: str = "", *, cleared: bool = False) -> None:
        """Claim more time, and note what is reached. Raises ``NodesError`` SLW-8309: another run has taken over."""
        if not self._call("renewed", stage=stage, cleared=cleared)["held"]:
            raise NodesError([_TAKEN_OVER])

    def release(self) -> None:
        """Raises ``NodesError`` SLW-8309: another run has taken over."""
        answer = self._call("released")
        if not answer["held"] and answer.get("found"):
            raise NodesError([_TAKEN_OVER])

    def abandon(self) -> bool:
        """Who comes next goes on from here, at once. False: the claim was not this run's any more."""
        return bool(self._call("abandoned")["held"])

    def _is_over(self, found: Mapping[str, Any]) -> bool:
        """Whether the holder is known to be gone: by its process, or because the user says so."""
        return is_dead(found.get("controller") or {}) or (bool(self._dead) and self._dead == _mark(found))

    def _call(self, state: str, **more: Any) -> dict[str, Any]:
        arguments = {"state": state, "holder": self._me.name, "seconds": self._seconds, "kubeconfig": self._kubeconfig}
        ssh_session.require(self._action._connection, self._host)
        found: dict[str, Any] = self._action._execute_module(
            module_name=_MODULE, module_args={**arguments, **more}, task_vars=self._variables
        )
        if found.get("failed"):
            said = str(found.get("msg") or found.get("module_stderr") or "no reason given").strip()
            raise NodesError(
                [
                    Problem(
                        "SLW-8306",
                        f"the lock cannot be used: {said.removeprefix('SLW-8306').strip()[:500]}",
                        "it needs Python 3.8 or later on the host, and root: by become, or by the user that logs in",
                        host=self._host,
                    )
                ]
            )
        return found


def _mark(found: Mapping[str, Any]) -> str:
    """What tells this holder from all others."""
    return str(found.get("holder") or "").rpartition("#")[2]
