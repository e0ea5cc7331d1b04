# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One way in for the four kinds of source: from an add-on to its objects."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ..errors import RenderError
from ..model import Addon, ChartSource, KustomizeSource, ManifestsSource, ObjectsSource
from .chart import Chart, content_digest, load_chart, require_dependencies
from .chart_object import chart_object
from .codes import LOOKUP_BLOCKED
from .context import RenderContext, Rendered
from .fetch import chart_path
from .helm import LookupRefusedError, TemplateRequest
from .inspect import traits
from .kustomize import kustomize_identity, kustomize_objects
from .manifests import Placed, inline_objects, manifest_objects, manifests_identity, objects_identity
from .objects import refuse_duplicates
from .output import ChartOutput, parse_output
from .variation import varying_fields

__all__ = ["RenderContext", "Rendered", "chart_of", "identity", "render"]


def render(addon: Addon, ctx: RenderContext, chart: Chart | None = None) -> Rendered:
    """The add-on's objects as they should be on the cluster. Raises RenderError SLW-2xxx.

    ``chart`` is that of ``chart_of``, where it has been read already. Only sources that need a program start one:
    Helm once a chart, twice where values are random.
    """
    source = addon.source
    if isinstance(source, ChartSource):
        return _render_chart(addon, source, ctx, chart)
    placed = _placed(source, ctx)
    refuse_duplicates(placed, addon.namespace)
    return Rendered(objects=tuple(obj for obj, _place in placed), identity=identity(addon, ctx))


def identity(addon: Addon, ctx: RenderContext) -> str:
    """What the source is, in one line, without starting a process and without the network. Raises RenderError.

    It changes when, and only when, the source's content may have changed.
    """
    source = addon.source
    if isinstance(source, ChartSource):
        if source.path:
            return f"chart:{content_digest(source.path)}"
        parts = (source.repo.rstrip("/"), source.name, source.version, source.digest)
        return f"chart:{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()}"
    if isinstance(source, KustomizeSource):
        return kustomize_identity(source)
    if isinstance(source, ManifestsSource):
        return manifests_identity(source)
    return objects_identity(source)


def _placed(source: KustomizeSource | ManifestsSource | ObjectsSource, ctx: RenderContext) -> list[Placed]:
    if isinstance(source, KustomizeSource):
        return kustomize_objects(source, ctx.kustomize)
    if isinstance(source, ManifestsSource):
        return manifest_objects(source)
    return inline_objects(source)


def _render_chart(addon: Addon, source: ChartSource, ctx: RenderContext, known: Chart | None) -> Rendered:
    path = chart_path(source, ctx)
    chart = known or load_chart(path)
    require_dependencies(chart)
    found = traits(chart, addon.values)
    request = TemplateRequest(
        release=addon.release,
        namespace=addon.namespace,
        chart=path,
        values=addon.values,
        kube_version=ctx.kube_version,
        api_versions=ctx.api_versions,
        is_upgrade=ctx.is_upgrade,
        server=ctx.server if found.lookup else None,
    )
    twice = found.random and ctx.find_random
    text, again, blind = _run(request, ctx, twice)
    output = parse_output(text)
    refuse_duplicates((*output.objects, *output.crds), addon.namespace)
    random = varying_fields(_everything(output), _everything(parse_output(again))) if again else ()
    return Rendered(
        objects=tuple(obj for obj, _place in output.objects),
        crds=tuple(obj for obj, _place in output.crds),
        hooks=output.hooks,
        identity=identity(addon, ctx),
        version=chart.version,
        app_version=chart.app_version,
        manifest=output.manifest,
        chart=chart_object(chart, addon.values),
        gated=found.gated,
        uses_lookup=found.lookup,
        blind=bool(blind) or (found.lookup and ctx.server is None),
        blindness=blind or _EARLY,
        random=random,
    )


_EARLY = "unverified: the chart looks into the cluster, and APIs it needs arrive in this run"
_REFUSED = "unverified (rights): the chart looks into the cluster where this credential may not"


def _run(request: TemplateRequest, ctx: RenderContext, twice: bool) -> tuple[str, str, str]:
    """The rendered text, that of a second render where it is asked for and differs, and why `lookup` was blind."""
    with ThreadPoolExecutor(2) as pool:
        second = pool.submit(ctx.helm.template, request) if twice else None
        try:
            first = ctx.helm.template(request)
            other = second.result() if second else first
        except RenderError as err:
            refused = isinstance(err, LookupRefusedError)
            if not refused and (err.code != LOOKUP_BLOCKED or request.is_upgrade):
                raise
            # A reader's plan says so. Or a first install whose own CRDs are still to come: Helm 4 refuses to look.
            # Nothing of this release is on the cluster yet, so rendering without the cluster shows what it would find
            # of its own: nothing.
            text, again, _blind = _run(replace(request, server=None), ctx, twice)
            return text, again, _REFUSED if refused else _EARLY
    return first, other if other != first else "", ""


def _everything(output: ChartOutput) -> list[dict[str, object]]:
    return [obj for obj, _place in output.objects] + [hook.object for hook in output.hooks]


def chart_of(addon: Addon, ctx: RenderContext) -> Chart | None:
    """The add-on's chart, fetched if need be, for checks before rendering; None for other sources."""
    return load_chart(chart_path(addon.source, ctx)) if isinstance(addon.source, ChartSource) else None
