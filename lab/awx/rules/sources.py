# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Inventory sources: where an inventory's hosts come from."""

from __future__ import annotations

from lab.awx.incoming import variables
from lab.awx.refusal import RefusalError, invalid
from lab.awx.store import Object, Store

SCM_ONLY = ("source_project", "source_path", "scm_branch")
BLOCKED = ("HOME", "USER", "_", "TERM", "PATH")


def check(store: Store, whole: Object, values: Object) -> None:
    """:raises RefusalError: for a source that AWX would not take."""
    inventory = store.get("inventories", whole["inventory"])
    if inventory["kind"] in ("constructed", "smart"):
        raise RefusalError(
            400, {"inventory": {"detail": "Cannot create Inventory Source for Smart or Constructed Inventories"}}
        )
    project = store.find("projects", whole["source_project"])
    if project is not None and not project["scm_type"]:
        raise invalid(source_project="Cannot use manual project for SCM-based inventory.")
    if whole["source"] == "constructed":
        raise invalid(error="constructed not a valid source for inventory")
    if whole["source"] == "scm":
        if project is None:
            raise invalid(source_project="Project required for scm type sources.")
    else:
        wrong = [name for name in SCM_ONLY if values.get(name)]
        if wrong:
            raise invalid(detail=f"Cannot set {' '.join(wrong)} if not SCM type.")
    if whole["scm_branch"] and project is not None and not project["allow_override"]:
        raise invalid(scm_branch="Project does not allow overriding branch.")
    for name in variables(whole["source_vars"]):
        if name in BLOCKED:
            raise invalid(source_vars=f"`{name}` is a prohibited environment variable")
    if whole["credential"] is not None and whole["source"] == "scm":
        kind = store.get("credential_types", store.get("credentials", whole["credential"])["credential_type"])["kind"]
        if kind in ("insights", "vault"):
            raise invalid(credential="Credentials of type insights and vault are disallowed for scm inventory sources.")
