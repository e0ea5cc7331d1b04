# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Who may do what: organizations, users, teams, roles and tokens."""

from __future__ import annotations

from lab.awx.shape import Kind, flag, needed, needed_ref, number, ref, shown, text

NOTIFIED = {f"notification_templates_{when}": "notification_templates" for when in ("started", "success", "error")}
APPROVALS = {"notification_templates_approvals": "notification_templates"}

KINDS = (
    Kind(
        "organizations",
        "organization",
        "Organization",
        {
            "name": needed(),
            "description": text(),
            "max_hosts": number(),
            "custom_virtualenv": shown(),
            "default_environment": ref("execution_environments"),
        },
        unique=(("name",),),
        links={
            "users": "users",
            "admins": "users",
            "instance_groups": "instance_groups",
            "galaxy_credentials": "credentials",
            **NOTIFIED,
            **APPROVALS,
        },
        children={
            name: (name, "organization")
            for name in (
                "execution_environments",
                "projects",
                "inventories",
                "job_templates",
                "workflow_job_templates",
                "teams",
                "credentials",
                "notification_templates",
            )
        },
        roles=(
            "admin",
            "execute",
            "project_admin",
            "inventory_admin",
            "credential_admin",
            "workflow_admin",
            "notification_admin",
            "job_template_admin",
            "execution_environment_admin",
            "auditor",
            "member",
            "read",
            "approval",
        ),
    ),
    Kind(
        "users",
        "user",
        "User",
        {
            "username": needed(),
            "first_name": text(),
            "last_name": text(),
            "email": text(),
            "is_superuser": flag(),
            "is_system_auditor": flag(),
            "password": text(write_only=True),
            "ldap_dn": shown("string", ""),
            "last_login": shown("datetime"),
            "external_account": shown(),
        },
        unique=(("username",),),
        links={"roles": "roles"},
    ),
    Kind(
        "teams",
        "team",
        "Team",
        {"name": needed(), "description": text(), "organization": needed_ref("organizations", cascade=True)},
        unique=(("organization", "name"),),
        links={"users": "users", "roles": "roles"},
        roles=("admin", "member", "read"),
    ),
    Kind(
        "roles",
        "role",
        "Role",
        {
            "name": shown(),
            "description": shown("string", ""),
            "role_field": shown(),
            "content_kind": shown(),
            "content_id": shown("integer"),
        },
        links={"users": "users", "teams": "teams"},
        writable=False,
    ),
    Kind(
        "tokens",
        "o_auth2_access_token",
        "Access token",
        {
            "description": text(),
            "user": shown("id", to="users", cascade=True),
            "token": shown(),
            "application": ref("applications"),
            "expires": shown("datetime"),
            "scope": text("write"),
        },
    ),
    Kind(
        "applications",
        "o_auth2_application",
        "Application",
        {"name": needed(), "description": text(), "organization": needed_ref("organizations", cascade=True)},
        unique=(("name", "organization"),),
    ),
    Kind(
        "instance_groups",
        "instance_group",
        "Instance group",
        {"name": needed(), "max_concurrent_jobs": number(), "max_forks": number(), "is_container_group": flag()},
        unique=(("name",),),
    ),
    Kind(
        "labels",
        "label",
        "Label",
        {"name": needed(), "organization": needed_ref("organizations", cascade=True)},
        unique=(("name", "organization"),),
    ),
)
