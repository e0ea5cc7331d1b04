# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From ``slipway_awx`` to arguments of the modules of ``awx.awx``. Nobody is asked anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.awx import project, removing, unique
from ansible_collections.slipway.cluster.plugins.module_utils.awx import settings as awx
from ansible_collections.slipway.cluster.plugins.module_utils.awx.definitions import ORDER, make, of_clusters
from ansible_collections.slipway.cluster.plugins.module_utils.awx.new_cluster import Stack as Offered
from ansible_collections.slipway.cluster.plugins.module_utils.awx.there import There, begin
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError, Problem
from ansible_collections.slipway.cluster.plugins.module_utils.stacks.definition import Stack
from ansible_collections.slipway.cluster.plugins.module_utils.stacks.folder import load

from ..plugin_utils import options, origin
from ..plugin_utils.controller_action import ControllerAction

_ROLES = Path(__file__).resolve().parents[2] / "roles"
_OPERATIONS = _ROLES / "awx" / "files" / "operations"
_STACKS = _ROLES / "new_cluster" / "files" / "stacks"
_ORDER = (
    "plan",
    "install",
    "scale",
    "upgrade",
    "remove_addons",
    "remove_nodes",
    "remove_cluster",
    "status",
    "access",
)


class ActionModule(ControllerAction):
    """What is wrong with the settings is told all at once."""

    def work(self, args: Mapping[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        written = variables.get("slipway_awx")
        operations, problems = _operations()
        folders = options.names(args, "stacks", "folders")
        stacks, broken = load([str(_STACKS), *folders])
        start = Path.cwd()
        settings, wrong = awx.read(args.get("settings"), operations, lambda path: _place(written, path), start)
        raise_for([*problems, *broken, *wrong])
        answer = {"changed": False, "organization": settings.organization, "absent": {}, "kept_credentials": []}
        clashes = list(unique.check(settings, operations, lambda path: _place(written, path)))
        if options.flag(args, "clusters_alone", False):
            raise_for(clashes)
            return {**answer, "present": of_clusters(settings, settings.given["clusters"], operations)}
        offered = [_offered(stack) for stack in stacks.values()]
        consent = options.names(args, "remove_awx", f"names of clusters, or {settings.prefix!r} for everything")
        raise_for(removing.refused(settings, operations, offered, consent))
        answer |= {"begin": begin(settings, operations), "prefix": settings.prefix, "present": {}}
        everything = list(consent) == [settings.prefix]
        if not everything:
            own: list[str] = []
            if settings.given.get("new_cluster"):
                place = _place(variables.get("slipway_stacks"), ())
                own, problems = project.paths(settings.project, start, folders, settings.given["project"], place)
                clashes += problems
            raise_for(clashes)
            answer["present"] = make(replace(settings, stacks=own), operations, offered)
        if args.get("there") is None:
            return answer
        there = There(args["there"])
        gone, problems = removing.taken_out(settings, operations, offered, consent, there) if consent else ({}, [])
        raise_for(problems)
        left = {} if everything else removing.dropped(settings, operations, offered, there)
        return {
            **answer,
            "absent": {kind: [*left.get(kind, ()), *gone.get(kind, ())][::-1] for kind in ORDER},
            "kept_credentials": removing.kept_credentials(settings, there),
        }


def raise_for(problems: Sequence[Problem]) -> None:
    if problems:
        raise NodesError(problems)


def _offered(stack: Stack) -> Offered:
    questions = {
        one.variable: {"question": one.question, "choices": one.choices, "default": _text(one.default)}
        for one in stack.questions.values()
    }
    return Offered(stack.name, stack.title, questions)


def _text(default: object) -> str:
    """As it is typed into a form."""
    if isinstance(default, bool):
        return str(default).lower()
    return ",".join(default) if isinstance(default, list) else "" if default is None else str(default)


def _operations() -> tuple[list[awx.Survey], list[Problem]]:
    found, problems = [], []
    for name in _ORDER:
        value = yaml.safe_load((_OPERATIONS / f"{name}.yml").read_text(encoding="utf-8"))
        one, wrong = awx.operation(name, value)
        found.append(one)
        problems += wrong
    return found, problems


def _place(written: object, path: Sequence[str | int]) -> str:
    """Where the innermost part of this path was written of which Ansible knows that."""
    where, current = origin.position(written), written
    for key in path:
        try:
            current = current[key]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            break
        where = origin.position(current) or where
    return str(where) if where else ""
