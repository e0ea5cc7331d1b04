# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""``slipway_awx`` and the operations, checked before AWX is asked anything: every problem at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from ..nodes.problem import Problem
from . import project, schema
from .credentials import KINDS
from .shape import KeyPath, Places, key_path, one_of, shape

NAMES = {
    "template": "{prefix} {cluster}: {operation}",
    "inventory": "{prefix} {cluster}",
    "workflow": "{prefix} {cluster}: plan, approve, install",
}
_FIELDS = {"template": ("cluster", "operation"), "inventory": ("cluster",), "workflow": ("cluster",)}
"""What a pattern of names has to tell apart."""
_OWN = ("fleet", "new_cluster")
"""What may have credentials of its own, beside clusters."""


@dataclass(frozen=True)
class Survey:
    """An operation: a job template for each cluster. ``playbook`` is that of this collection."""

    name: str
    title: str
    playbook: str
    description: str
    questions: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Settings:
    """``given`` is ``slipway_awx`` with the defaults of its outermost keys.

    ``project``: the folder of the project on this machine, where that is known. ``files``: paths of inventories that
    could be looked at there, and whether each is a file. ``stacks``: folders in which jobs find stacks of one's own.
    """

    given: Mapping[str, Any] = field(default_factory=dict)
    project: Optional[Path] = None
    files: Mapping[str, bool] = field(default_factory=dict)
    stacks: Sequence[str] = ()

    @property
    def prefix(self) -> str:
        return str(self.given["prefix"])

    @property
    def organization(self) -> str:
        return str(self.given["organization"])

    @property
    def fleet_clusters(self) -> list[Mapping[str, Any]]:
        """Those that one job can look at together: their inventories are in the project."""
        return [one for one in self.given["clusters"] if isinstance(one["inventory"], str)]

    @property
    def fleet_credentials(self) -> list[str]:
        """Those that are written; else what all clusters of the fleet have."""
        given = self.given["fleet"]
        written = given.get("credentials") if isinstance(given, Mapping) else None
        return _same_of(self.fleet_clusters) if written is None else list(written)

    @property
    def new_credentials(self) -> list[str]:
        """Of a new cluster: those that are written; else what all clusters have."""
        written = self.given["new_cluster"].get("credentials")
        return _same_of(self.given["clusters"]) if written is None else list(written)

    def name(self, pattern: str, **words: str) -> str:
        """``pattern``: a key of ``NAMES``."""
        chosen = {**NAMES, **(self.given.get("names") or {})}[pattern]
        return str(chosen).format(prefix=self.prefix, **words)


def _same_of(clusters: Sequence[Mapping[str, Any]]) -> list[str]:
    sets = [list(one.get("credentials") or ()) for one in clusters]
    return sets[0] if sets and all(one == sets[0] for one in sets) else []


_DEFAULTS: dict[str, Any] = {
    "prefix": "Slipway",
    "names": {},
    "credentials": [],
    "notify": [],
    "instance_groups": [],
    "approval_timeout": 0,
    "fleet": True,
}


def read(
    value: object, operations: Sequence[Survey], places: Places, start: Optional[Path] = None
) -> tuple[Settings, list[Problem]]:
    """The settings, which are of use only where there is no problem.

    ``start``: the folder in which the run was started, which may lie in the project.
    """
    problems = shape(value, schema.SETTINGS, "slipway_awx", "SLW-9001", places)
    if problems or not isinstance(value, Mapping):
        return Settings(), problems
    given = {**_DEFAULTS, **value}
    found: list[Problem] = []
    found += _project(given, places)
    found += _patterns(given["names"], places)
    found += _clusters(given, [one.name for one in operations], places)
    found += _credentials(given, places)
    here = project.root(start, given["project"]) if start else None
    settings = Settings(given, here, _looked_at(given, here) if here else {})
    found += _of_one_type(given, places)
    found += _used_up(settings, places)
    return settings, found


def _looked_at(given: Mapping[str, Any], here: Path) -> dict[str, bool]:
    paths = [one["inventory"] for one in given["clusters"] if isinstance(one["inventory"], str)]
    return {path: (here / path).is_file() for path in paths if (here / path).exists()}


def operation(name: str, value: object) -> tuple[Survey, list[Problem]]:
    """One of the files of operations."""
    where = f"operations/{name}.yml"
    problems = shape(value, schema.OPERATION, name, "SLW-9006", lambda path: where)
    if problems or not isinstance(value, Mapping):
        return Survey(name, "", "", ""), problems
    questions = value.get("survey") or []
    problems += [
        Problem("SLW-9006", f"{name}.survey[{place}]: {text}", "", where)
        for place, question in enumerate(questions)
        for text in _question(question)
    ]
    return Survey(name, value["title"], value["playbook"], value["description"], questions), problems


def _question(given: Mapping[str, Any]) -> Iterator[str]:
    chooses = given["type"] in ("multiplechoice", "multiselect")
    if chooses != bool(given.get("choices")):
        yield "choices are missing" if chooses else f"a question of type {given['type']} has no choices"
    default = given.get("default")
    if chooses and default is not None and default not in given.get("choices", ()):
        yield f"the default {default!r} is none of its choices"
    if given["type"] == "integer" and default is not None and not isinstance(default, int):
        yield f"the default {default!r} is no whole number"


