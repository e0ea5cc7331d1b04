# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Whose an object or a release is: what is not ours is not touched, and a release of ours is not moved."""

from __future__ import annotations

from ..kube.objects import Json
from .desired import CRDS, CREATED_BY, NAMESPACES, Desired
from .finding import Finding
from .model import Addon, ChartSource
from .observe import HelmRelease, Observed, addon_of, of_release, owner_of
from .record import Record, ReleaseState


def moved_elsewhere(observed: Observed, addon: Addon, record: Record | None) -> Finding | None:
    """A release is never moved: that would uninstall it, data and all, and install an empty one."""
    if record is None or not any(o.id in observed.live for o in record.objects if o.kind != "Namespace"):
        return None
    was, now = (record.namespace, record.release), (addon.namespace, addon.release)
    if was[0] == now[0] and (was[1] == now[1] or not isinstance(addon.source, ChartSource)):
        return None
    return Finding(
        "SLW-3202",
        f"add-on {addon.name} is installed as release {'/'.join(was)}, the manifest now says {'/'.join(now)}",
        ("slipway_addons", addon.name, "namespace" if was[0] != now[0] else "release"),
        addon.position,
        advice=f"write it back, or remove it first: -e slipway_remove_addons={addon.name}; or give the new one "
        "another name",
    )


def given_away(addon: Addon, record: Record | None) -> Finding | None:
    """An add-on that is half disowned is nobody's: it cannot be applied until that has ended."""
    if record is None or record.state is not ReleaseState.DISOWNING:
        return None
    return Finding(
        "SLW-3413",
        f"add-on {addon.name} was being disowned by {record.who} at {record.when}, and that did not end",
        ("slipway_addons", addon.name),
        addon.position,
        advice=f"end it: slipway.cluster.remove -e slipway_disown={addon.name}; adopt: true then takes it back",
    )


def not_ours(observed: Observed, addon: Addon, desired: Desired, existing: Json) -> Finding | None:
    """An object that is there and is not recorded for this add-on: ours after a crash, or somebody's."""
    holder = addon_of(existing, observed.name)
    made_by_us = (existing.get("annotations") or {}).get(CREATED_BY) == observed.name
    # Helm made it for a revision of the release that the record names.
    record = observed.records.get(addon.name)
    of_ours = bool(record and record.revision) and of_release(existing, addon.namespace, addon.release)
    if holder == addon.name or addon.adopt or made_by_us or of_ours:
        return None
    if holder and holder not in observed.records:
        # Kept by an earlier removal (a CRD, a PVC, `resource-policy: keep`): take it up again.
        return None
    if desired.rank in (NAMESPACES, CRDS) and holder:
        return None
    return foreign(addon, str(desired.id), owner_of(existing))


def foreign(addon: Addon, what: str, who: object) -> Finding:
    owner = f"installed by Helm, revision {who.revision}" if isinstance(who, HelmRelease) else f"belongs to {who}"
    return Finding(
        "SLW-3201",
        f"{what} is already there and {owner}",
        ("slipway_addons", addon.name),
        addon.position,
        advice="nothing foreign is touched: choose another name or namespace, or set adopt: true for this add-on",
    )
