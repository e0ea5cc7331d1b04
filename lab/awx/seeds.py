# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What every AWX has from the start."""

from __future__ import annotations

from lab.awx.kinds import KINDS
from lab.awx.store import Object, Store

KEY = {"id": "ssh_key_data", "label": "SSH Private Key", "type": "string", "format": "ssh_private_key", "secret": True}
MACHINE = [
    {"id": "username", "label": "Username", "type": "string"},
    {"id": "password", "label": "Password", "type": "string", "secret": True},
    KEY,
    {"id": "ssh_key_unlock", "label": "Private Key Passphrase", "type": "string", "secret": True},
    {"id": "become_method", "label": "Privilege Escalation Method", "type": "string"},
    {"id": "become_username", "label": "Privilege Escalation Username", "type": "string"},
    {"id": "become_password", "label": "Privilege Escalation Password", "type": "string", "secret": True},
]
SCM = [MACHINE[0], MACHINE[1], KEY, MACHINE[3]]
VAULT = [
    {"id": "vault_password", "label": "Vault Password", "type": "string", "secret": True},
    {"id": "vault_id", "label": "Vault Identifier", "type": "string"},
]
REGISTRY = [
    {"id": "host", "label": "Authentication URL", "type": "string"},
    {"id": "username", "label": "Username", "type": "string"},
    {"id": "password", "label": "Password or Token", "type": "string", "secret": True},
    {"id": "verify_ssl", "label": "Verify SSL", "type": "boolean"},
]
GALAXY = [
    {"id": "url", "label": "Galaxy Server URL", "type": "string"},
    {"id": "auth_url", "label": "Auth Server URL", "type": "string"},
    {"id": "token", "label": "API Token", "type": "string", "secret": True},
]
CLUSTER = [
    {"id": "host", "label": "OpenShift or Kubernetes API Endpoint", "type": "string"},
    {"id": "bearer_token", "label": "API authentication bearer token", "type": "string", "secret": True},
    {"id": "verify_ssl", "label": "Verify SSL", "type": "boolean"},
    {"id": "ssl_ca_cert", "label": "Certificate Authority data", "type": "string", "secret": True},
]
CONTROLLER = [
    {"id": "host", "label": "Red Hat Ansible Automation Platform", "type": "string"},
    {"id": "username", "label": "Username", "type": "string"},
    {"id": "password", "label": "Password", "type": "string", "secret": True},
    {"id": "oauth_token", "label": "OAuth Token", "type": "string", "secret": True},
    {"id": "verify_ssl", "label": "Verify SSL", "type": "boolean", "secret": False},
]
# What a job gets of a type that AWX itself brings.
INJECTORS = {
    "controller": {
        "env": {
            f"CONTROLLER_{variable}": f"{{{{ {field} }}}}"
            for variable, field in (
                ("HOST", "host"),
                ("USERNAME", "username"),
                ("PASSWORD", "password"),
                ("OAUTH_TOKEN", "oauth_token"),
                ("VERIFY_SSL", "verify_ssl"),
            )
        }
    }
}
# Name, namespace, kind and fields of the types that AWX itself brings and nobody can change.
MANAGED = (
    ("Machine", "ssh", "ssh", MACHINE),
    ("Source Control", "scm", "scm", SCM),
    ("Vault", "vault", "vault", VAULT),
    ("Container Registry", "registry", "registry", REGISTRY),
    ("Ansible Galaxy/Automation Hub API Token", "galaxy_api_token", "galaxy", GALAXY),
    ("OpenShift or Kubernetes API Bearer Token", "kubernetes_bearer_token", "kubernetes", CLUSTER),
    ("Red Hat Ansible Automation Platform", "controller", "cloud", CONTROLLER),
)


def fill(store: Store, name: str, password: str, token: str) -> Object:
    """The first user, who may do everything, with a token; the default organization; what AWX brings."""
    user = store.add(KINDS["users"], {"username": name, "password": password, "is_superuser": True})
    store.add(KINDS["tokens"], {"user": user["id"], "token": token, "description": "the lab's"})
    store.add(KINDS["organizations"], {"name": "Default", "description": "The default organization"})
    for group in ("controlplane", "default"):
        store.add(KINDS["instance_groups"], {"name": group})
    for image in ("AWX EE (latest)", "Control Plane Execution Environment"):
        store.add(KINDS["execution_environments"], {"name": image, "image": "lab/awx-ee", "managed": True})
    for label, namespace, kind, fields in MANAGED:
        values = {"name": label, "namespace": namespace, "kind": kind, "managed": True, "inputs": {"fields": fields}}
        values["injectors"] = INJECTORS.get(namespace, {})
        store.add(KINDS["credential_types"], values)
    return user