def _project(given: Mapping[str, Any], places: Places) -> Iterator[Problem]:
    project = given["project"]
    if bool(project.get("scm_url")) == bool(project.get("local_path")):
        text = "give either scm_url, or local_path for a folder of AWX's own project root"
        yield Problem("SLW-9001", "slipway_awx.project: where its files are is not clear", text, places(("project",)))
    elif project.get("local_path"):
        for place, cluster in enumerate(given["clusters"]):
            if isinstance(cluster["inventory"], str):
                text = f"slipway_awx.clusters[{place}].inventory: AWX takes none from a project that is a local_path"
                remedy = "give scm_url, or the inventory itself, as ansible-inventory --list prints it"
                yield Problem("SLW-9001", text, remedy, places(("clusters", place, "inventory")))


def _patterns(names: Mapping[str, str], places: Places) -> Iterator[Problem]:
    for key, pattern in names.items():
        needed = _FIELDS[key]
        lacking = [word for word in needed if f"{{{word}}}" not in pattern]
        try:
            pattern.format(prefix="", **dict.fromkeys(needed, ""))
        except (KeyError, IndexError, ValueError) as exc:
            problem = f"{pattern!r} cannot be filled in: {exc}"
        else:
            problem = f"{pattern!r} lacks {', '.join(f'{{{word}}}' for word in lacking)}" if lacking else ""
        if problem:
            known = ", ".join(f"{{{word}}}" for word in ("prefix", *needed))
            yield Problem(
                "SLW-9001", f"slipway_awx.names.{key}: {problem}", f"it is made of {known}", places(("names", key))
            )


def _clusters(given: Mapping[str, Any], operations: Sequence[str], places: Places) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for place, cluster in enumerate(given["clusters"]):
        path: KeyPath = ("clusters", place)
        name = cluster["name"]
        if name in seen:
            text = f"slipway_awx.clusters[{place}]: {name} is clusters[{seen[name]}] as well"
            yield Problem("SLW-9002", text, "names tell clusters apart", places((*path, "name")))
        seen.setdefault(name, place)
        if name == given["prefix"]:
            text = f"slipway_awx.clusters[{place}]: {name} is the prefix of all names as well"
            yield Problem(
                "SLW-9002", text, "a consent to remove one could not be told from the other's", places((*path, "name"))
            )
        for one in cluster.get("operations") or ():
            if one not in operations:
                remedy = one_of(one, operations)
                yield Problem(
                    "SLW-9001", f"slipway_awx{key_path(path)}.operations: {one!r} is not known", remedy, places(path)
                )


def _credentials(given: Mapping[str, Any], places: Places) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for place, one in enumerate(given["credentials"]):
        if one["name"] in seen:
            # AWX would have both, of two types; whoever uses one says no more than its name.
            text = f"slipway_awx.credentials[{place}]: {one['name']} is credentials[{seen[one['name']]}] as well"
            yield Problem("SLW-9002", text, "names tell credentials apart", places(("credentials", place, "name")))
        seen.setdefault(one["name"], place)
        kind = KINDS[one["kind"]]
        inputs = one.get("inputs") or {}
        known = [entry.id for entry in kind.fields]
        where = places(("credentials", place))
        for key in inputs:
            if key not in known:
                remedy = one_of(key, known)
                yield Problem(
                    "SLW-9001", f"slipway_awx.credentials[{place}].inputs: {key!r} is not known", remedy, where
                )
        # A pipeline fills in what can be used once.
        lacking = [e.id for e in kind.fields if e.required and not inputs.get(e.id) and not (kind.once and e.secret)]
        if lacking:
            text = f"slipway_awx.credentials[{place}] ({one['name']}) lacks {', '.join(lacking)}"
            yield Problem("SLW-9004", text, "an empty value is none: is the lookup or the variable set?", where)


def _of_one_type(given: Mapping[str, Any], places: Places) -> Iterator[Problem]:
    """Whether a job can have these credentials together: AWX gives it one of each type."""
    kinds = {one["name"]: one["kind"] for one in given["credentials"]}
    lists: list[tuple[KeyPath, Optional[Sequence[str]]]] = []
    for place, one in enumerate(given["clusters"]):
        lists.append((("clusters", place), one.get("credentials")))
        lists.append((("clusters", place, "access_credentials"), one.get("access_credentials")))
    lists += [((key,), given[key].get("credentials")) for key in _OWN if isinstance(given.get(key), Mapping)]
    for path, written in lists:
        names = [name for name in written or () if name in kinds]
        for kind in dict.fromkeys(kinds[name] for name in names):
            alike = [name for name in names if kinds[name] == kind]
            if len(alike) > 1:
                text = f"slipway_awx{key_path(path)}: {' and '.join(alike)} are of one type, {KINDS[kind].title}"
                yield Problem("SLW-9001", text, "a job can have one of each type", places(path))


def _used_up(settings: Settings, places: Places) -> Iterator[Problem]:
    """Whether something that is scheduled has a credential that is good for one job, written there or not."""
    given = settings.given
    once = {one["name"] for one in given["credentials"] if KINDS[one["kind"]].once}
    no_schedule = "schedule: false, or a credential of another kind"
    scheduled: list[tuple[KeyPath, Sequence[str], str]] = [
        (("clusters", place), one.get("credentials") or (), no_schedule)
        for place, one in enumerate(given["clusters"])
        if one.get("schedule", True) is not False
    ]
    if isinstance(given["fleet"], Mapping) and given["fleet"].get("schedule", False) is not False:
        scheduled.append((("fleet",), settings.fleet_credentials, no_schedule))
    if given.get("new_cluster"):
        remedy = "a new cluster is looked at every night: give new_cluster.credentials of another kind"
        scheduled.append((("new_cluster",), settings.new_credentials, remedy))
    for path, names, remedy in scheduled:
        used = [name for name in names if name in once]
        if used:
            text = f"slipway_awx{key_path(path)}: {', '.join(used)} holds a wrapped token, which is good for one job"
            yield Problem("SLW-9003", text, remedy, places(path))
