# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Render what may have changed, so that every chart sees the APIs that are there and those that arrive in this run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from ..kube.discovery import Discovery
from ..kube.objects import crd_resources, object_id
from .adopting import propose
from .desired import Desired, crds_of, prepare
from .errors import EngineError, FindingsError
from .finding import Finding, KeyPath
from .model import Addon, ObjectsSource
from .observe import Observed
from .output import STAND_IN
from .patching import patched
from .plan import Adoption, Proposal
from .record import Record, ReleaseState
from .sources.chart import Chart
from .sources.dependencies import effective_values
from .sources.render import RenderContext, Rendered, chart_of, identity, render
from .sources.schema import validate_values

_SHARED_KINDS = ("Namespace", "CustomResourceDefinition")


@dataclass
class Rendering:
    """The outcome for one add-on. ``rendered`` is None when nothing can have changed."""

    addon: Addon
    identity: str
    inputs: str
    rendered: Rendered | None = None
    is_upgrade: bool = False
    desired: list[Desired] | None = None
    too_early: str = ""
    """Why it cannot be rendered with stand-ins for outputs; that is no error before its turn."""
    notes: list[str] = field(default_factory=list)


def inputs_digest(addon: Addon, source: str, observed: Observed, apis: tuple[str, ...] | None) -> str:
    """Of all that decides what a release looks like. ``apis`` only where the chart asks for capabilities."""
    return observed.digester.of(
        {
            "source": source,
            "values": addon.values,
            "release": addon.release,
            "namespace": addon.namespace,
            "crds": addon.crds,
            "patches": addon.patches,
            "kubernetes": observed.version,
            "apis": apis,
        }
    )


class Renderer:
    """Renders in a pool; starts no process for an add-on whose inputs and objects are as recorded, unless
    ``everything`` is wanted."""

    def __init__(self, context: RenderContext, observed: Observed, workers: int, everything: bool = False) -> None:
        self._context = context
        self._observed = observed
        self._workers = workers
        self._everything = everything
        self._apis = observed.discovery.api_versions()

    def run(self, addons: Iterable[Addon], look_at: Mapping[str, bool]) -> dict[str, Rendering]:
        """``look_at`` names the add-ons to be rendered whatever their inputs. All render errors are raised at once."""
        work = {addon.name: self._start(addon) for addon in addons}
        pending = [r for r in work.values() if self._everything or look_at[r.addon.name] or self._changed(r)]
        failures: dict[str, list[Finding]] = {}
        while pending:
            found = self._render(pending)
            failures = {r.addon.name: f for r, f in zip(pending, found, strict=True) if f}
            before = self._apis
            self._apis = tuple(sorted({*before, *self._arriving(work.values())}))
            if self._apis == before:
                break
            # New APIs arrive in this run: charts that ask for capabilities must be told, those that failed above all.
            pending = [r for r in work.values() if self._gated(r) or r.too_early or r.addon.name in failures]
        if failures:
            raise FindingsError(finding for found in failures.values() for finding in found)
        for rendering in work.values():
            gated = self._gated(rendering)
            record = self._record(rendering)
            if not self._observed.comparable and record and not self._changed(rendering):
                rendering.inputs = record.inputs
                continue
            rendering.inputs = inputs_digest(
                rendering.addon, rendering.identity, self._observed, self._apis if gated else None
            )
        self._prepare(work)
        return work

    def propose(self, rendering: Rendering, wanted: list[Adoption]) -> Proposal:
        """What to write into the manifest for fields that somebody changed: charts are tried out for it."""
        addon = rendering.addon
        if rendering.rendered is None:
            raise ValueError(f"add-on {addon.name} was not rendered")
        context = replace(self._context, api_versions=self._apis, is_upgrade=rendering.is_upgrade, find_random=False)
        chart = chart_of(addon, context)
        seen = effective_values(chart, addon.values) if chart else {}

        def attempt(trial: Addon) -> Rendered:
            return patched(trial, render(trial, context, chart))

        return propose(addon, rendering.rendered, seen, wanted, attempt)

    def inputs_of(self, addon: Addon) -> str:
        """The digest of what the manifest says of an add-on, without rendering it. Raises RenderError SLW-2xxx."""
        return self._start(addon).inputs

    def _start(self, addon: Addon) -> Rendering:
        source = identity(addon, self._context)
        if isinstance(addon.source, ObjectsSource):
            # Inline objects may hold secrets, and short ones: a plain hash of them would be a way to guess.
            source = f"objects:{self._observed.digester.of(source)}"
        rendering = Rendering(addon, source, "")
        apis = self._apis if self._gated(rendering) else None
        rendering.inputs = inputs_digest(addon, source, self._observed, apis)
        return rendering

    def _record(self, rendering: Rendering) -> Record | None:
        return self._observed.records.get(rendering.addon.name)

    def _changed(self, rendering: Rendering) -> bool:
        record = self._record(rendering)
        if record is None or record.state is not ReleaseState.APPLIED:
            return True
        if not self._observed.comparable:
            return record.identity != rendering.identity and not isinstance(rendering.addon.source, ObjectsSource)
        return record.inputs != rendering.inputs

    def _gated(self, rendering: Rendering) -> bool:
        if rendering.rendered is not None:
            return rendering.rendered.gated
        record = self._record(rendering)
        return record is not None and record.gated

    def _render(self, renderings: list[Rendering]) -> list[list[Finding]]:
        """Findings for each, in the same order."""

        def one(rendering: Rendering) -> list[Finding]:
            record = self._record(rendering)
            changed = record is not None and self._changed(rendering)
            adopted = (rendering.addon.namespace, rendering.addon.release) in self._observed.releases
            is_upgrade = adopted if record is None else record.upgraded or (changed and record.revision > 0)
            context = replace(self._context, api_versions=self._apis, is_upgrade=is_upgrade)
            try:
                chart = chart_of(rendering.addon, context)
                refused = validate_values(rendering.addon, chart) if chart else []
                refused = [f for f in refused if not uses_stand_in(rendering.addon, f.path[2:])]
                if refused:
                    return refused
                rendering.is_upgrade = is_upgrade
                rendered, rendering.too_early = _rendered(rendering.addon, context, chart)
                rendering.rendered = replace(rendered, identity=rendering.identity) if rendered else None
            except FindingsError:
                raise
            except EngineError as exc:
                path = ("slipway_addons", rendering.addon.name)
                return [Finding(exc.code, exc.message, path, rendering.addon.position, advice=exc.advice)]
            return []

        with ThreadPoolExecutor(max_workers=self._workers, thread_name_prefix="slipway-render") as pool:
            return list(pool.map(one, renderings))

    def _arriving(self, renderings: Iterable[Rendering]) -> set[str]:
        found: set[str] = set()
        for rendering in renderings:
            for crd in crds_of(rendering.rendered) if rendering.rendered else ():
                for resource in crd_resources(crd):
                    found.update((resource.api_version, f"{resource.api_version}/{resource.kind}"))
        return found

    def _emptied(self, rendering: Rendering) -> bool:
        """A source that is suddenly empty is taken for broken: nothing is pruned in a run that has one."""
        record = self._record(rendering)
        has = record is not None and any(not obj.hook and obj.kind != "Namespace" for obj in record.objects)
        return has and all(desired.bare for desired in rendering.desired or ())

    def _prepare(self, work: Mapping[str, Rendering]) -> None:
        served = with_arriving(self._observed.discovery, work.values())
        failures: list[Finding] = []
        for rendering in work.values():
            if rendering.rendered is None:
                continue
            addon = rendering.addon
            try:
                rendering.desired = prepare(addon, rendering.rendered, served, self._observed.name)
            except EngineError as exc:
                failures.append(
                    Finding(exc.code, exc.message, ("slipway_addons", addon.name), addon.position, advice=exc.advice)
                )
            if self._emptied(rendering) and not addon.unknown:
                failures.append(_empty(addon))
        failures += _doubles(work.values())
        if failures:
            raise FindingsError(failures)


