# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What may be asked for at a launch, and what becomes of the rest."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from lab.awx.incoming import variables
from lab.awx.kinds_work import ASKED, WORKFLOW_ASKED
from lab.awx.rules import answers, surveys
from lab.awx.shape import Kind
from lab.awx.store import Object, Store

MANY = ("credentials", "labels", "instance_groups")


@dataclass
class Prompts:
    """What a template accepts of what it was given, what it does not, and what is wrong."""

    accepted: dict[str, Any] = field(default_factory=dict)
    rejected: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, Any] = field(default_factory=dict)


def sort_out(
    store: Store, kind: Kind, template: Object, given: dict[str, Any], *, strict: bool, complete: bool = True
) -> Prompts:
    """``strict``: what is not asked for is an error, as for workflows, schedules and nodes; a job template's own launch
    ignores it. ``complete``: questions that need an answer must have one."""
    found = Prompts()
    _sort_variables(store, kind, template, variables(given.get("extra_vars")), found, strict=strict, complete=complete)
    asked = WORKFLOW_ASKED if kind.name == "workflow_job_templates" else tuple(ASKED)
    for name in asked:
        value = given.get(name)
        if name == "extra_vars" or value is None:
            continue
        if name in MANY:
            present = store.linked(kind, template["id"], name) if name in kind.links else []
            if not set(value) - set(present):
                continue
        elif value == template.get(name):
            continue
        if template[ASKED[name]]:
            found.accepted[name] = value
        else:
            found.rejected[name] = value
            if strict:
                found.errors[name] = ["Field is not configured to prompt on launch."]
    if kind.name == "job_templates":
        lacking = [name for name in ("project", "inventory") if template[name] is None and name not in found.accepted]
        if lacking:
            found.errors["resources_needed_to_start"] = [
                f"Job Template {name} is missing or undefined." for name in lacking
            ]
    return found


def _sort_variables(
    store: Store,
    kind: Kind,
    template: Object,
    given: dict[str, Any],
    found: Prompts,
    *,
    strict: bool,
    complete: bool,
) -> None:
    rest = dict(given)
    accepted: dict[str, Any] = {}
    rejected: dict[str, Any] = {}
    wrong: list[str] = []
    for question in questions(store, kind, template):
        name = question["variable"]
        problems = answers.problems(question, given, require=complete)
        wrong += problems
        if name in rest:
            (rejected if problems else accepted)[name] = rest.pop(name)
    if wrong:
        found.errors["variables_needed_to_start"] = wrong
    if template["ask_variables_on_launch"]:
        accepted |= rest
        rest = {}
    own = variables(template["extra_vars"])
    rest = {name: value for name, value in rest.items() if name not in own or own[name] != value}
    if rest:
        rejected |= rest
        if strict:
            listed, model = ", ".join(rest), kind.title.title()
            text = f"Variables {listed} are not allowed on launch. Check the Prompt on Launch setting on the {model} to"
            found.errors["extra_vars"] = [f"{text} include Extra Variables."]
    if accepted:
        found.accepted["extra_vars"] = accepted
    if rejected:
        found.rejected["extra_vars"] = rejected


def questions(store: Store, kind: Kind, template: Object) -> list[Object]:
    if not template["survey_enabled"]:
        return []
    return list(store.surveys.get((kind.name, template["id"]), {}).get("spec", []))


def needed_variables(store: Store, kind: Kind, template: Object) -> list[str]:
    return [question["variable"] for question in questions(store, kind, template) if question["required"]]


def final_variables(store: Store, kind: Kind, template: Object, given: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """The extra variables of a run, the template's own first, then defaults of questions, then what was given; and the
    names of those that are hidden."""
    result = dict(variables(template["extra_vars"]))
    asked = questions(store, kind, template)
    given = {name: value for name, value in given.items() if value != surveys.HIDDEN}
    for question in asked:
        default = question.get("default")
        # A default that does not answer its own question is left out: those of multiselect never do, being no lists.
        if default is not None and not answers.problems(question, {question["variable"]: default}):
            result[question["variable"]] = default
    result |= given
    secret = surveys.passwords({"spec": asked})
    return json.dumps(result), {name: surveys.HIDDEN for name in secret if name in result}
