# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""All clusters in one job: a template that looks at each by its inventory in the project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import naming, project
from .settings import Settings, Survey
from .surveys import rrule, survey

Item = dict[str, Any]

_OPERATION = Survey(
    "fleet",
    "status",
    "status",
    "One table of all clusters: versions, health, drift, lives of certificates and tokens",
    (
        {
            "variable": "slipway_fail_on",
            "question": "Fail when there are",
            "help": "A job that fails is what AWX notifies of",
            "type": "multiselect",
            "choices": ["changes", "drift", "unreachable"],
        },
    ),
)
_NIGHTLY = {"slipway_fail_on": ["drift", "unreachable"]}
"""As a cluster's own nightly job, which fails where it cannot look."""


def make(settings: Settings) -> dict[str, list[Item]]:
    """Nothing where no cluster has its inventory in the project, or where it is not wanted."""
    given = settings.given["fleet"]
    if given is False or not settings.fleet_clusters:
        return {}
    wanted: Mapping[str, Any] = {} if given is True else given
    return {
        "job_templates": [_template(settings)],
        "schedules": [] if wanted.get("schedule", False) is False else [_schedule(settings, wanted["schedule"])],
    }


def template_name(settings: Settings) -> str:
    return f"{_name(settings)}: {_OPERATION.title}"


def _name(settings: Settings) -> str:
    return f"{settings.prefix} {_OPERATION.name}"


def _template(settings: Settings) -> Item:
    return {
        "name": template_name(settings),
        "description": _OPERATION.description,
        "inventory": naming.controller(settings),
        "project": naming.project_name(settings),
        "playbook": naming.playbook(settings, _OPERATION.playbook),
        "execution_environment": naming.environment_name(settings),
        "credentials": settings.fleet_credentials,
        "instance_groups": list(settings.given["instance_groups"]),
        "forks": 5,
        "extra_vars": {"slipway_fleet": [_entry(settings, one) for one in settings.fleet_clusters]},
        "ask_credential_on_launch": True,
        "ask_variables_on_launch": False,
        "survey_enabled": True,
        "survey_spec": survey(_OPERATION),
        "notification_templates_error": list(settings.given["notify"]),
    }


def _entry(settings: Settings, cluster: Mapping[str, Any]) -> Item:
    """As the cluster's own templates look at it. Its inventory has a folder here, which needs no telling."""
    folder = naming.folder(settings, cluster) if cluster.get("folder") else {}
    variables = {**folder, **(cluster.get("variables") or {})}
    found: Item = {"inventory": project.in_job(cluster["inventory"]), "name": cluster["name"]}
    return found | ({"vars": variables} if variables else {})


def _schedule(settings: Settings, wanted: Mapping[str, Any]) -> Item:
    template = template_name(settings)
    return {
        "name": f"{template}, every night",
        "description": "Fails when something is not as it was applied or cannot be looked at, so that AWX notifies",
        "unified_job_template": template,
        "rrule": rrule(wanted, _name(settings)),
        "enabled": bool(wanted.get("enabled", True)),
        "extra_data": dict(_NIGHTLY),
    }
