# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Carry out a plan: every add-on at its turn in the graph, independent ones side by side."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ..kube.client import Client
from ..kube.errors import KubeError
from .disown import Disowner
from .errors import EngineError
from .graph import closure
from .install import Installer
from .masking import Masker
from .model import Manifest
from .namespaces import Inhabitants
from .observe import THREADS, Observed
from .plan import Action, AddonPlan, Plan
from .remove import Remover
from .schedule import Result, Schedule
from .second_look import SecondLook
from .segments import DueHook, Earlier, Segment, check_new
from .settings import Settings
from .smoke.scratch import remove_leftovers
from .waiting import Waiter
from .work import Event, Store, Work


class Crew:
    """Works under the lock. ``earlier``: what the segments of this run before this one came to."""

    def __init__(
        self,
        client: Client,
        observed: Observed,
        store: Store,
        manifest: Manifest,
        settings: Settings,
        earlier: Earlier,
    ) -> None:
        self._client = client
        self._observed = observed
        self._store = store
        self._manifest = manifest
        self._settings = settings
        self._earlier = earlier
        self._removers: dict[str, Remover] = {}

    def work(self, masker: Masker, emit: Callable[[Event], None], who: str) -> Work:
        """What all share; its ``pool`` is closed by the caller."""
        return Work(
            self._client,
            self._observed,
            self._store,
            masker,
            emit,
            ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="slipway-write"),
            who,
            self._manifest.secrets,
            self._settings.history_max,
        )

    def carry_out(
        self, plan: Plan, work: Work, second: SecondLook
    ) -> tuple[dict[str, Result], dict[str, list[str]], list[DueHook]]:
        """Results by add-on, what removals left on purpose, and the hooks that are due now."""
        acting = {p.name: p for p in plan.addons if p.acts or p.again or p.action is Action.BLOCKED}
        waiter = Waiter(self._client, self._observed.name)
        for event in remove_leftovers(self._client, self._observed.namespaces, plan.name):
            work.emit(event)
        segment = Segment(acting.values())

        def act(name: str) -> None:
            one = acting[name]
            if one.action is Action.REMOVE:
                remover = Remover(work, waiter, one, self._settings.consent)
                remover.run()
                self._removers[name] = remover
            elif one.action is Action.DISOWN:
                Disowner(work, one).run()
            else:
                if one.again or one.wanted.unknown:
                    one = second.plan(one)
                    if segment.holds(one):
                        return
                    plan.put(one)
                if one.acts:
                    Installer(work, waiter, one).run()

        blocked = {n: p.reason for n, p in acting.items() if p.action is Action.BLOCKED}
        graph = task_graph(list(acting.values()))
        results = _scheduled(work, act, graph, list(acting), blocked, self._settings.concurrency, segment)
        # Namespaces empty by themselves: all of them are waited for at once.
        going = [o.id.name for n in self._removers for o in acting[n].objects if o.id.kind == "Namespace"]
        inhabitants = Inhabitants(self._client, self._observed, going)
        later = segment.later(results)

        def finish(name: str) -> None:
            self._removers[name].finish(inhabitants, later)

        results.update(_scheduled(work, finish, {}, list(self._removers), {}, THREADS * 4))
        due = segment.due(graph, results, self._manifest.addons, self._manifest.capabilities)
        check_new(due, self._earlier)
        return results, {name: remover.kept for name, remover in self._removers.items()}, due


def _scheduled(
    work: Work,
    task: Callable[[str], None],
    depends: dict[str, set[str]],
    order: list[str],
    blocked: dict[str, str],
    workers: int,
    segment: Segment | None = None,
) -> dict[str, Result]:
    def told(name: str) -> None:
        try:
            task(name)
        except (EngineError, KubeError) as exc:
            work.emit(Event(name, "failed", work.masker.text(str(exc))))
            raise

    return Schedule(
        depends=depends,
        task=told,
        workers=workers,
        blocked=blocked,
        held=segment.held if segment else (),
        opened=segment.opened if segment else (),
        on_skip=lambda name, reason: work.emit(Event(name, "skipped", reason)),
    ).run(order)


def task_graph(plans: list[AddonPlan]) -> dict[str, set[str]]:
    """Edges among the add-ons that act. An edge that only a CRD implies is left out where it would close a circle."""
    names = {plan.name for plan in plans}
    graph: dict[str, set[str]] = {
        plan.name: {d for d in (plan.addon.depends if plan.addon else plan.depends) if d in names} for plan in plans
    }
    for plan in plans:
        for extra in plan.depends:
            if extra in names and extra not in graph[plan.name] and plan.name not in closure(graph, [extra]):
                graph[plan.name].add(extra)
    return graph
