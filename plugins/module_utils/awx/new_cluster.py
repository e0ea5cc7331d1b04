# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A survey that turns a stack into a cluster: its inventory in AWX, and job templates for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from . import naming
from .settings import Settings, Survey
from .surveys import survey

Item = dict[str, Any]

TITLE = "new cluster"
_KEPT = ("organization", "prefix", "names", "project", "notify", "instance_groups", "approval_timeout")
"""What of the settings is for the new cluster as well. No credential's inputs are: a job shows its variables."""


@dataclass(frozen=True)
class Stack:
    """``questions``: by variable, with ``question``, ``choices`` and ``default``, all of them text."""

    name: str
    title: str
    questions: Mapping[str, Mapping[str, Any]]


def make(settings: Settings, stacks: Sequence[Stack]) -> dict[str, list[Item]]:
    """Nothing where it is not wanted: it needs a credential for AWX itself."""
    wanted = settings.given.get("new_cluster")
    if not wanted:
        return {}
    questions = [
        {
            "variable": "slipway_stack",
            "question": "Stack",
            "help": "; ".join(f"{one.name}: {one.title}" for one in stacks),
            "type": "multiplechoice",
            "choices": [one.name for one in stacks],
            "required": True,
        },
        {
            "variable": "slipway_name",
            "question": "Name of the cluster",
            "help": "Lower case letters, digits and -; it cannot be changed later",
            "type": "text",
            "required": True,
        },
        {
            "variable": "slipway_hosts",
            "question": "Hosts",
            "help": "One a line: name=address, and where it matters control_plane, etcd, worker, user=…, port=…",
            "type": "textarea",
            "required": True,
        },
        *_questions(stacks),
    ]
    described = Survey(
        "new_cluster", TITLE, "new", "Makes the inventory of a new cluster, and its job templates", questions
    )
    return {
        "job_templates": [
            {
                "name": template_name(settings),
                "description": described.description,
                "inventory": naming.controller(settings),
                "project": naming.project_name(settings),
                "playbook": naming.playbook(settings, described.playbook),
                "execution_environment": naming.environment_name(settings),
                "credentials": [wanted["controller_credential"]],
                "instance_groups": list(settings.given["instance_groups"]),
                "forks": 5,
                "extra_vars": {
                    # Files of a job are gone with it.
                    "slipway_destination": "",
                    "slipway_awx": _handed_on(settings),
                    "slipway_awx_credentials": settings.new_credentials,
                    **({"slipway_stacks": list(settings.stacks)} if settings.stacks else {}),
                },
                "ask_credential_on_launch": False,
                "ask_variables_on_launch": False,
                "survey_enabled": True,
                "survey_spec": survey(described),
                "notification_templates_error": list(settings.given["notify"]),
            }
        ]
    }


def template_name(settings: Settings) -> str:
    return f"{settings.prefix}: {TITLE}"


def _handed_on(settings: Settings) -> Item:
    kept = {key: settings.given[key] for key in _KEPT if settings.given.get(key)}
    return {**kept, "execution_environment": naming.environment_name(settings), "fleet": False, "clusters": []}


def _questions(stacks: Sequence[Stack]) -> Iterator[Item]:
    """Each once, and none is required: a stack has no use for answers to another's questions."""
    asked: dict[str, list[tuple[Stack, Mapping[str, Any]]]] = {}
    for stack in stacks:
        for variable, question in stack.questions.items():
            asked.setdefault(variable, []).append((stack, question))
    for variable, found in asked.items():
        defaults = {one.get("default") or "" for _stack, one in found}
        whose = "" if len(found) == len(stacks) else f"For {', '.join(stack.name for stack, _one in found)}. "
        choices = {stack.name: list(one.get("choices") or ()) for stack, one in found}
        # One stack that takes any answer must be able to get it.
        offered = list(dict.fromkeys(chain(*choices.values()))) if all(choices.values()) else []
        yield {
            "variable": variable,
            "question": found[0][1]["question"],
            "help": whose + _choices(choices) + ("" if len(defaults) == 1 else "Each stack has its own default"),
            "type": "multiplechoice" if offered else "text",
            "choices": offered,
            "default": defaults.pop() if len(defaults) == 1 else "",
        }


def _choices(of_stacks: Mapping[str, Sequence[str]]) -> str:
    """Which stack takes which, where they differ; the survey offers all of them."""
    first, *others = of_stacks.values()
    if all(one == first for one in others):
        return ""
    return "; ".join(f"{name}: {', '.join(choices) or 'any'}" for name, choices in of_stacks.items()) + ". "
