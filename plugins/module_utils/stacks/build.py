# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A new cluster out of a stack, a name, hosts and answers: everything that is wrong at once, or all files and data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from ..addons.names import CLUSTER_LENGTH, did_you_mean, label_problem, label_suggestion
from ..nodes.problem import NodesError, Problem
from . import hosts as host_lines
from .answers import Answer, answers
from .definition import Stack, Wrong
from .folder import load
from .inventory import HOSTS, as_data, hosts_file
from .render import render
from .roles import Groups, assign


@dataclass(frozen=True)
class Wanted:
    """As the user gave it. ``values`` and ``single`` are answers to the stack's questions, see ``answers``."""

    stack: str
    name: str
    hosts: object
    values: Mapping[str, object]
    single: Mapping[str, object]


@dataclass(frozen=True)
class Cluster:
    """``files`` are those of the inventory by their path below ``folder``, which is one below the project's."""

    name: str
    stack: Stack
    answers: Mapping[str, Optional[Answer]]
    groups: Groups
    files: Mapping[str, str]
    inventory: Mapping[str, Any]

    @property
    def folder(self) -> str:
        return f"inventories/{self.name}"


def build(wanted: Wanted, folders: Iterable[str]) -> Cluster:
    """The cluster that is ``wanted``, with a stack out of ``folders``. Raises ``NodesError`` with all problems."""
    stacks, problems = load(folders)
    problems += _wrong_name(wanted.name)
    hosts, wrong = host_lines.read(wanted.hosts)
    problems += wrong
    stack = stacks.get(wanted.stack)
    if stack is None:
        raise NodesError([*problems, *_no_stack(wanted.stack, stacks, problems)])
    others = [name for other in stacks.values() for name in other.questions]
    told, wrong = answers(stack.questions, wanted.values, wanted.single, others)
    problems += wrong
    groups: Groups = {}
    if not any(problem.code in _OF_HOSTS for problem in problems):
        groups, wrong = assign(stack, hosts)
        problems += wrong
    if problems:
        raise NodesError(problems)
    files = {HOSTS: hosts_file(stack, hosts, groups), **render(stack, wanted.name, told)}
    try:
        return Cluster(wanted.name, stack, told, groups, files, as_data(hosts, groups, files))
    except Wrong as exc:
        raise NodesError([Problem("SLW-8902", str(exc), "correct the stack", stack.name)]) from exc


_OF_HOSTS = ("SLW-8905", "SLW-8906", "SLW-8907", "SLW-8908")
"""With one of these the hosts that were read are not all that were given: their number says nothing."""


def _wrong_name(name: str) -> Iterable[Problem]:
    problem = label_problem(name, CLUSTER_LENGTH)
    if problem:
        said = f"slipway_name {problem}" if not name else f"slipway_name {name!r} {problem}"
        remedy = label_suggestion(name, CLUSTER_LENGTH) or "give the cluster a name, such as prod"
        yield Problem("SLW-8904", said, remedy)


def _no_stack(name: str, stacks: Mapping[str, Stack], problems: Sequence[Problem]) -> Iterable[Problem]:
    if name and any(problem.code == "SLW-8902" and problem.where.endswith(f"/{name}") for problem in problems):
        return
    said = f"there is no stack {name!r}" if name else "slipway_stack is empty"
    yield Problem("SLW-8901", said, did_you_mean(name, stacks) or f"there are {', '.join(sorted(stacks))}")
