# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Every variable that a user has set, against those that the installed Kubespray knows.

Kubespray itself notices none of this: a misspelt name is a variable like any other, and its default stays in force.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from ..nodes.problem import Problem, Severity
from .index import Index
from .magic import is_ansibles
from .near import Names
from .values import problem_of_value

_WITHOUT_EFFECT = frozenset({"any_errors_fatal"})
"""Keywords that Kubespray's plays set from a variable of the same name, which Ansible never gives them."""

_FAMILY = 5
"""So many variables of Kubespray begin with the same word where that word is a part of Kubespray."""

_LONG = 7
"""A single word of fewer letters, such as ``user``, is too much like words that users have of their own."""


class Opaque(Enum):
    """Stands for a value that must not or cannot be looked at."""

    VAULTED = "vaulted"


@dataclass(frozen=True)
class SetVariable:
    """One variable in one place. ``where`` is ``file:line:column``, or what there is instead of it.

    ``extra`` tells that it came as an extra variable: those beat everything that Kubespray itself sets.
    ``literal`` tells that a text is none of Ansible's templates, whatever it looks like.
    """

    name: str
    value: object
    where: str
    extra: bool = False
    literal: bool = False


def check(
    variables: Iterable[SetVariable],
    index: Index,
    *,
    referenced: Collection[str] = (),
    ignore: Collection[str] = (),
    reserved: Collection[str] = (),
) -> list[Problem]:
    """All that is wrong with ``variables``, one problem for each name and kind of problem, in order of place.

    ``referenced`` are names that the user's own templates read: whoever reads a variable knows how it is written.
    ``reserved`` are Ansible's keywords.
    """
    names = Names(name for name in _proposals(index))
    families = Counter(_family(name) for name in index.names if "_" in name)
    found: list[Problem] = []
    for variable in variables:
        if is_ansibles(variable.name) or variable.name in ignore:
            continue
        problem = _judge(variable, index, names, families, referenced, reserved)
        if problem is not None:
            found.append(problem)
    return _once(found)


def _judge(
    variable: SetVariable,
    index: Index,
    names: Names,
    families: Mapping[str, int],
    referenced: Collection[str],
    reserved: Collection[str],
) -> Problem | None:
    name, where = variable.name, variable.where
    if name in _WITHOUT_EFFECT or (name in reserved and index.kind(name) is None):
        return Problem(
            "SLW-8107",
            f"{name} is a keyword of Ansible: as a variable it does nothing",
            "leave it out, or choose another name if it is a variable of your own",
            where,
            severity=Severity.WARNING,
        )
    kind = index.kind(name)
    if kind == "removed":
        remedy = "leave it out; Kubespray's release notes say what took its place"
        return Problem("SLW-8105", f"Kubespray {index.version} refuses {name}, which it no longer has", remedy, where)
    if kind == "internal":
        return None if variable.extra else _internal(variable, index)
    if kind is None:
        return None if name in index.local else _unknown(variable, index, names, families, referenced)
    if name in index.unread:
        return Problem(
            "SLW-8103",
            f"{name} has a default in Kubespray {index.version}, and nothing there reads it",
            "it has no effect and can go",
            where,
            severity=Severity.HINT,
        )
    if isinstance(variable.value, Opaque):
        return None
    wrong = problem_of_value(name, variable.value, index.defaults.get(name, "any"), literal=variable.literal)
    return replace(wrong, where=where) if wrong else None


def _internal(variable: SetVariable, index: Index) -> Problem:
    name = variable.name
    if name in index.role_vars:
        said = f"{name} is set inside a role of Kubespray, which beats the inventory: it has no effect here"
        remedy = "give it as an extra variable if you must, or use the variable that leads to it"
    else:
        said = f"Kubespray sets {name} itself while it runs: what stands here is lost"
        remedy = "leave it out, or choose another name if it is a variable of your own"
    return Problem("SLW-8104", said, remedy, variable.where, severity=Severity.WARNING)


def _unknown(
    variable: SetVariable, index: Index, names: Names, families: Mapping[str, int], referenced: Collection[str]
) -> Problem | None:
    name, where = variable.name, variable.where
    if name in referenced:
        return None
    guess = names.guess(name)
    own = "if it is a variable of your own, name it in slipway_preflight_ignore_variables"
    if guess is not None and guess.sure:
        said = f"Kubespray {index.version} has no variable {name}: did you mean {guess.name}?"
        return Problem("SLW-8101", said, own, where)
    if guess is not None:
        said = f"Kubespray {index.version} has no variable {name}; {guess.name} says the same in its words"
        return Problem("SLW-8102", said, own, where, severity=Severity.WARNING)
    if families[_family(name)] >= _FAMILY:
        said = f"Kubespray {index.version} has no variable {name}, though others that begin with {_family(name)}_"
        remedy = "it has no effect on Kubespray; an older or a newer version may have known it"
        return Problem("SLW-8103", said, remedy, where, severity=Severity.HINT)
    return None


def _family(name: str) -> str:
    return name.partition("_")[0]


def _proposals(index: Index) -> Iterable[str]:
    """Names that somebody may have meant: whole words of a user's, nothing that nobody would set."""
    for name in (*index.defaults, *index.inputs):
        if name not in index.unread and ("_" in name.strip("_") or len(name) >= _LONG):
            yield name


def _once(problems: list[Problem]) -> list[Problem]:
    """The first of those that say the same of the same name, with the number of other places."""
    first: dict[tuple[str, str], Problem] = {}
    places: Counter[tuple[str, str]] = Counter()
    for problem in problems:
        key = (problem.code, problem.message)
        first.setdefault(key, problem)
        places[key] += 1
    return [
        replace(problem, message=f"{problem.message} (and in {places[key] - 1} more places)")
        if places[key] > 1
        else problem
        for key, problem in first.items()
    ]
