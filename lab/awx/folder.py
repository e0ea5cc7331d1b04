# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A job's private folder: everything that ansible-runner needs of it, as AWX lays it out."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path
from typing import Any

from lab.awx import unsafe
from lab.awx.incoming import variables
from lab.awx.injectors import inject
from lab.awx.kinds import KINDS
from lab.awx.scripts import script
from lab.awx.settings import Settings
from lab.awx.store import Object, Store

CONTAINER = ("--user=root", "--network", "host", "--pull=never")
COLLECTIONS = "/runner/requirements_collections:~/.ansible/collections:/usr/share/ansible/collections"
ROLES = "/runner/requirements_roles:~/.ansible/roles:/usr/share/ansible/roles:/etc/ansible/roles"
POLL = 0.2


def prepare(store: Store, settings: Settings, job: Object, folder: Path, host: str) -> dict[str, str]:
    """Fill it; what is returned are the environment variables as AWX shows them. Whoever calls holds the store's lock.
    ``host``: AWX's own address."""
    for name in ("env", "inventory", "artifacts", "cp"):
        (folder / name).mkdir(mode=0o700)
    project = store.get("projects", job["project"])
    shutil.copytree(settings.projects / project["local_path"], folder / "project", symlinks=True)
    inventory = store.get("inventories", job["inventory"])
    content = json.dumps(script(store, inventory, hostvars=True, towervars=True))
    hosts = folder / "inventory" / "hosts"
    hosts.write_text(f"#! /usr/bin/env python3\n# -*- coding: utf-8 -*-\nprint({content!r})\n", encoding="utf-8")
    hosts.chmod(0o700)
    credentials = [store.get("credentials", number) for number in store.linked(KINDS["jobs"], job["id"], "credentials")]
    injected = inject(store, credentials, folder)
    environment = _environment(job, project, folder, host)
    _write(folder, "extravars", _extra_variables(store, job))
    _write(folder, "cmdline", shlex.join([*injected.words, *_words(job)]))
    _write(folder, "envvars", json.dumps(environment | injected.environment))
    _write(folder, "settings", json.dumps(_settings(store, job)))
    if injected.passwords:
        _write(folder, "passwords", json.dumps(injected.passwords))
    if injected.key:
        _write(folder, "ssh_key", injected.key)
    return environment | injected.hidden


def _write(folder: Path, name: str, content: str) -> None:
    path = folder / "env" / name
    path.write_text(content, encoding="utf-8")
    path.chmod(0o600)


def _environment(job: Object, project: Object, folder: Path, host: str) -> dict[str, str]:
    return {
        "ANSIBLE_FORCE_COLOR": "True",
        "ANSIBLE_HOST_KEY_CHECKING": "False",
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
        "ANSIBLE_PARAMIKO_RECORD_HOST_KEYS": "False",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": "/runner/cp",
        "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS,
        "ANSIBLE_COLLECTIONS_PATHS": COLLECTIONS,
        "ANSIBLE_ROLES_PATH": ROLES,
        # Some of those that leak out of AWX's own settings.
        "ANSIBLE_BASE_TEAM_MODEL": "main.Team",
        "ANSIBLE_BASE_ORGANIZATION_MODEL": "main.Organization",
        "AWX_PRIVATE_DATA_DIR": str(folder),
        "AWX_HOST": host,
        "JOB_ID": str(job["id"]),
        "INVENTORY_ID": str(job["inventory"]),
        "PROJECT_REVISION": project["scm_revision"],
        "MAX_EVENT_RES": "700000",
    }


def _words(job: Object) -> list[str]:
    found = ["--check"] if job["job_type"] == "check" else []
    for name, option in (("limit", "-l"), ("job_tags", "-t"), ("start_at_task", "--start-at-task")):
        if job[name]:
            found += [option, job[name]]
    if job["skip_tags"]:
        found.append(f"--skip-tags={job['skip_tags']}")
    if job["forks"]:
        found.append(f"--forks={job['forks']}")
    if job["verbosity"]:
        found.append(f"-{'v' * job['verbosity']}")
    for name, option in (
        ("diff_mode", "--diff"),
        ("become_enabled", "--become"),
        ("force_handlers", "--force-handlers"),
    ):
        if job[name]:
            found.append(option)
    return found


def _settings(store: Store, job: Object) -> dict[str, Any]:
    image = store.find("execution_environments", job["execution_environment"]) or {"image": "lab/awx-ee"}
    limit = {"job_timeout": job["timeout"]} if job["timeout"] else {}
    return {
        "process_isolation": True,
        "process_isolation_executable": "podman",
        "container_image": image["image"],
        "container_options": list(CONTAINER),
        "suppress_ansible_output": True,
        "pexpect_timeout": POLL,
        **limit,
    }


def _extra_variables(store: Store, job: Object) -> str:
    template = store.find("job_templates", job["job_template"])
    trusted = variables(template["extra_vars"]) if template else {}
    return unsafe.dump(known(store, job) | variables(job["extra_vars"]), trusted)


def known(store: Store, job: Object) -> dict[str, Any]:
    """What AWX tells every job about itself."""
    project, inventory = store.get("projects", job["project"]), store.get("inventories", job["inventory"])
    found = {
        "job_id": job["id"],
        "job_launch_type": job["launch_type"],
        "inventory_id": inventory["id"],
        "inventory_name": inventory["name"],
        "project_revision": project["scm_revision"],
        "project_scm_branch": project["scm_branch"],
        "job_template_id": job["job_template"],
        "job_template_name": job["name"],
        "execution_node": job["execution_node"],
    }
    if job["scm_branch"]:
        found["job_scm_branch"] = job["scm_branch"]
    workflow = store.find("workflow_jobs", job["source_workflow_job"])
    if workflow is not None:
        found |= {"workflow_job_id": workflow["id"], "workflow_job_name": workflow["name"]}
        found |= _schedule(store, workflow, "parent_job_schedule")
    user = store.find("users", job.get("created_by"))
    if user is None:
        found |= _schedule(store, job, "schedule")
    else:
        found |= {"user_id": user["id"], "user_name": user["username"], "user_email": user["email"]}
        found |= {"user_first_name": user["first_name"], "user_last_name": user["last_name"]}
    return {f"{prefix}_{name}": value for name, value in found.items() for prefix in ("awx", "tower")}


def _schedule(store: Store, run: Object, prefix: str) -> dict[str, Any]:
    schedule = store.find("schedules", run["schedule"])
    return {f"{prefix}_id": schedule["id"], f"{prefix}_name": schedule["name"]} if schedule else {}
