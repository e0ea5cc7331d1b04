# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Write down in the cluster that a hook has run, so that no later run of its operation runs it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..kube.client import Client
from .lock import Lock
from .model import Addon, Manifest
from .observe import observe
from .record import HookState, Record, ReleaseState
from .work import Store


def note(
    client: Client,
    manifest: Manifest,
    *,
    addon: str,
    operation: str,
    hook: str,
    namespace: str,
    lock_wait: float,
    lock_duration: float,
    alive: Callable[[], bool] = lambda: True,
) -> None:
    """Under the lock, which another run may have taken meanwhile: that one is waited for.

    ``hook`` is its name, such as ``before_install hooks/db.yml``; times in seconds. Raises ``LockError`` and the
    errors of the API: the hook then counts as not run.
    """
    lock = Lock(client, namespace=namespace, operation="hook", duration=lock_duration, alive=alive)
    client.guard = lock.check_alive
    try:
        lock.acquire(max(lock_wait, lock_duration), lambda holder: None)
        client.guard = lock.check
        observed = observe(client, name=manifest.name, namespace=namespace)
        store = Store(client, observed, namespace)
        known = observed.records.get(addon)
        now = client.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        record = noted(known, manifest.addons[addon], operation, hook, who=lock.identity, when=now)
        if record is not None:
            store.save(record)
        elif known is not None:
            store.drop(addon)
    finally:
        lock.release()
        client.guard = None


def noted(
    known: Record | None, addon: Addon, operation: str, hook: str, *, who: str = "", when: str = ""
) -> Record | None:
    """The record after ``hook`` has run; None when none is needed any more: all hooks of a removal have run."""
    after = hook.startswith("after_")
    state = known.hooks if known else None
    if after and (state is None or state.operation != operation or not state.acted):
        # Another run has taken over meanwhile, and knows better.
        return known
    if state is None or state.operation != operation or (state.acted and not after):
        # A hook before it is the first step of an operation that begins, or starts over.
        state = HookState(operation)
    done = (*(name for name in state.done if name != hook), hook)
    if state.acted and all(f.name in done for f in addon.hooks if f.event == f"after_{operation}"):
        return None if operation == "remove" or known is None else replace(known, hooks=None)
    base = known or Record(
        addon=addon.name,
        release=addon.release,
        namespace=addon.namespace,
        source=type(addon.source).__name__.removesuffix("Source").lower(),
        state=ReleaseState.PENDING,
        protected=addon.protected,
        who=who,
        when=when,
    )
    return replace(base, hooks=replace(state, done=done))
