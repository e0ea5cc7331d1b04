# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The engine: look, plan, act. A dry run is the same code up to ``execute``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..kube.client import Client
from ..kube.errors import KubeError
from .answers import Decisions, unknown_names
from .consent import Consent, names_to_prune, names_to_remove
from .disown import Disowner, DisownPlanner, names_to_disown
from .errors import EngineError, FindingsError
from .finding import Finding, Level
from .graph import closure
from .history.history import History, made_namespaces
from .home import leave_home, left_home
from .install import Installer
from .late import mark
from .lock import Holder, Lock
from .masking import Masker, rendered_secrets, secret_strings
from .model import Addon, Manifest
from .names import did_you_mean
from .namespaces import Inhabitants
from .observe import THREADS, Observed, observe, record_versions
from .plan import Action, AddonPlan, Plan
from .planner import Planner
from .removal import RemovalPlanner
from .remove import Remover
from .rendering import Renderer
from .rollback import RollbackPlanner
from .scaling import refuse_scale_down
from .schedule import Outcome, Result, Schedule
from .second_look import SecondLook
from .segments import DueHook, Earlier, Segment, check_new, settle, take_up, without_hooks_alone
from .select import select
from .smoke.scratch import remove_leftovers
from .sources.context import RenderContext
from .sources.helm import Helm, ServerAccess
from .sources.repository import Repository
from .status import Status, status
from .waiting import Waiter
from .work import Event, Store, Work


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


@dataclass
class Report:
    """What a run did: results by add-on, and what removals left on purpose. With ``hooks`` it is not over: add-ons
    without a result go on when those have run."""

    plan: Plan
    results: dict[str, Result]
    kept: dict[str, list[str]]
    seconds: float
    hooks: list[DueHook] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        return any(r.outcome is not Outcome.DONE for r in self.results.values())


