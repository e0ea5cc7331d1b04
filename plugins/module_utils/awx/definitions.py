# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Everything that AWX is to have, as arguments of the modules of ``awx.awx``. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from . import content, fleet, naming, new_cluster
from .credentials import KINDS, injectors, inputs
from .settings import Settings, Survey
from .surveys import DRIFT, rrule, survey

Item = dict[str, Any]
Definitions = dict[str, list[Item]]
"""Lists of arguments, by what they make."""

ORDER = (
    "execution_environments",
    "credential_types",
    "credentials",
    "projects",
    "inventories",
    "hosts",
    "groups",
    "inventory_sources",
    "job_templates",
    "schedules",
    "workflows",
)
"""In which they can be made, and backwards be removed."""


def make(settings: Settings, operations: Sequence[Survey], stacks: Sequence[new_cluster.Stack]) -> Definitions:
    """In every list in the order in which they can be made."""
    found = of_clusters(settings, settings.given["clusters"], operations)
    shared = {
        "execution_environments": list(_environments(settings)),
        "credential_types": list(_types(settings)),
        "credentials": list(_credentials(settings)),
        "projects": [_project(settings)],
        **_controller(settings),
    }
    parts = (found, shared, fleet.make(settings), new_cluster.make(settings, stacks))
    return {kind: [item for part in parts for item in part.get(kind, ())] for kind in ORDER}


def of_clusters(settings: Settings, clusters: Sequence[Mapping[str, Any]], operations: Sequence[Survey]) -> Definitions:
    """What belongs to these clusters alone."""
    found = {
        "inventories": [_inventory(settings, one) for one in clusters],
        "hosts": list(content.hosts(settings, clusters)),
        "groups": list(content.groups(settings, clusters)),
        "inventory_sources": [_source(settings, one) for one in clusters if isinstance(one["inventory"], str)],
        "job_templates": [
            _template(settings, one, operation) for one in clusters for operation in chosen(one, operations)
        ],
        "schedules": [item for one in clusters for item in _schedule(settings, one, operations)],
        "workflows": [item for one in clusters for item in _workflow(settings, one, operations)],
    }
    return {kind: found.get(kind, []) for kind in ORDER}


def chosen(cluster: Mapping[str, Any], operations: Sequence[Survey]) -> list[Survey]:
    wanted = cluster.get("operations") or [one.name for one in operations]
    return [one for one in operations if one.name in wanted]


def _environments(settings: Settings) -> Iterator[Item]:
    given = settings.given["execution_environment"]
    if isinstance(given, str):
        return
    found = {"name": naming.environment_name(settings), "image": given["image"], "pull": given.get("pull", "missing")}
    yield found | ({"credential": given["credential"]} if given.get("credential") else {})


def _types(settings: Settings) -> Iterator[Item]:
    for kind in dict.fromkeys(one["kind"] for one in settings.given["credentials"]):
        described = KINDS[kind]
        yield {
            "name": naming.type_name(settings, kind),
            "description": described.description,
            "kind": "cloud",
            "inputs": inputs(described),
            "injectors": injectors(described),
        }


def _credentials(settings: Settings) -> Iterator[Item]:
    for one in settings.given["credentials"]:
        # Without its inputs, which are secrets and stay where they were written.
        yield {"name": one["name"], "credential_type": naming.type_name(settings, one["kind"])}


def _project(settings: Settings) -> Item:
    given = settings.given["project"]
    found: Item = {"name": naming.project_name(settings), "description": "Playbooks and inventories of clusters"}
    # Empty values, too: what is left out stays as it was. Only a credential can be given, but not taken away.
    found |= {"scm_url": given.get("scm_url", ""), "scm_branch": given.get("scm_branch", "")}
    if given.get("local_path"):
        return {**found, "scm_type": "manual", "scm_update_on_launch": False, "local_path": given["local_path"]}
    credential = {"credential": given["scm_credential"]} if given.get("scm_credential") else {}
    return {**found, "scm_type": "git", "scm_update_on_launch": True, **credential}


def _inventory(settings: Settings, cluster: Mapping[str, Any]) -> Item:
    held = cluster["inventory"]
    found: Item = {
        "name": naming.inventory_name(settings, cluster["name"]),
        "description": f"Hosts and variables of the cluster {cluster['name']}",
    }
    # An update from the project writes the variables of the group `all` here: they are not ours to set then.
    return found if isinstance(held, str) else {**found, "variables": content.variables(held)}


