# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What an AWX has that may be ours, as its API shows it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from . import naming
from .credentials import KINDS
from .definitions import of_clusters
from .settings import Settings, Survey

Item = dict[str, Any]

_MARK = "\0"
"""In place of a cluster's name, which cannot have it."""


@dataclass(frozen=True)
class There:
    """``objects``: of our organization where they have one, by the kinds of definitions."""

    objects: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    def names(self, kind: str) -> frozenset[str]:
        return frozenset(str(one["name"]) for one in self.objects.get(kind, ()))

    def templates_of(self, project: str) -> frozenset[str]:
        """Names of job templates whose files are in this project."""
        return frozenset(
            str(one["name"]) for one in self.objects.get("job_templates", ()) if _related(one, "project") == project
        )

    def credentials(self, settings: Settings) -> Iterator[tuple[Item, bool]]:
        """Those of our types, whoever made them, and whether they are our organization's."""
        types = {naming.type_name(settings, kind) for kind in KINDS}
        for one in self.objects.get("credentials", ()):
            kind = _related(one, "credential_type")
            if kind in types:
                ours = _related(one, "organization") == settings.organization
                yield {"name": str(one["name"]), "credential_type": kind}, ours

    def clusters(self, settings: Settings, operations: Sequence[Survey]) -> list[str]:
        """Those that have job templates in our project, or an inventory that says that it is of one of ours."""
        found = [
            cluster
            for name in sorted(self.templates_of(naming.project_name(settings)))
            for operation in operations
            for cluster in _filled(partial(naming.template_name, settings, operation=operation), name)
        ]
        for thing in self.objects.get("inventories", ()):
            for cluster in _filled(partial(naming.inventory_name, settings), str(thing["name"])):
                (ours,) = of_clusters(settings, [{"name": cluster, "inventory": {}}], ())["inventories"]
                if thing.get("description") == ours["description"] and ours["name"].startswith(settings.prefix):
                    found.append(cluster)
        return list(dict.fromkeys(found))


def begin(settings: Settings, operations: Sequence[Survey]) -> str:
    """How all names begin that may be ours, so that AWX need not show everything that it has."""
    cluster = of_clusters(settings, [{"name": _MARK, "inventory": ""}], operations)
    names = [str(item["name"]) for items in cluster.values() for item in items]
    return settings.prefix if all(name.startswith(settings.prefix) for name in names) else ""


def _related(thing: Mapping[str, Any], field_name: str) -> str:
    return str((thing.get("summary_fields", {}).get(field_name) or {}).get("name", ""))


def _filled(pattern: Callable[..., str], name: str) -> Iterator[str]:
    """The cluster with which the pattern gives this name."""
    expression = "([a-z0-9-]+)".join(re.escape(part) for part in pattern(cluster=_MARK).split(_MARK))
    found = re.fullmatch(expression, name)
    # A pattern may have it twice.
    if found and pattern(cluster=found[1]) == name:
        yield found[1]
