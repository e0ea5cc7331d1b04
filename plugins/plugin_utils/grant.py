# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rights of one segment of a run, obtained on a control plane host and given back there.

The token lives in this process's memory and nowhere else. It is renewed by asking the host again, never by a right of
its own. While an installer works, its binding is kept alive; when that ends, by whatever death, its time runs out and
the next run clears it away.
"""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from ansible_collections.slipway.cluster.plugins.module_utils.kube.access import Access
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import AccessError, KubeError
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node import accounts as a
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.transport import MERGE, Api

from .on_host import OnHost

LIFE = 900
_RENEW_AT = 0.8
_SHORTEST_CLAIM = 30.0


@dataclass(frozen=True)
class Wanted:
    """What is asked of the host. ``claim``: seconds that an installer's rights outlive the last sign of this run."""

    name: str
    rights: str
    kubeconfig: str
    namespace: str
    records_namespace: str
    claim: float = _SHORTEST_CLAIM
    leave: bool = False


class Grant:
    """``told`` gets every new token before anything else does, so that it is masked; ``say`` gets lines for people."""

    def __init__(
        self,
        host: OnHost,
        wanted: Wanted,
        *,
        told: Callable[[str], None],
        say: Callable[[str], None],
        alive: Callable[[], bool],
    ) -> None:
        self._host = host
        self._wanted = wanted
        self._told = told
        self._say = say
        self._alive = alive
        self._run = secrets.token_hex(6)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._beat: threading.Thread | None = None
        self._current: Access | None = None

    @property
    def current(self) -> Access:
        if self._current is None:
            raise RuntimeError("begin() comes first")
        return self._current

    def begin(self) -> Access:
        """Raises ``AccessError``."""
        self._current = self._ask()
        return self._current

    def use(self, address: str, name: str) -> Access:
        """From now on at ``address``, whose certificate is checked for ``name`` (empty: for the address)."""
        self._current = replace(self.current, server=address, tls_server_name=name)
        if self._wanted.rights == a.INSTALLER:
            self._beat = threading.Thread(target=self._keep_alive, name="slipway-access", daemon=True)
            self._beat.start()
        return self._current

    def end(self, *, tidy: bool) -> None:
        """Rights and token end. Without ``tidy`` the host is asked no more once they have: the account goes with its
        binding. Raises ``AccessError`` SLW-7406 when an installer's cannot be taken back."""
        self._stop.set()
        if self._beat is not None:
            self._beat.join()
        given_back = self._give_back()
        if given_back and not (tidy and self._alive()):
            # Or nobody waits for this process any more: what is left to tidy is the next run's.
            return
        try:
            self._tell(self._host.call(state="absent", run=self._run, leave=self._wanted.leave, **self._where()))
        except AccessError as exc:
            if given_back:
                self._say(f"SLW-7406 what is left of this run's rights is cleared away by the next run: {exc.message}")
                return
            until = f"{self._wanted.claim:.0f} s after this" if self._wanted.rights == a.INSTALLER else "with its token"
            raise AccessError(
                "SLW-7406",
                f"the {self._wanted.rights}'s rights of this run could not be taken back: {exc.message}",
                f"any next run of this slipway_name removes them, from {until} on",
            ) from exc

    def newer(self, than: str) -> Access:
        """Another token than this one: what somebody else has obtained meanwhile, or a new one from the host."""
        with self._lock:
            if self.current.token == than:
                new = self._ask()
                self._current = replace(self.current, token=new.token, again=new.again, renew_at=new.renew_at)
            return self.current

    def _ask(self) -> Access:
        asked = time.monotonic()
        answer = self._host.call(
            state="present",
            rights=self._wanted.rights,
            run=self._run,
            claim=math.ceil(self._wanted.claim),
            seconds=LIFE,
            **self._where(),
        )
        self._tell(answer)
        token = str(answer["token"])
        self._told(token)
        return Access(
            server=str(answer["server"]),
            ca_pem=str(answer["ca"]).encode(),
            token=token,
            tls_server_name=str(answer["server_name"]),
            source=f"the {self._wanted.rights}'s token from {self._host.name}",
            again=partial(self.newer, token),
            unlimited=self._wanted.rights == a.INSTALLER,
            renew_at=asked + _RENEW_AT * LIFE,
        )

    def _tell(self, answer: dict[str, Any]) -> None:
        """Every call to the host clears away what is over by then."""
        for what in answer["left_behind"]:
            self._say(f"removed what an earlier run left on the cluster: {what}")

    def _where(self) -> dict[str, Any]:
        return {
            "name": self._wanted.name,
            "kubeconfig": self._wanted.kubeconfig,
            "namespace": self._wanted.namespace,
            "records_namespace": self._wanted.records_namespace,
        }

    def _keep_alive(self) -> None:
        """Say on the cluster that this run is still there."""
        path = a.binding_path(a.installer_name(self._run))
        while not self._stop.wait(self._wanted.claim / 3) and self._alive():
            # Whoever takes our rights for left behind because of a failure here makes us ask for new ones.
            with suppress(KubeError), self._api() as api:
                if api.get(path) is not None:
                    until = a.stamp(api.now() + timedelta(seconds=self._wanted.claim))
                    api.call("PATCH", path, {"metadata": {"annotations": {a.EXPIRES: until}}}, content_type=MERGE)

    def _give_back(self) -> bool:
        """By the run's own rights, which end with this: quicker than by way of the host, and when that is gone too."""
        if self._wanted.rights != a.INSTALLER or self._current is None:
            return False
        try:
            with self._api() as api:
                return api.delete(a.binding_path(a.installer_name(self._run)))
        except KubeError:
            return False

    def _api(self) -> Api:
        return Api(self.current, user_agent="slipway (access)", patience=self._wanted.claim / 6)
