# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How objects are shown: with their relations and a summary of them, and without secrets."""

from __future__ import annotations

import copy
from typing import Any

from lab.awx.incoming import variables
from lab.awx.kinds import KINDS
from lab.awx.kinds_work import AFTER
from lab.awx.rules import credentials, notifications, surveys
from lab.awx.shape import Kind
from lab.awx.store import Object, Store

ROOT = "/api/v2/"
HIDDEN = "$encrypted$"
SUMMARY = {
    "users": ("id", "username", "first_name", "last_name"),
    "execution_environments": ("id", "name", "description", "image"),
    "projects": ("id", "name", "description", "status", "scm_type", "allow_override"),
    "credentials": ("id", "name", "description", "kind", "cloud", "kubernetes"),
    "inventories": ("id", "name", "description", "total_hosts", "total_groups", "kind"),
    "schedules": ("id", "name", "description", "next_run"),
}
RUN_SUMMARY = ("id", "name", "description", "status", "failed", "elapsed", "finished", "canceled_on")
# Names of the things that run from a template, as `unified_job_type` has them.
RUNS = {
    "job_template": "job",
    "project": "project_update",
    "inventory_source": "inventory_update",
    "workflow_job_template": "workflow_job",
    "workflow_approval_template": "workflow_approval",
}


def url(kind: Kind, number: int) -> str:
    return f"{ROOT}{kind.name}/{number}/"


def show(store: Store, kind: Kind, thing: Object) -> Object:
    """The object as the API shows it."""
    here = url(kind, thing["id"])
    shown: Object = {
        "id": thing["id"],
        "type": kind.type,
        "url": here,
        "related": related(store, kind, thing),
        "summary_fields": summary(store, kind, thing),
        "created": thing["created"],
        "modified": thing["modified"],
    }
    shown |= {name: copy.deepcopy(thing[name]) for name, field in kind.fields.items() if not field.write_only}
    match kind.name:
        case "credentials":
            shown["inputs"] = credentials.hidden(store, thing)
        case "notification_templates":
            shown["notification_configuration"] = notifications.hidden(thing)
        case "workflow_job_template_nodes" | "workflow_job_nodes":
            shown |= {link: store.linked(kind, thing["id"], link) for link in AFTER}
        case "jobs" | "workflow_jobs":
            shown["extra_vars"] = surveys.hide_answers(thing)
        case "users":
            shown["password"] = HIDDEN
        case "roles":
            del shown["content_kind"], shown["content_id"]
        case "tokens":
            shown["token"] = "************"
        case "inventories":
            shown |= _counts(store, thing)
        case "workflow_approvals":
            shown["can_approve_or_deny"] = thing["status"] == "pending"
    return shown


def _counts(store: Store, thing: Object) -> Object:
    number = thing["id"]
    sources = len(store.all("inventory_sources", inventory=number))
    return {
        "total_hosts": len(store.all("hosts", inventory=number)),
        "total_groups": len(store.all("groups", inventory=number)),
        "total_inventory_sources": sources,
        "has_inventory_sources": sources > 0,
    }


def related(store: Store, kind: Kind, thing: Object) -> dict[str, str]:
    here = url(kind, thing["id"])
    found = {name: f"{here}{name}/" for name in (*kind.links, *kind.children, *kind.actions)}
    if kind.roles:
        found["object_roles"] = f"{here}object_roles/"
    for name, field in kind.fields.items():
        if field.to and not field.write_only and thing[name] is not None:
            found[name] = url(store.kind_of(field.to, thing[name]), thing[name])
    if kind.name == "roles":
        content = KINDS[thing["content_kind"]]
        found[content.type] = url(content, thing["content_id"])
    if "last_job_run" in kind.fields:
        last = last_run(store, thing)
        if last is not None:
            run_kind = store.kind_of("unified_jobs", last["id"])
            found["last_job"] = url(run_kind, last["id"])
    return found


def last_run(store: Store, template: Object) -> Object | None:
    runs = [run for _kind, run in store.all("unified_jobs", unified_job_template=template["id"])]
    return max(runs, key=lambda run: int(run["id"]), default=None)


def summary(store: Store, kind: Kind, thing: Object) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, field in kind.fields.items():
        if field.to and not field.write_only and thing[name] is not None:
            target_kind = store.kind_of(field.to, thing[name])
            target = store.get(field.to, thing[name])
            found[name] = short(target_kind, target)
            if name == "unified_job_template":
                found[name]["unified_job_type"] = RUNS[target_kind.type]
    if kind.roles:
        found["object_roles"] = {
            role["role_field"]: {"id": role["id"], "name": role["name"], "description": role["description"]}
            for _kind, role in store.all("roles", content_kind=kind.name, content_id=thing["id"])
        }
    found["user_capabilities"] = {"edit": kind.writable, "delete": True, "start": True, "schedule": True}
    for link in ("labels", "credentials"):
        if link in kind.links:
            members = [store.get(link, number) for number in store.linked(kind, thing["id"], link)]
            listed = [short(KINDS[link], member) for member in members]
            found[link] = {"count": len(listed), "results": listed} if link == "labels" else listed
    if (kind.name, thing["id"]) in store.surveys:
        survey = store.surveys[kind.name, thing["id"]]
        found["survey"] = {"title": survey["name"], "description": survey["description"]}
    if "last_job_run" in kind.fields:
        _runs(store, kind, thing, found)
    if kind.name == "roles":
        content = store.get(thing["content_kind"], thing["content_id"])
        found |= {"resource_name": content["name"], "resource_type": KINDS[thing["content_kind"]].type}
    return found


def _runs(store: Store, kind: Kind, thing: Object, found: dict[str, Any]) -> None:
    last = last_run(store, thing)
    if last is None:
        return
    run = {name: last[name] for name in RUN_SUMMARY}
    found["last_job"] = run
    if kind.name in ("projects", "inventory_sources"):
        found["last_update"] = run
        if last["finished"] is None:
            found["current_update"] = found["current_job"] = run


def short(kind: Kind, thing: Object) -> Object:
    """The few fields by which others name it."""
    fields = RUN_SUMMARY if kind.sequence == "unified_jobs" else SUMMARY.get(kind.name, ("id", "name", "description"))
    found: Object = {name: thing[name] for name in fields if name in thing}
    if kind.sequence == "unified_jobs":
        found["type"] = kind.type
    if kind.name == "credentials":
        found["credential_type_id"] = thing["credential_type"]
    return found


def variable_data(thing: Object) -> dict[str, Any]:
    return variables(thing["variables"])
