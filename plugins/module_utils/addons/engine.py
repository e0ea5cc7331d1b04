# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The engine: look, plan, act. A dry run is the same code up to ``execute``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from ..kube.client import Client
from .answers import check_names
from .consent import names_to_prune, names_to_remove
from .crew import Crew
from .disown import DisownPlanner, names_to_disown
from .errors import FindingsError
from .history.history import History, made_namespaces
from .home import leave_home, left_home
from .late import mark
from .lock import Holder, Lock
from .masking import Masker, rendered_secrets, secret_strings
from .model import Addon, Manifest
from .observe import Observed, observe, record_versions
from .plan import Action, AddonPlan, Plan
from .planner import Planner
from .removal import RemovalPlanner
from .rendering import Renderer
from .rollback import RollbackPlanner
from .scaling import lowered, refuse_scale_down
from .schedule import Outcome, Result
from .second_look import SecondLook
from .segments import DueHook, Earlier, settle, take_up, without_hooks_alone
from .select import select
from .settings import Settings
from .sources.context import RenderContext
from .sources.helm import Helm
from .status import Status, status
from .waiting import Waiter
from .work import Event, Store


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
        known = {*manifest.addons, *manifest.dropped, *observed.records, *self._earlier.results}
        gone = check_names(settings.decisions, known, (d.id for plan in plans for d in plan.drift))
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

    def unsafe(self) -> dict[str, list[str]]:
        """What installed add-ons call unsafe of what the manifest would have, and nobody has consented to: by name of
        the add-on. Others are not looked at. Nothing is changed."""
        consent = self._settings.consent
        settled = {*consent.scale_down, *consent.addons}
        asked = [a for a in self._manifest.addons.values() if a.scale_down == "unsafe" and a.name not in settled]
        if not asked:
            return {}
        observed = self._observed = observe(self._client, name=self._manifest.name, namespace=self._settings.namespace)
        plans = self._planner(observed).plan([addon for addon in asked if addon.name in observed.records])
        self._learn_secrets(plans)
        found = {plan.name: lowered(self._client, plan) for plan in plans}
        return {name: texts for name, texts in found.items() if texts}

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
            crew = Crew(self._client, self._seen, store, self._manifest, self._settings, self._earlier)
            work = crew.work(self.masker, self._emit, self._settings.who or lock.identity)
            second = SecondLook(work, self._last_planner, self._reload, self._complete)
            with work.pool:
                results, kept, due = crew.carry_out(plan, work, second)
            done = all(result.done for result in results.values())
            going = (Action.REMOVE, Action.DISOWN)
            removed = leaving or (done and any(p.action in going for p in plan.addons))
            leave_home(self._client, self._seen, store, lock, Waiter(self._client, plan.name), removed=removed)
        finally:
            lock.release()
            self._client.guard = None
        return Report(plan, results, kept, time.monotonic() - started, due)

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
