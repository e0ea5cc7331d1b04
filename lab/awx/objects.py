# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Lists and single objects: read, create, change, remove."""

from __future__ import annotations

import copy
import json
import secrets
import urllib.parse
import uuid
from pathlib import Path
from typing import Any

from lab.awx import incoming
from lab.awx.kinds import KINDS
from lab.awx.outcome import ACTIVE
from lab.awx.outgoing import ROOT, show
from lab.awx.refusal import RefusalError, invalid, missing
from lab.awx.rules import credential_types, credentials, notifications, projects, saved, schedules, sources
from lab.awx.shape import Kind
from lab.awx.store import Object, Store

PROMPTING = "You must either set a default value or ask to prompt on launch."
UPDATED_BY = ("scm_type", "scm_url", "scm_branch", "scm_refspec")


class Objects:
    """``projects``: folder in which projects have their files."""

    def __init__(self, store: Store, projects_root: Path) -> None:
        self.store = store
        self.projects = projects_root

    def create(self, kind: Kind, sent: Any, user: Object) -> Object:
        """:raises RefusalError: when AWX would not take it."""
        values = incoming.clean(self.store, kind, copy.deepcopy(sent), None, whole=True)
        self._check(kind, values, None)
        incoming.check_unique(self.store, kind, values, None)
        if kind.name == "workflow_job_template_nodes" and not values.get("identifier"):
            values["identifier"] = str(uuid.uuid4())
        if kind.name == "tokens":
            values |= {"user": user["id"], "token": secrets.token_hex(15)}
        values = {name: value for name, value in values.items() if name != "team"}
        return self.store.add(kind, values)

    def change(self, kind: Kind, thing: Object, sent: Any, *, whole: bool) -> Object:
        """:raises RefusalError: when AWX would not take the change."""
        values = incoming.clean(self.store, kind, copy.deepcopy(sent), thing, whole=whole)
        if kind.name == "execution_environments" and thing["managed"]:
            raise RefusalError(403, {"detail": "You do not have permission to perform this action."})
        self._check(kind, values, thing)
        incoming.check_unique(self.store, kind, values, thing)
        former = thing.get("unified_job_template")
        self.store.update(thing, values)
        if kind.name == "workflow_job_template_nodes" and thing["unified_job_template"] != former:
            self.store.remove_approval(former)
        return thing

    def remove(self, kind: Kind, thing: Object) -> int:
        """The status of the answer.

        :raises RefusalError: when it is in use in a way that AWX does not allow.
        """
        if kind.name == "credential_types":
            credential_types.check_removal(self.store, thing)
        if thing.get("managed"):
            raise RefusalError(403, {"detail": "You do not have permission to perform this action."})
        active = self._active_runs(kind, thing)
        if active:
            raise RefusalError(409, {"error": "Resource is being used by running jobs.", "active_jobs": active})
        if kind.sequence == "unified_jobs" and thing["status"] in ACTIVE:
            raise RefusalError(403, {"detail": "Cannot delete running job resource."})
        self.store.remove(kind, thing["id"])
        return 202 if kind.name == "inventories" else 204

    def _active_runs(self, kind: Kind, thing: Object) -> list[Object]:
        if kind.sequence == "unified_jobs" or (not kind.children and kind.name != "organizations"):
            return []
        fields = {"unified_job_template": kind.sequence == "unified_job_templates", kind.type: True}
        return [
            {"id": run["id"], "type": run_kind.type}
            for run_kind, run in self.store.all("unified_jobs")
            if run["status"] in ACTIVE and any(ours and run.get(name) == thing["id"] for name, ours in fields.items())
        ]

    def _check(self, kind: Kind, values: Object, thing: Object | None) -> None:
        whole = {name: field.default for name, field in kind.fields.items()} | (thing or {}) | values
        match kind.name:
            case "credential_types":
                credential_types.check(self.store, values, thing)
            case "credentials":
                credentials.check(self.store, values, thing)
            case "projects":
                projects.check(self.store, self.projects, values, thing)
            case "notification_templates":
                notifications.check(values, thing)
            case "inventory_sources":
                sources.check(self.store, whole, values)
            case "execution_environments":
                self._check_environment(values, thing)
            case "job_templates":
                self._check_template(whole)
                values["organization"] = self.store.get("projects", whole["project"])["organization"]
            case "schedules":
                if "rrule" in values:
                    schedules.check(values["rrule"])
                    values |= schedules.computed(values["rrule"])
                if "unified_job_template" in values:
                    saved.check_scheduled(self.store, values["unified_job_template"])
                if values != {"enabled": False}:
                    saved.check(self.store, kind, values, thing)
            case "workflow_job_template_nodes":
                saved.check(self.store, kind, values, thing)

    def _check_environment(self, values: Object, thing: Object | None) -> None:
        credential = self.store.find("credentials", values.get("credential"))
        if credential is not None and credential["kind"] != "registry":
            raise invalid(
                credential="Only Container Registry credentials can be associated with an Execution Environment"
            )
        if thing is not None and values.get("organization") not in (None, thing["organization"]):
            raise invalid(organization="Cannot change the organization of an execution environment")

    def _check_template(self, whole: Object) -> None:
        if whole["project"] is None:
            raise invalid(project="Job Templates must have a project assigned.")
        if whole["inventory"] is None and not whole["ask_inventory_on_launch"]:
            raise invalid(inventory=PROMPTING)
        if whole["host_config_key"] and whole["inventory"] is None:
            raise invalid(host_config_key="Cannot enable provisioning callback without an inventory set.")
        projects.check_playbook(self.store, self.projects, whole)

    def by_name(self, kind: Kind, word: str) -> Object:
        """By its number, or by its named address: name and, after ``++``, the organization's or the inventory's.

        :raises RefusalError: when there is none.
        """
        if word.isdigit():
            return self.store.get(kind.name, int(word))
        name, *owner = [urllib.parse.unquote(part) for part in word.split("++")]
        field = next((field for field in ("organization", "inventory") if field in kind.fields), "")
        for _kind, thing in self.store.all(kind.name, **{kind.identity: name}):
            parent = self.store.find(kind.fields[field].to, thing[field]) if field else None
            if not owner or (parent is not None and parent["name"] == owner[0]):
                return thing
        raise missing()


def index() -> dict[str, str]:
    """The lists, as the entry of the API names them."""
    plain = {name: f"{ROOT}{name}/" for name in KINDS}
    plain["inventory"] = plain.pop("inventories")
    return plain | {
        name: f"{ROOT}{name}/" for name in ("ping", "config", "me", "unified_job_templates", "unified_jobs")
    }


def dump(store: Store) -> str:
    """Everything as it is shown, for a person to read."""
    with store.lock:
        return json.dumps(
            {name: [show(store, kind, thing) for kind, thing in store.all(name)] for name in KINDS}, indent=1
        )
