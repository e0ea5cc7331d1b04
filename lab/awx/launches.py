# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""From a template to something that runs: what is launched, with which values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.awx.incoming import variables
from lab.awx.kinds import KINDS
from lab.awx.kinds_work import AFTER, ASKED, SAVED
from lab.awx.refusal import RefusalError, invalid
from lab.awx.rules import credentials as credential_rules
from lab.awx.rules import launch as rules
from lab.awx.shape import Kind
from lab.awx.store import Object, Store

if TYPE_CHECKING:
    from lab.awx.runs import Runs

OWN = ("playbook", "project", "organization", "start_at_task", "force_handlers", "become_enabled", "allow_simultaneous")
LINKS = ("credentials", "labels", "instance_groups")
HOW = ("launch_type", "schedule", "source_workflow_job")


def launch(
    store: Store, runs: Runs, kind: Kind, template: Object, sent: Any, user: Object
) -> tuple[Object, dict[str, Any]]:
    """A job or a workflow job that has been started, and what was ignored of what was sent.

    :raises RefusalError: when AWX would not launch it.
    """
    given = _given(store, sent)
    found = rules.sort_out(store, kind, template, given, strict=kind.name == "workflow_job_templates")
    if kind.name == "job_templates":
        _check_project(store, template, found)
        _check_credentials(store, kind, template, given, found)
    if found.errors:
        raise RefusalError(400, found.errors)
    made = job(store, kind, template, found.accepted, {"launch_type": "manual", "created_by": user["id"]})
    runs.start(made)
    return made, found.rejected


def _given(store: Store, sent: Any) -> dict[str, Any]:
    if not isinstance(sent, dict):
        raise RefusalError(400, {"detail": "JSON parse error - not a JSON object"})
    given = dict(sent)
    try:
        given["extra_vars"] = variables(given.get("extra_vars"))
    except ValueError as error:
        raise invalid(extra_vars=str(error)) from None
    for name in LINKS:
        for number in given.get(name) or ():
            if store.find(name, number) is None:
                raise invalid(**{name: f'Invalid pk "{number}" - object does not exist.'})
    for name in ("inventory", "execution_environment"):
        if given.get(name) is not None and store.find(SAVED[name].to, given[name]) is None:
            raise invalid(**{name: f'Invalid pk "{given[name]}" - object does not exist.'})
    return given


def _check_project(store: Store, template: Object, found: rules.Prompts) -> None:
    project = store.find("projects", template["project"])
    if project is None:
        found.errors["project"] = ["A project is required to run a job."]
    elif project["status"] in ("failed", "error", "canceled") and not project["scm_update_on_launch"]:
        found.errors["playbook"] = ["The project revision for this job template is unknown due to a failed update."]


def _check_credentials(store: Store, kind: Kind, template: Object, sent: dict[str, Any], found: rules.Prompts) -> None:
    """Whatever was sent is looked at, even when the template has all of it already."""
    if "credentials" not in sent:
        return
    given = [store.get("credentials", number) for number in sent["credentials"]]
    kinds = [credential_rules.unique(store, credential) for credential in given]
    problems = []
    for credential, of in zip(given, kinds, strict=True):
        if kinds.count(of) > 1:
            name = store.get("credential_types", credential["credential_type"])["name"]
            problems.append(f"Cannot assign multiple {name} credentials.")
    for number in store.linked(kind, template["id"], "credentials"):
        own = store.get("credentials", number)
        if credential_rules.unique(store, own) not in kinds:
            name = store.get("credential_types", own["credential_type"])["name"]
            problems.append(
                f"Removing {name} credential at launch time without replacement is not supported. Provided list lacked "
                f"credential(s): {own['name']}."
            )
    if problems:
        found.errors["credentials"] = list(dict.fromkeys(problems))


def job(store: Store, kind: Kind, template: Object, accepted: dict[str, Any], how: dict[str, Any]) -> Object:
    """A job, or a workflow job with its nodes, that waits to be started."""
    final, hidden = rules.final_variables(store, kind, template, accepted.get("extra_vars", {}))
    values: Object = {
        "name": template["name"],
        "description": template["description"],
        "unified_job_template": template["id"],
        "extra_vars": final,
        "survey_passwords": hidden,
        **how,
    }
    if kind.name == "workflow_job_templates":
        return _workflow(store, template, accepted, values)
    run_kind = KINDS["jobs"]
    values |= {name: template[name] for name in OWN} | {"job_template": template["id"]}
    prompted = [name for name in ASKED if name in run_kind.fields and name != "extra_vars"]
    values |= {name: accepted.get(name, template[name]) for name in prompted}
    made = store.add(run_kind, values)
    for link in LINKS:
        for number in _joined(store, kind, template, link, accepted.get(link)):
            store.link(run_kind, made["id"], link, number)
    return made


def _joined(store: Store, kind: Kind, template: Object, link: str, given: list[int] | None) -> list[int]:
    """The template's own credentials, those of a kind that was given another one of replaced."""
    own = store.linked(kind, template["id"], link)
    if given is None or link != "credentials":
        return own if given is None else given
    chosen = {credential_rules.unique(store, store.get(link, number)): number for number in [*own, *given]}
    return list(chosen.values())


def _workflow(store: Store, template: Object, accepted: dict[str, Any], values: Object) -> Object:
    run_kind, node_kind, plan_kind = (
        KINDS[name] for name in ("workflow_jobs", "workflow_job_nodes", "workflow_job_template_nodes")
    )
    values |= {"workflow_job_template": template["id"], "organization": template["organization"]}
    values |= {name: accepted.get(name, template[name]) for name in ("inventory", "limit")}
    values["allow_simultaneous"] = template["allow_simultaneous"]
    made = store.add(run_kind, values)
    copies: dict[int, int] = {}
    plan = [node for _kind, node in store.all(plan_kind.name, workflow_job_template=template["id"])]
    for node in plan:
        kept = {
            name: node[name] for name in (*SAVED, "unified_job_template", "all_parents_must_converge", "identifier")
        }
        copies[node["id"]] = store.add(node_kind, kept | {"workflow_job": made["id"]})["id"]
        for link in LINKS:
            for number in store.linked(plan_kind, node["id"], link):
                store.link(node_kind, copies[node["id"]], link, number)
    for node in plan:
        for way in AFTER:
            for number in store.linked(plan_kind, node["id"], way):
                store.link(node_kind, copies[node["id"]], way, copies[number])
    return made


def update(store: Store, runs: Runs, kind: Kind, thing: Object, **how: Any) -> Object:
    """The update of a project or of an inventory source, started."""
    values = {"name": thing["name"], "description": thing["description"], "unified_job_template": thing["id"], **how}
    if kind.name == "projects":
        values |= {"project": thing["id"], "scm_url": thing["scm_url"], "timeout": thing["timeout"]}
        made = store.add(KINDS["project_updates"], values)
    else:
        values |= {"inventory_source": thing["id"], "inventory": thing["inventory"], "timeout": thing["timeout"]}
        values |= {"source": thing["source"], "source_path": thing["source_path"]}
        values["name"] = f"{store.get('inventories', thing['inventory'])['name']} - {thing['name']}"
        made = store.add(KINDS["inventory_updates"], values)
    runs.start(made)
    return made
