# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""``slipway_awx`` and the operations, checked before AWX is asked anything: every problem at once."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Union

from ..nodes.problem import Problem
from . import schema
from .credentials import KINDS

with suppress(ImportError):  # reported by the shell; import checks of single files may not have it
    from jsonschema import Draft202012Validator

KeyPath = tuple[Union[str, int], ...]
Places = Callable[[KeyPath], str]
"""Where the value of a key path was written; empty where nobody knows."""

NAMES = {
    "template": "{prefix} {cluster}: {operation}",
    "inventory": "{prefix} {cluster}",
    "workflow": "{prefix} {cluster}: plan, approve, install",
}
_FIELDS = {"template": ("cluster", "operation"), "inventory": ("cluster",), "workflow": ("cluster",)}
"""What a pattern of names has to tell apart."""


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
    """``given`` is ``slipway_awx`` with the defaults of its outermost keys."""

    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        return str(self.given["prefix"])

    @property
    def organization(self) -> str:
        return str(self.given["organization"])

    @property
    def shared_credentials(self) -> list[str]:
        """What all clusters have, where they have the same."""
        sets = [list(one.get("credentials") or ()) for one in self.given["clusters"]]
        return sets[0] if sets and all(one == sets[0] for one in sets) else []

    def name(self, pattern: str, **words: str) -> str:
        """``pattern``: a key of ``NAMES``."""
        chosen = {**NAMES, **(self.given.get("names") or {})}[pattern]
        return str(chosen).format(prefix=self.prefix, **words)


_DEFAULTS: dict[str, Any] = {
    "prefix": "Slipway",
    "names": {},
    "credentials": [],
    "notify": [],
    "instance_groups": [],
    "approval_timeout": 0,
    "fleet": True,
}


def read(value: object, operations: Sequence[Survey], places: Places) -> tuple[Settings, list[Problem]]:
    """The settings, which are of use only where there is no problem."""
    problems = shape(value, schema.SETTINGS, "slipway_awx", "SLW-9001", places)
    if problems or not isinstance(value, Mapping):
        return Settings(), problems
    given = {**_DEFAULTS, **value}
    found: list[Problem] = []
    found += _project(given, places)
    found += _patterns(given["names"], places)
    found += _clusters(given, [one.name for one in operations], places)
    found += _credentials(given, places)
    found += _used(given, places)
    return Settings(given), found


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


def shape(value: object, wanted: Mapping[str, Any], name: str, code: str, places: Places) -> list[Problem]:
    """What of ``value`` is not as the JSON Schema ``wanted`` has it, in sentences."""
    found = [
        (path, Problem(code, f"{name}{key_path(path)}: {text}", remedy, places(path)))
        for error in _leaves(Draft202012Validator(wanted).iter_errors(value))
        for path in [tuple(error.absolute_path)]
        for text, remedy in _sentences(error)
    ]
    # Each missing key is an error of its own, and all say the same.
    return list(dict.fromkeys(problem for _path, problem in sorted(found, key=lambda one: list(map(str, one[0])))))


def key_path(path: KeyPath) -> str:
    return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in path)


def _leaves(errors: Iterator[Any]) -> Iterator[Any]:
    """Of alternatives the errors of the one that has the right type."""
    for error in errors:
        if error.validator != "oneOf":
            yield error
            continue
        fitting = [one for one in error.context if one.validator not in ("type", "const")]
        yield from fitting or [error]


def _sentences(error: Any) -> Iterator[tuple[str, str]]:
    rule, limit = error.validator, error.validator_value
    if rule == "additionalProperties":
        known = error.schema.get("properties", {})
        for key in error.instance:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1)
                yield f"{key!r} is not known", f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
    elif rule == "required":
        missing = [key for key in limit if key not in error.instance]
        yield f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing", ""
    elif rule == "type":
        words = {
            "string": "text",
            "object": "a map",
            "array": "a list",
            "integer": "a whole number",
            "boolean": "true or false",
        }
        wanted = [limit] if isinstance(limit, str) else limit
        yield f"{' or '.join(words.get(one, one) for one in wanted)} is wanted", ""
    elif rule == "enum":
        yield f"{error.instance!r} is none of {', '.join(map(str, limit))}", ""
    elif rule in ("minLength", "minItems"):
        yield "is empty", ""
    else:
        yield f"{error.instance!r} is not allowed here", _hint(rule, limit)


def _hint(rule: str, limit: object) -> str:
    hints = {
        schema._CLUSTER: "lower case letters, digits and -, as slipway_name",
        schema._TIME: "write a time as 02:30",
    }
    return hints.get(str(limit), f"{rule}: {limit}" if rule in ("minimum", "maximum", "maxLength") else "")


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
                near = difflib.get_close_matches(one, operations, n=1)
                remedy = f"did you mean {near[0]}?" if near else f"there are: {', '.join(operations)}"
                yield Problem(
                    "SLW-9001", f"slipway_awx{key_path(path)}.operations: {one!r} is not known", remedy, places(path)
                )


def _credentials(given: Mapping[str, Any], places: Places) -> Iterator[Problem]:
    for place, one in enumerate(given["credentials"]):
        kind = KINDS[one["kind"]]
        inputs = one.get("inputs") or {}
        known = [entry.id for entry in kind.fields]
        where = places(("credentials", place))
        for key in inputs:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                remedy = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
                yield Problem(
                    "SLW-9001", f"slipway_awx.credentials[{place}].inputs: {key!r} is not known", remedy, where
                )
        # A pipeline fills in what can be used once.
        lacking = [e.id for e in kind.fields if e.required and not inputs.get(e.id) and not (kind.once and e.secret)]
        if lacking:
            text = f"slipway_awx.credentials[{place}] ({one['name']}) lacks {', '.join(lacking)}"
            yield Problem("SLW-9004", text, "an empty value is none: is the lookup or the variable set?", where)


def _used(given: Mapping[str, Any], places: Places) -> Iterator[Problem]:
    """Whether a job can have these credentials: AWX gives it one of each type, and a schedule none that is used up."""
    kinds = {one["name"]: one["kind"] for one in given["credentials"]}
    fleet = given["fleet"] if isinstance(given["fleet"], Mapping) else {}
    users: list[tuple[KeyPath, Mapping[str, Any], bool]] = [
        (("clusters", place), one, one.get("schedule", True) is not False)
        for place, one in enumerate(given["clusters"])
    ]
    users.append((("fleet",), fleet, fleet.get("schedule", False) is not False))
    users += [
        (("clusters", place, "access_credentials"), {"credentials": one["access_credentials"]}, False)
        for place, one in enumerate(given["clusters"])
        if one.get("access_credentials")
    ]
    for path, user, scheduled in users:
        names = [name for name in user.get("credentials") or () if name in kinds]
        where = places(path)
        for kind in dict.fromkeys(kinds[name] for name in names):
            alike = [name for name in names if kinds[name] == kind]
            if len(alike) > 1:
                text = f"slipway_awx{key_path(path)}: {' and '.join(alike)} are of one type, {KINDS[kind].title}"
                yield Problem("SLW-9001", text, "a job can have one of each type", where)
        once = [name for name in names if KINDS[kinds[name]].once]
        if once and scheduled:
            text = f"slipway_awx{key_path(path)}: {', '.join(once)} holds a wrapped token, which is good for one job"
            yield Problem("SLW-9003", text, "schedule: false, or a credential of another kind", where)
