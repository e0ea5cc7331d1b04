# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a removal may destroy: explicit variables, never a prompt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from .errors import ConsentError
from .record import Record


@dataclass(frozen=True)
class Consent:
    """``addons``: to be removed. ``pvcs``: add-ons whose volumes go too. ``crds``: add-on → number of foreign
    custom resources that its CRDs may take with them. ``kept``: add-ons whose objects marked
    ``helm.sh/resource-policy: keep`` go too. ``protected``: protected add-ons that may go.
    ``prune``: dropped add-ons that may go; ``prune_all`` consents to every one that the plan shows.
    ``scale_down``: add-ons whose replicas may become fewer although they call that unsafe."""

    addons: tuple[str, ...] = ()
    pvcs: frozenset[str] = frozenset()
    crds: Mapping[str, int] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    protected: frozenset[str] = frozenset()
    prune: frozenset[str] = frozenset()
    prune_all: bool = False
    scale_down: frozenset[str] = frozenset()


def names_to_remove(consent: Consent, records: Mapping[str, Record], manifest: Iterable[str]) -> list[str]:
    """The named add-ons that are there. A name that neither cluster nor manifest knows is an error."""
    known = {*records, *manifest}
    for name in consent.addons:
        if name not in known:
            near = get_close_matches(name, sorted(known), n=1)
            advice = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known)) or 'none'}"
            raise ConsentError("SLW-5001", f"slipway_remove_addons names {name!r}, which is no add-on here", advice)
    return [name for name in dict.fromkeys(consent.addons) if name in records]


def names_to_prune(
    consent: Consent, records: Mapping[str, Record], manifest: Iterable[str]
) -> tuple[list[str], list[str]]:
    """Dropped add-ons: (to be removed, shown only)."""
    wanted = set(manifest)
    dropped = sorted(name for name in records if name not in wanted)
    if consent.prune_all and not wanted and dropped:
        raise ConsentError(
            "SLW-5005",
            f"the manifest is empty and slipway_prune is true: all {len(dropped)} add-ons would be removed",
            f"if that is meant, name them: -e slipway_prune={','.join(dropped)}",
        )
    unknown = sorted(consent.prune - set(dropped))
    if unknown:
        raise ConsentError(
            "SLW-5006",
            f"slipway_prune names {', '.join(unknown)}, which was not dropped from the manifest",
            f"dropped: {', '.join(dropped) or 'none'}",
        )
    chosen = [name for name in dropped if consent.prune_all or name in consent.prune]
    return chosen, [name for name in dropped if name not in chosen]


def check_removal(names: Iterable[str], records: Mapping[str, Record], consent: Consent) -> None:
    """Refuse what others need, and what is protected."""
    going = set(names)
    for name in sorted(going):
        record = records[name]
        needed_by = sorted(
            f"{other.addon} ({', '.join(sorted(set(other.requires) & set(record.provides)))})"
            for other in records.values()
            if other.addon not in going and set(other.requires) & set(record.provides)
        )
        dependents = [text.split()[0] for text in needed_by]
        if needed_by:
            raise ConsentError(
                "SLW-5002",
                f"add-on {name} is needed by {', '.join(needed_by)}",
                f"remove those too: slipway_remove_addons={','.join([*sorted(going), *dependents])}",
            )
        if record.protected and name not in consent.protected:
            raise ConsentError(
                "SLW-5003", f"add-on {name} is protected", f"consent: -e slipway_remove_protected={name}"
            )


def removal_order(names: Iterable[str], records: Mapping[str, Record]) -> list[str]:
    """Dependents before what they depend on, by the recorded edges; ties by name."""
    left = set(names)
    order: list[str] = []
    while left:
        free = sorted(n for n in left if not any(n in records[o].depends for o in left if o != n))
        # Recorded edges of different runs may contradict each other; then the name decides.
        order += free or sorted(left)[:1]
        left -= set(order)
    return order


def removal_edges(names: Iterable[str], records: Mapping[str, Record]) -> dict[str, set[str]]:
    """Who must be gone before whom: add-on → dependents that are removed in the same run."""
    going = set(names)
    position = {name: i for i, name in enumerate(removal_order(going, records))}
    return {name: {o for o in going if name in records[o].depends and position[o] < position[name]} for name in going}
