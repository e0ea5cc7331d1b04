# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Smoke checks on demand: of every installed add-on that has some, whatever has changed or not."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ...kube.client import Client
from ...kube.errors import KubeError, StoppedError
from ..errors import EngineError, FindingsError
from ..lock import Lock
from ..masking import Masker
from ..model import Addon, Manifest, SmokeCheck
from ..observe import Observed, observe
from ..record import ReleaseState
from ..select import select
from ..settings import Settings
from ..work import Event
from .run import Smoke
from .scratch import remove_leftovers


@dataclass(frozen=True)
class CheckResult:
    """One check. ``outcome``: passed, failed, absent (the add-on is not installed) or open (not tried)."""

    addon: str
    capability: str
    outcome: str
    seconds: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class SmokeReport:
    """All checks, sorted by add-on and capability."""

    name: str
    cluster: str
    checks: tuple[CheckResult, ...]
    seconds: float

    @property
    def result(self) -> str:
        """``error`` when a check failed, else ``unchanged``."""
        return "error" if any(check.outcome == "failed" for check in self.checks) else "unchanged"


class SmokeRun:
    """One run of the operation ``smoke``. Nothing is changed but the temporary objects of the checks."""

    def __init__(
        self,
        client: Client,
        manifest: Manifest,
        settings: Settings,
        *,
        emit: Callable[[Event], None] = lambda event: None,
        alive: Callable[[], bool] = lambda: True,
    ) -> None:
        self._client = client
        self._manifest = manifest
        self._settings = settings
        self._emit = emit
        self._alive = alive
        self.masker = Masker(manifest.secrets)

    def run(self, *, dry: bool = False) -> SmokeReport:
        """Raises the errors of the rooms below; a check that fails is a result. ``dry`` only lists what there is."""
        started = time.monotonic()
        settings = self._settings
        observed = observe(self._client, name=self._manifest.name, namespace=settings.namespace)
        chosen, pulled, findings = select(self._manifest.addons, settings.only, settings.skip)
        if findings:
            raise FindingsError(findings)
        addons = [addon for name, addon in sorted(chosen.items()) if name not in pulled]
        pairs = [(addon, check) for addon in addons for check in addon.smoke]
        there = [pair for pair in pairs if _is_installed(pair[0], observed)]
        absent = [CheckResult(a.name, c.capability, "absent", reason="not installed") for a, c in pairs if
                  (a, c) not in there]  # fmt: skip
        if dry:
            tried = [CheckResult(addon.name, check.capability, "open") for addon, check in there]
        else:
            tried = self._under_lock(there, observed) if there else []
        found = sorted([*absent, *tried], key=lambda check: (check.addon, check.capability))
        return SmokeReport(self._manifest.name, observed.uid, tuple(found), time.monotonic() - started)

    def _under_lock(self, pairs: list[tuple[Addon, SmokeCheck]], observed: Observed) -> list[CheckResult]:
        """With the lock nobody takes a check that goes on for a leftover, and no add-on changes under it."""
        settings = self._settings
        lock = Lock(
            self._client,
            namespace=settings.namespace,
            operation=settings.operation,
            duration=settings.lock_duration,
            alive=self._alive,
        )
        self._client.guard = lock.check_alive
        try:
            lock.acquire(settings.lock_wait, lambda holder: self._emit(Event("", "waiting", str(holder))))
            self._client.guard = lock.check
            for event in remove_leftovers(self._client, observed.namespaces, observed.name):
                self._emit(event)
            smoke = Smoke(self._client, observed.discovery, observed.name)
            with ThreadPoolExecutor(max_workers=settings.concurrency, thread_name_prefix="slipway-smoke") as pool:
                return list(pool.map(lambda pair: self._one(smoke, *pair), pairs))
        finally:
            lock.release()
            self._client.guard = None

    def _one(self, smoke: Smoke, addon: Addon, check: SmokeCheck) -> CheckResult:
        began = time.monotonic()
        self._emit(Event(addon.name, "smoke", check.capability))
        reason = ""
        try:
            smoke.run(addon, check, lambda text: self._emit(Event(addon.name, "waiting", self.masker.text(text))))
        except StoppedError:
            raise
        except (EngineError, KubeError) as exc:
            reason = self.masker.text(str(exc))
        outcome = "failed" if reason else "passed"
        return CheckResult(addon.name, check.capability, outcome, time.monotonic() - began, reason)


def _is_installed(addon: Addon, observed: Observed) -> bool:
    record = observed.records.get(addon.name)
    return record is not None and record.state is not ReleaseState.REMOVING