def _controller(settings: Settings) -> dict[str, list[Item]]:
    """For jobs that look at clusters by their inventories in the project, or that make a new one."""
    name = naming.controller(settings)
    text = "The controller alone: for jobs on several clusters, and on one that is not there yet"
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    return {
        "inventories": [{"name": name, "description": text}],
        "hosts": [{"name": "localhost", "inventory": name, "variables": local}],
    }


def _source(settings: Settings, cluster: Mapping[str, Any]) -> Item:
    return {
        "name": f"{naming.inventory_name(settings, cluster['name'])}: project",
        "inventory": naming.inventory_name(settings, cluster["name"]),
        "source": "scm",
        "source_project": naming.project_name(settings),
        "source_path": cluster["inventory"],
        # What a file no longer says is gone from AWX, too.
        "overwrite": True,
        "overwrite_vars": True,
        "update_on_launch": True,
    }


def _template(settings: Settings, cluster: Mapping[str, Any], operation: Survey) -> Item:
    given = settings.given
    spec = survey(operation)
    return {
        "name": naming.template_name(settings, cluster["name"], operation),
        "description": operation.description,
        "inventory": naming.inventory_name(settings, cluster["name"]),
        "project": naming.project_name(settings),
        "playbook": naming.playbook(settings, operation.playbook),
        "execution_environment": naming.environment_name(settings),
        "credentials": _credentials_of(cluster, operation),
        "instance_groups": list(cluster.get("instance_groups") or given["instance_groups"]),
        "forks": int(cluster.get("forks") or 20),
        "extra_vars": {**naming.folder(settings, cluster), **(cluster.get("variables") or {})},
        # A pipeline names its own credential, with a token of its own in it.
        "ask_credential_on_launch": True,
        # One answer is not remembered from another: there is a question for each, or nobody may give it.
        "ask_variables_on_launch": False,
        "survey_enabled": bool(spec["spec"]),
        "survey_spec": spec,
        "notification_templates_error": list(cluster.get("notify") or given["notify"]),
    }


def _schedule(settings: Settings, cluster: Mapping[str, Any], operations: Sequence[Survey]) -> Iterator[Item]:
    status = next((one for one in chosen(cluster, operations) if one.name == "status"), None)
    wanted = cluster.get("schedule", {})
    if wanted is False or status is None:
        return
    name = naming.template_name(settings, cluster["name"], status)
    yield {
        "name": f"{name}, every night",
        "description": "Fails when something is not as it was applied, so that AWX notifies",
        "unified_job_template": name,
        "rrule": rrule(wanted, cluster["name"]),
        "enabled": bool(wanted.get("enabled", True)),
        "extra_data": dict(DRIFT),
    }


def _credentials_of(cluster: Mapping[str, Any], operation: Survey) -> list[str]:
    """Access is for whoever may administer the authority."""
    own = cluster.get("access_credentials") if operation.name == "access" else None
    return list(own or cluster.get("credentials") or ())


def _workflow(settings: Settings, cluster: Mapping[str, Any], operations: Sequence[Survey]) -> Iterator[Item]:
    there = {one.name: naming.template_name(settings, cluster["name"], one) for one in chosen(cluster, operations)}
    if not {"plan", "install", "status"} <= there.keys():
        return
    template = {"type": "job_template", "organization": {"name": settings.organization}}
    yield {
        "name": settings.name("workflow", cluster=cluster["name"]),
        "description": "Tells what an installation would change, waits for somebody's approval, installs, looks again",
        "workflow_nodes": [
            {
                "identifier": "plan",
                "unified_job_template": {**template, "name": there["plan"]},
                "related": {"success_nodes": [{"identifier": "approve"}]},
            },
            {
                "identifier": "approve",
                "unified_job_template": {
                    "type": "workflow_approval",
                    "name": f"Install on {cluster['name']} what the plan says",
                    "description": "The plan is the output of the job before",
                    "timeout": int(settings.given["approval_timeout"]),
                },
                "related": {"success_nodes": [{"identifier": "install"}]},
            },
            {
                "identifier": "install",
                "unified_job_template": {**template, "name": there["install"]},
                # Not always: AWX takes a failure for handled where anything follows it, and calls that successful.
                "related": {"success_nodes": [{"identifier": "status"}]},
            },
            {"identifier": "status", "unified_job_template": {**template, "name": there["status"]}, "related": {}},
        ],
        "notification_templates_approvals": list(cluster.get("notify") or settings.given["notify"]),
    }