def _rendered(addon: Addon, context: RenderContext, chart: Chart | None) -> tuple[Rendered | None, str]:
    """What the source renders; or why it does not, where stand-ins for outputs may be the reason."""
    try:
        return patched(addon, render(addon, context, chart)), ""
    except EngineError as exc:
        if not addon.unknown:
            raise
        return None, exc.message


def uses_stand_in(addon: Addon, path: KeyPath) -> bool:
    """Whether a value at, above or below ``path`` (below the add-on) has a stand-in."""
    unknown = {lack.output for lack in addon.unknown}
    late = (one for one, names in addon.outputs.items() if not unknown.isdisjoint(names))
    return any(path[: len(one)] == one[: len(path)] for one in late)


def _empty(addon: Addon) -> Finding:
    return Finding(
        "SLW-2503",
        f"add-on {addon.name} renders no object any more: an upgrade would delete all that it has installed",
        ("slipway_addons", addon.name),
        addon.position,
        advice=f"if that is meant: enabled: false, and consent to its removal by -e slipway_prune={addon.name}",
    )


def with_arriving(discovery: Discovery, renderings: Iterable[Rendering]) -> Discovery:
    """The cluster's kinds, and those whose CRDs this run brings. ``discovery`` itself is extended."""
    for rendering in renderings:
        for crd in crds_of(rendering.rendered) if rendering.rendered else ():
            for resource in crd_resources(crd):
                discovery.add(resource)
    return discovery


def _doubles(renderings: Iterable[Rendering]) -> list[Finding]:
    """One object in two add-ons would be fought over. Namespaces and CRDs may be shared: the first one applies."""
    seen: dict[object, Addon] = {}
    found = []
    for rendering in renderings:
        for desired in rendering.desired or ():
            other = seen.setdefault(desired.id, rendering.addon)
            late = STAND_IN in desired.id.name
            if other is not rendering.addon and desired.id.kind not in _SHARED_KINDS and not late:
                found.append(
                    Finding(
                        "SLW-2502",
                        f"{desired.id} is rendered by add-on {other.name} and by {rendering.addon.name}",
                        ("slipway_addons", rendering.addon.name),
                        rendering.addon.position,
                        advice="give one of them another namespace or name",
                    )
                )
    return found


def crd_edges(renderings: Iterable[Rendering]) -> dict[str, set[str]]:
    """Who must come first because it brings the CRD of an object: add-on → providers."""
    provider: dict[tuple[str, str], str] = {}
    work = list(renderings)
    for rendering in work:
        for crd in crds_of(rendering.rendered) if rendering.rendered else ():
            for resource in crd_resources(crd):
                provider.setdefault((resource.group, resource.kind), rendering.addon.name)
    edges: dict[str, set[str]] = {}
    for rendering in work:
        for obj in rendering.rendered.objects if rendering.rendered else ():
            identity_ = object_id(obj)
            owner = provider.get((identity_.group, identity_.kind))
            if owner and owner != rendering.addon.name:
                edges.setdefault(rendering.addon.name, set()).add(owner)
    return edges
