# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Plan the way back to a state that was applied before: object by object, by the rules of every other change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..kube.client import Client
from .errors import EngineError, FindingsError
from .finding import NOWHERE, Finding
from .masking import Masker
from .model import Addon, ChartSource
from .names import did_you_mean
from .observe import Observed
from .plan import Action, AddonPlan, Op
from .planner import Planner
from .record import Record, ReleaseState
from .rendering import Renderer
from .restoring import Restorer, refused
from .sources.chart import load_chart
from .states import State, choose, current_of, states_of

_CRD = "CustomResourceDefinition"


class RollbackPlanner:
    """``addons`` are the manifest's; ``namespace`` is that of the records. Nothing is rendered or downloaded: where a
    rollback is needed, a repository may be what is missing."""

    def __init__(
        self,
        client: Client,
        observed: Observed,
        planner: Planner,
        renderer: Renderer,
        addons: Mapping[str, Addon],
        namespace: str,
        secrets: Masker,
    ) -> None:
        self._client = client
        self._observed = observed
        self._planner = planner
        self._addons = addons
        self._renderer = renderer
        self._namespace = namespace
        self._restorer = Restorer(client, observed, addons, secrets)

    def plan(self, revisions: Mapping[str, int]) -> list[AddonPlan]:
        """``revisions`` by add-on; 0 is the state before the live one. Raises ``FindingsError``, all at once."""
        plans: list[AddonPlan] = []
        findings: list[Finding] = []
        for name, number in revisions.items():
            try:
                plans.append(self._one(name, number))
            except FindingsError as exc:
                findings += exc.findings
            except EngineError as exc:
                findings.append(refused(name, exc.code, exc.message, exc.advice))
        if findings:
            raise FindingsError(findings)
        return plans

    def _one(self, name: str, number: int) -> AddonPlan:
        record = self._observed.records.get(name)
        if record is None:
            known = self._observed.records
            advice = "it is in the manifest, and not installed" if name in self._addons else did_you_mean(name, known)
            raise FindingsError([refused(name, "SLW-3401", "there is no such add-on to roll back", advice)])
        states = states_of(self._client, self._observed, record, self._namespace)
        state = choose(record, states, number)
        if state is None:
            raise FindingsError([self._unknown(name, number, states)])
        work = self._restorer.work(record, state)
        plan = self._planner.examined(work)
        plan.notes += work.notes
        self._finish(plan, record, state, current_of(record, states))
        return plan

    def _finish(self, plan: AddonPlan, record: Record, state: State, current: int) -> None:
        plan.rollback_to = state.number
        self._moved_by_helm(plan, record)
        self._not_rolled_back(plan, state)
        unknown = isinstance(state.kept, dict) and not state.kept.get("config") and not record.store_values
        if unknown:
            plan.values = []
            plan.notes.append(f"the values of revision {state.number} are not stored (store_values: false)")
        if plan.action is not Action.BLOCKED:
            quiet = all(o.op in (Op.NONE, Op.SHARED, Op.KEEP) for o in plan.objects)
            if quiet and state.number == current and record.state is ReleaseState.APPLIED:
                plan.action, plan.reason = Action.UNCHANGED, f"is at revision {current}"
                return
            plan.action = Action.ROLLBACK
            plan.reason = f"to revision {state.number} of {state.when}"
            self._say_what_the_manifest_wants(plan)

    def _moved_by_helm(self, plan: AddonPlan, record: Record) -> None:
        """What Helm did since is somebody's change: only a rule overrules it."""
        moved = [d for d in plan.drift if d.object.startswith("release ") and d.decision != "overwrite"]
        for drift in moved:
            message = f"Helm has moved the release since, {drift.note}: a rollback would undo that"
            advice = f"if that is meant: -e slipway_overwrite={record.addon}"
            plan.problems.append(refused(record.addon, "SLW-3405", message, advice))
        if moved:
            plan.action, plan.reason = Action.BLOCKED, plan.problems[0].message

    def _not_rolled_back(self, plan: AddonPlan, state: State) -> None:
        crds = {o.id for o in plan.objects if o.id.kind == _CRD and o.desired is None}
        others = f" is not in revision {state.number} and stays: "
        plan.objects = [
            replace(o, op=Op.NONE, note="CRDs are not rolled back")
            if o.id in crds
            else replace(o, note=f"not in revision {state.number}")
            if o.op is Op.DELETE and o.note == "no longer in the source"
            else o
            for o in plan.objects
        ]
        leftover = " is no longer in the source and stays: "
        plan.notes = [n.replace(leftover, others) for n in plan.notes if n.partition(leftover)[0] not in map(str, crds)]
        if crds:
            plan.notes.append("CRDs stay as they are: they are never rolled back")

    def _say_what_the_manifest_wants(self, plan: AddonPlan) -> None:
        addon = self._addons.get(plan.name)
        if addon is None:
            plan.afterwards = "the manifest no longer names this add-on: the next install leaves it as it is"
            return
        inputs, wanted = self._wanted(addon)
        version = plan.version_to
        if inputs == plan.inputs:
            return
        chart = isinstance(addon.source, ChartSource)
        what, stay = "other values" if chart else "something else", f"put revision {plan.rollback_to}'s there to stay"
        if wanted and wanted != version:
            local = isinstance(addon.source, ChartSource) and addon.source.path
            what, stay = wanted, f"put {version} there to stay" if local else f"pin `version: {version}` to stay"
        where = "" if addon.position == NOWHERE else f" ({addon.position})"
        plan.afterwards = f"the manifest still wants {what}{where}: the next install goes there again; {stay}"

    def _wanted(self, addon: Addon) -> tuple[str, str]:
        """Digest of inputs and version of the chart, as far as the manifest tells without its source."""
        source = addon.source
        if not isinstance(source, ChartSource):
            return self._inputs(addon), ""
        try:
            return self._inputs(addon), source.version or load_chart(source.path).version
        except EngineError:
            return "", ""

    def _inputs(self, addon: Addon) -> str:
        try:
            return self._renderer.inputs_of(addon)
        except EngineError:
            return ""

    def _unknown(self, name: str, number: int, states: list[State]) -> Finding:
        what = f"there is no revision {number}" if number else "there is no earlier state"
        listed = "".join(f"\n    {state}" for state in states) or "\n    none"
        return refused(name, "SLW-3402", f"{what}; these are kept:{listed}")
