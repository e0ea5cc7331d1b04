# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a schedule or a workflow's node keeps for a launch: held against the template when it is written down."""

from __future__ import annotations

from typing import Any

from lab.awx.incoming import variables
from lab.awx.kinds_work import SAVED
from lab.awx.refusal import RefusalError, invalid
from lab.awx.rules import launch
from lab.awx.shape import Kind
from lab.awx.store import Object, Store

LAUNCHED = ("job_templates", "workflow_job_templates")


def prompts(store: Store, kind: Kind, thing: Object) -> dict[str, Any]:
    """What would be handed to the launch."""
    given: dict[str, Any] = {name: thing[name] for name in SAVED if name != "extra_data" and thing[name] is not None}
    given["extra_vars"] = variables(thing["extra_data"])
    for link in launch.MANY:
        numbers = store.linked(kind, thing["id"], link) if "id" in thing else []
        if numbers:
            given[link] = numbers
    return given


def check(store: Store, kind: Kind, values: Object, thing: Object | None) -> None:
    """:raises RefusalError: when the template would not take it. A node may leave needed answers to the workflow."""
    whole = {name: field.default for name, field in kind.fields.items()} | (thing or {}) | values
    target = whole["unified_job_template"]
    if target is None or not set(values) & set(SAVED):
        return
    template_kind = store.kind_of("unified_job_templates", target)
    template = store.get("unified_job_templates", target)
    if template_kind.name not in LAUNCHED:
        return
    try:
        given = prompts(store, kind, whole)
    except ValueError as error:
        raise invalid(extra_data=str(error)) from None
    found = launch.sort_out(store, template_kind, template, given, strict=True, complete=kind.name == "schedules")
    if "extra_vars" in found.errors:
        found.errors["extra_data"] = found.errors.pop("extra_vars")
    if found.errors:
        raise RefusalError(400, found.errors)


def check_scheduled(store: Store, number: int) -> None:
    """:raises RefusalError: for a template that cannot be scheduled."""
    template = store.get("unified_job_templates", number)
    if store.kind_of("unified_job_templates", number).name == "projects" and not template["scm_type"]:
        raise invalid(unified_job_template="Manual Project cannot have a schedule set.")
