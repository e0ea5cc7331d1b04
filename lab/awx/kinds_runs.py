# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What has been launched: jobs, updates, workflows with their nodes, and approvals."""

from __future__ import annotations

from typing import Any

from lab.awx.kinds_work import AFTER, ASKED, SAVED, SAVED_LINKS
from lab.awx.shape import Field, Kind, shown

JOBS = "unified_jobs"


def _run(parent: str, parent_list: str, more: dict[str, Field]) -> dict[str, Field]:
    """Fields of everything that runs; ``parent``: the field that says what it was launched from."""
    return {
        "name": shown("string", ""),
        "description": shown("string", ""),
        "unified_job_template": shown("id", to="unified_job_templates"),
        parent: shown("id", to=parent_list),
        "launch_type": shown("choice", "manual"),
        "status": shown("choice", "pending"),
        "failed": shown("boolean", False),
        "started": shown("datetime"),
        "finished": shown("datetime"),
        "canceled_on": shown("datetime"),
        "elapsed": shown("float", 0.0),
        "job_args": shown("string", ""),
        "job_cwd": shown("string", ""),
        "job_env": shown("json", {}),
        "job_explanation": shown("string", ""),
        "execution_environment": shown("id", to="execution_environments"),
        "execution_node": shown("string", ""),
        "result_traceback": shown("string", ""),
        "event_processing_finished": shown("boolean", False),
        "schedule": shown("id", to="schedules"),
        "source_workflow_job": shown("id", to="workflow_jobs"),
        "timeout": shown("integer", 0),
        **more,
    }


def _job_fields() -> dict[str, Field]:
    given: dict[str, Any] = {name: shown() for name in ASKED if name not in SAVED_LINKS}
    given["inventory"] = shown("id", to="inventories")
    given["execution_environment"] = shown("id", to="execution_environments")
    return {
        **given,
        "project": shown("id", to="projects"),
        "playbook": shown("string", ""),
        "organization": shown("id", to="organizations"),
        "scm_revision": shown("string", ""),
        "artifacts": shown("json", {}),
        "start_at_task": shown("string", ""),
        "force_handlers": shown("boolean", False),
        "become_enabled": shown("boolean", False),
        "allow_simultaneous": shown("boolean", False),
        "survey_passwords": shown("json", {}, write_only=True),
        "host_status_counts": shown("json", {}),
        "playbook_counts": shown("json", {}),
    }


CANCELED = ("cancel", "stdout")

KINDS = (
    Kind(
        "jobs",
        "job",
        "Job",
        _run("job_template", "job_templates", _job_fields()),
        links=SAVED_LINKS,
        actions=(*CANCELED, "job_events", "job_host_summaries"),
        sequence=JOBS,
        writable=False,
    ),
    Kind(
        "project_updates",
        "project_update",
        "Project update",
        _run(
            "project",
            "projects",
            {"scm_revision": shown("string", ""), "job_type": shown("choice", "check"), "scm_url": shown()},
        ),
        actions=CANCELED,
        sequence=JOBS,
        writable=False,
    ),
    Kind(
        "inventory_updates",
        "inventory_update",
        "Inventory update",
        _run(
            "inventory_source",
            "inventory_sources",
            {"inventory": shown("id", to="inventories"), "source": shown(), "source_path": shown()},
        ),
        actions=CANCELED,
        sequence=JOBS,
        writable=False,
    ),
    Kind(
        "workflow_jobs",
        "workflow_job",
        "Workflow job",
        _run(
            "workflow_job_template",
            "workflow_job_templates",
            {
                "extra_vars": shown("string", "{}"),
                "inventory": shown("id", to="inventories"),
                "limit": shown(),
                "allow_simultaneous": shown("boolean", False),
                "survey_passwords": shown("json", {}, write_only=True),
                "organization": shown("id", to="organizations"),
            },
        ),
        links={"labels": "labels"},
        children={"workflow_nodes": ("workflow_job_nodes", "workflow_job")},
        actions=("cancel",),
        sequence=JOBS,
        writable=False,
    ),
    Kind(
        "workflow_approvals",
        "workflow_approval",
        "Workflow approval",
        _run(
            "workflow_approval_template",
            "workflow_approval_templates",
            {"timed_out": shown("boolean", False), "approved_or_denied_by": shown("id", to="users")},
        ),
        actions=("approve", "deny", "cancel"),
        sequence=JOBS,
        writable=False,
    ),
    Kind(
        "workflow_job_nodes",
        "workflow_job_node",
        "Workflow job node",
        {
            **{name: shown(field.type, field.default, to=field.to) for name, field in SAVED.items()},
            "job": shown("id", to=JOBS),
            "workflow_job": shown("id", to="workflow_jobs", cascade=True),
            "unified_job_template": shown("id", to="unified_job_templates"),
            "all_parents_must_converge": shown("boolean", False),
            "do_not_run": shown("boolean", False),
            "identifier": shown(),
            "ancestor_artifacts": shown("json", {}, write_only=True),
        },
        links={**SAVED_LINKS, **dict.fromkeys(AFTER, "workflow_job_nodes")},
        writable=False,
    ),
)