class Engine:
    """One run against one cluster, or a segment of it. ``alive`` tells whether the run that started this work still
    lives, ``earlier`` what its segments before this one came to.

    ``reload`` gives the manifest with outputs of add-ons as they are now, right for the add-on that it names, or for
    all without a name. It is called by one thread at a time.
    """

    def __init__(
        self,
        client: Client,
        manifest: Manifest,
        settings: Settings,
        *,
        emit: Callable[[Event], None] = lambda event: None,
        alive: Callable[[], bool] = lambda: True,
        earlier: Earlier | None = None,
        reload: Callable[[str], Manifest] | None = None,
    ) -> None:
        self._client = client
        self._manifest = manifest
        self._earlier = earlier or Earlier()
        self._settings = replace(settings, consent=self._earlier.rest(settings.consent))
        self._emit = emit
        self._alive = alive
        self._reload = reload or (lambda name: manifest)
        self.masker = Masker(manifest.secrets)
        self._observed: Observed | None = None
        self._last_planner: Planner | None = None

    def plan(self) -> Plan:
        """Look and plan; nothing is changed. Raises the errors of the rooms below, all findings at once."""
        started, requests = time.monotonic(), self._client.requests
        settings, manifest = self._settings, self._manifest
        observed = self._observed = observe(self._client, name=manifest.name, namespace=settings.namespace)
        removing = settings.operation == "remove"
        chosen, pulled, findings = select(manifest.addons, settings.only, settings.skip)
        if findings:
            raise FindingsError(findings)
        plans: list[AddonPlan] = []
        shown: list[str] = []
        removal = RemovalPlanner(self._client, observed, settings.consent, manifest.addons)
        if removing:
            records = observed.records
            disowned = names_to_disown(settings.disown, settings.consent.addons, records, manifest.addons)
            plans = DisownPlanner(self._client, observed, manifest.addons).plan(disowned)
            names = names_to_remove(settings.consent, records, manifest.addons)
            plans += removal.plan(names, "slipway_remove_addons")
        else:
            plans = self._applied(without_hooks_alone(observed), chosen.values())
            self._guard(plans)
        if settings.operation not in ("remove", "rollback"):
            mark(plans, chosen)
            prune, shown = names_to_prune(settings.consent, observed.records, manifest.addons)
            plans += removal.plan(prune, "no longer in the manifest (slipway_prune)")
        self._take_up(plans)
        settle(plans, self._earlier)
        gone = self._answered(plans)
        return Plan(
            name=manifest.name,
            cluster=observed.uid,
            addons=plans,
            dropped=shown,
            hints=[] if removing else gone if settings.operation == "rollback" else [*manifest.hints, *gone],
            limits=observed.limits,
            selected=list(chosen) if settings.only or settings.skip else [],
            pulled_in=list(pulled),
            seconds=time.monotonic() - started,
            requests=self._client.requests - requests,
            helm_processes=sum(
                1 for p in plans if p.rendered is not None and p.rendered.manifest and not p.rollback_to
            ),
        )

    def _guard(self, plans: list[AddonPlan]) -> None:
        """What planning itself does not know of: secrets, consent to fewer replicas, checks that follow a change."""
        settings = self._settings
        self._learn_secrets(plans)
        refuse_scale_down(self._client, plans, settings.consent.scale_down)
        for plan in plans:
            plan.checks = plan.addon.smoke if settings.smoke and plan.changes and plan.addon else ()

    def _take_up(self, plans: list[AddonPlan]) -> None:
        take_up(plans, self._manifest.addons, {n: r.hooks for n, r in self._seen.records.items() if r.hooks})

    def _complete(self, plan: AddonPlan) -> None:
        """A plan that was made in the middle of the run."""
        self._guard([plan])
        self._take_up([plan])

    def status(self) -> Status:
        """What is there. Nothing is changed."""
        settings, manifest = self._settings, self._manifest
        observed = self._observed = observe(self._client, name=manifest.name, namespace=settings.namespace)

        def explain(addons: list[Addon]) -> list[AddonPlan]:
            plans = self._planner(observed).plan(addons)
            self._learn_secrets(plans)
            return plans

        return status(self._client, observed, manifest.addons, explain)

    def _applied(self, observed: Observed, chosen: Iterable[Addon]) -> list[AddonPlan]:
        """What is to be as the manifest has it, or as it was."""
        settings = self._settings
        if settings.operation != "rollback":
            planner = self._last_planner = self._planner(observed)
            return planner.plan(chosen)
        planner, renderer = self._planner(observed), self._renderer(observed)
        addons = self._manifest.addons
        back = RollbackPlanner(self._client, observed, planner, renderer, addons, settings.namespace, self.masker)
        return back.plan(settings.rollback)

    def _planner(self, observed: Observed) -> Planner:
        renderer = self._renderer(observed)
        return Planner(self._client, observed, renderer, self._settings.decisions, self._manifest.secrets)

    def _renderer(self, observed: Observed) -> Renderer:
        settings = self._settings
        helm = Helm(settings.helm, settings.cache_dir.expanduser() / "helm")
        context = self._render_context(observed, helm)
        return Renderer(context, observed, settings.concurrency, everything=settings.keeps_history)

    def _answered(self, plans: Iterable[AddonPlan]) -> list[Finding]:
        """Hints about findings that are answered and are not there. Raises ``FindingsError`` for other names."""
        decisions = self._settings.decisions
        known = {*self._manifest.addons, *self._manifest.dropped, *self._seen.records, *self._earlier.results}
        wrong, gone = unknown_names(decisions, known, (d.id for plan in plans for d in plan.drift))
        advice = "names of add-ons, and the ids that a plan shows beside its findings, can be answered"
        if wrong:
            raise FindingsError(
                Finding(
                    "SLW-3304",
                    f"{name!r} is neither an add-on nor a finding",
                    (_option(decisions, name),),
                    advice=did_you_mean(name, known) or advice,
                )
                for name in wrong
            )
        return [
            Finding("SLW-3304", f"there is no finding {name} (any more)", (_option(decisions, name),), level=Level.HINT)
            for name in gone
        ]

    @property
    def _seen(self) -> Observed:
        if self._observed is None:
            raise ValueError("execute() needs a plan() before it")
        return self._observed

    def history(self) -> History | None:
        """The rendered history that this run keeps, if it was asked to."""
        settings = self._settings
        if settings.rendered_dir is None or not settings.keeps_history:
            return None
        made = made_namespaces(self._seen)
        return History(settings.rendered_dir, settings.files_dir, self._manifest, self.masker, made)

    def execute(self, plan: Plan) -> Report:
        """Carry out ``plan``. When the cluster moved since it was made, it is made again under the lock."""
        started = time.monotonic()
        blocked = {p.name: p.reason for p in plan.addons if p.action is Action.BLOCKED}
        removing = self._settings.operation == "remove"
        leaving = removing and not plan.addons
        leaving = leaving and (bool(self._earlier.results) or left_home(self._seen, self._settings.namespace))
        if not leaving and not any(p.acts or p.again for p in plan.addons):
            results = {name: Result(Outcome.FAILED, reason) for name, reason in blocked.items()}
            return Report(plan, results, {}, time.monotonic() - started)
        lock = self._lock()
        self._client.guard = lock.check_alive
        try:
            Store(self._client, self._seen, self._settings.namespace).ensure_home()
            lock.acquire(self._settings.lock_wait, self._on_wait)
            self._client.guard = lock.check
            if self._moved_on():
                self._manifest = self._reload("")
                self.masker.add(self._manifest.secrets)
                plan = self.plan()
            store = Store(self._client, self._seen, self._settings.namespace)
            store.ensure_key()
            results, kept, due = self._act(plan, store, lock)
            done = all(result.done for result in results.values())
            going = (Action.REMOVE, Action.DISOWN)
            removed = leaving or (done and any(p.action in going for p in plan.addons))
            leave_home(self._client, self._seen, store, lock, Waiter(self._client, plan.name), removed=removed)
        finally:
            lock.release()
            self._client.guard = None
        return Report(plan, results, kept, time.monotonic() - started, due)

    def _act(
        self, plan: Plan, store: Store, lock: Lock
    ) -> tuple[dict[str, Result], dict[str, list[str]], list[DueHook]]:
        acting = {p.name: p for p in plan.addons if p.acts or p.again or p.action is Action.BLOCKED}
        removers: dict[str, Remover] = {}
        with ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="slipway-write") as pool:
            work = Work(
                self._client,
                self._seen,
                store,
                self.masker,
                self._emit,
                pool,
                self._settings.who or lock.identity,
                self._manifest.secrets,
                self._settings.history_max,
            )
            waiter = Waiter(self._client, self._seen.name)
            for event in remove_leftovers(self._client, self._seen.namespaces, plan.name):
                self._emit(event)
            second = SecondLook(work, self._last_planner, self._reload, self._complete)
            segment = Segment(acting.values())

            def act(name: str) -> None:
                one = acting[name]
                if one.action is Action.REMOVE:
                    remover = Remover(work, waiter, one, self._settings.consent)
                    remover.run()
                    removers[name] = remover
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
            results = self._scheduled(act, graph, list(acting), blocked, self._settings.concurrency, segment)
            # Namespaces empty by themselves: all of them are waited for at once.
            going = [o.id.name for n in removers for o in acting[n].objects if o.id.kind == "Namespace"]
            inhabitants = Inhabitants(self._client, self._seen, going)
            later = segment.later(results)

            def finish(name: str) -> None:
                removers[name].finish(inhabitants, later)

            results.update(self._scheduled(finish, {}, list(removers), {}, THREADS * 4))
            due = segment.due(graph, results, self._manifest.addons, self._manifest.capabilities)
            check_new(due, self._earlier)
            return results, {name: remover.kept for name, remover in removers.items()}, due

    def _scheduled(
        self,
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
                self._emit(Event(name, "failed", self.masker.text(str(exc))))
                raise

        return Schedule(
            depends=depends,
            task=told,
            workers=workers,
            blocked=blocked,
            held=segment.held if segment else (),
            opened=segment.opened if segment else (),
            on_skip=lambda name, reason: self._emit(Event(name, "skipped", reason)),
        ).run(order)

    def _lock(self) -> Lock:
        return Lock(
            self._client,
            namespace=self._settings.namespace,
            operation=self._settings.operation,
            duration=self._settings.lock_duration,
            alive=self._alive,
        )

    def _on_wait(self, holder: Holder) -> None:
        self._emit(Event("", "waiting", str(holder)))

    def _moved_on(self) -> bool:
        """Whether another run changed records between our plan and the lock. Who began at the same moment as we did
        has made the digest key by now: that is found when ours is stored."""
        now = record_versions(self._client, name=self._manifest.name, namespace=self._settings.namespace)
        return now != self._seen.versions

    def _render_context(self, observed: Observed, helm: Helm) -> RenderContext:
        settings = self._settings
        return RenderContext(
            kube_version=observed.version,
            api_versions=(),
            is_upgrade=False,
            helm=helm,
            cache_dir=settings.cache_dir.expanduser(),
            kustomize=settings.kustomize,
            repositories=settings.repositories,
            server=settings.server,
        )

    def _learn_secrets(self, plans: list[AddonPlan]) -> None:
        """Before anything is printed: what stands in a rendered Secret is secret, wherever it came from."""
        for plan in plans:
            for obj in rendered_secrets(plan.rendered) if plan.rendered else ():
                self.masker.add(secret_strings(obj))


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


def _option(decisions: Decisions, name: str) -> str:
    return f"slipway_{decisions.said(name)}"
