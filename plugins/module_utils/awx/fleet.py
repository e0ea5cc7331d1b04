# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""All clusters in one job: a template that looks at each by its inventory in the project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import naming
from .settings import Settings, Survey
from .surveys import DRIFT, rrule, survey

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


def make(settings: Settings) -> dict[str, list[Item]]:
    """Nothing where no cluster has its inventory in the project, or where it is not wanted."""
    given = settings.given["fleet"]
    paths = [one["inventory"] for one in settings.given["clusters"] if isinstance(one["inventory"], str)]
    if given is False or not paths:
        return {}
    wanted: Mapping[str, Any] = {} if given is True else given
    name = f"{settings.prefix} {_OPERATION.name}"
    return {
        "job_templates": [_template(settings, wanted, name, paths)],
        "schedules": [] if wanted.get("schedule", False) is False else [_schedule(wanted["schedule"], name)],
    }


def _template(settings: Settings, wanted: Mapping[str, Any], name: str, paths: list[str]) -> Item:
    return {
        "name": f"{name}: {_OPERATION.title}",
        "description": _OPERATION.description,
        "inventory": naming.controller(settings),
        "project": naming.project_name(settings),
        "playbook": naming.playbook(settings, _OPERATION.playbook),
        "execution_environment": naming.environment_name(settings),
        "credentials": list(wanted.get("credentials") or settings.shared_credentials),
        "instance_groups": list(settings.given["instance_groups"]),
        "forks": 5,
        "extra_vars": {"slipway_fleet": [f"{naming.PROJECT_FOLDER}/{path}" for path in paths]},
        "ask_credential_on_launch": True,
        "ask_variables_on_launch": False,
        "survey_enabled": True,
        "survey_spec": survey(_OPERATION),
        "notification_templates_error": list(settings.given["notify"]),
    }


def _schedule(wanted: Mapping[str, Any], name: str) -> Item:
    template = f"{name}: {_OPERATION.title}"
    return {
        "name": f"{template}, every night",
        "description": "Fails when something is not as it was applied, so that AWX notifies",
        "unified_job_template": template,
        "rrule": rrule(wanted, name),
        "enabled": bool(wanted.get("enabled", True)),
        "extra_data": dict(DRIFT),
    }
