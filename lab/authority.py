# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The lab's OpenBao as a certificate authority for SSH: what ``slipway.cluster.access`` makes of an empty one.

Written apart from the collection's own role, so that the two can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import bao as openbao
from lab.bao import Bao

USERS, HOSTS = "ssh-user", "ssh-host"
ROLE = "slipway"
AUDIENCE = "openbao"
LOGIN = {"token_policies": [ROLE], "token_ttl": "20m"}
POLICY = f"""
path "{USERS}/sign/{ROLE}" {{
  capabilities = ["update"]
  denied_parameters = {{ "critical_options" = [], "extensions" = [], "key_id" = [] }}
}}
"""


@dataclass(frozen=True)
class Authority:
    """An OpenBao that signs for users and hosts; the keys are in OpenSSH's text form, without a comment."""

    bao: Bao
    user_ca: str
    host_ca: str

    def sign_user(self, public_key: str, principals: str, ttl: str | None = None) -> str:
        """Return a user's certificate; ``principals`` are separated by commas, ``ttl`` is the role's when absent."""
        body = {"public_key": public_key, "valid_principals": principals} | ({"ttl": ttl} if ttl else {})
        return self._sign(f"{USERS}/sign/{ROLE}", body)

    def sign_host(self, public_key: str, names: list[str]) -> str:
        body = {"public_key": public_key, "valid_principals": ",".join(names), "cert_type": "host"}
        return self._sign(f"{HOSTS}/sign/{ROLE}", body)

    def _sign(self, path: str, body: Mapping[str, object]) -> str:
        return str(self.bao.need("POST", path, body)["data"]["signed_key"]).strip()

    def token(self, ttl: str = "15m") -> str:
        """A token that may sign for users, and nothing else."""
        made = self.bao.need("POST", "auth/token/create", {"policies": [ROLE], "ttl": ttl, "display_name": "lab"})
        return str(made["auth"]["client_token"])

    def app_role(self) -> tuple[str, str]:
        """Role id, and a secret id that serves once."""
        role = self.bao.need("GET", f"auth/approle/role/{ROLE}/role-id")["data"]["role_id"]
        secret = self.bao.need("POST", f"auth/approle/role/{ROLE}/secret-id", {})["data"]["secret_id"]
        return str(role), str(secret)


def principal(env: Mapping[str, Any]) -> str:
    """The name in users' certificates that the lab's trusting hosts accept."""
    return f"slipway-{env['name']}"


def set_up(env: Mapping[str, Any], principals: str = "", ttl: str = "10m", max_ttl: str = "15m") -> Authority:
    """Give the lab's OpenBao its mounts, roles, policy and logins; a second time changes settings only.

    ``env`` is the lab's env.json; ``principals`` is what a user's certificate may be made for, names separated by
    commas (the server knows no patterns here), :func:`principal` when empty.

    :raises LabError: with OpenBao's message.
    """
    bao = openbao.of_lab(env)
    authority = prepare(bao, principals or principal(env), ttl, max_ttl)
    _mount(bao, "sys/auth", "jwt", "jwt")
    key = (Path(env["state_dir"]) / "pki" / "service-accounts.pub").read_text()
    bao.need("POST", "auth/jwt/config", {"jwt_validation_pubkeys": [key], "bound_issuer": env["server"]})
    claims = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": [AUDIENCE]}
    bao.need("POST", f"auth/jwt/role/{ROLE}", LOGIN | claims)
    return authority


def prepare(bao: Bao, principals: str, ttl: str = "10m", max_ttl: str = "15m") -> Authority:
    """Give an OpenBao the mounts, roles and policy, and a login by AppRole.

    :raises LabError: with OpenBao's message.
    """
    for mount in (USERS, HOSTS):
        _mount(bao, "sys/mounts", mount, "ssh")
        if bao.call("GET", f"{mount}/public_key")[0] != 200:
            bao.need("POST", f"{mount}/config/ca", {"generate_signing_key": True, "key_type": "ed25519"})
    bao.need("POST", f"{USERS}/roles/{ROLE}", _user_role(principals, ttl, max_ttl))
    bao.need("POST", f"{HOSTS}/roles/{ROLE}", _host_role())
    bao.need("PUT", f"sys/policies/acl/{ROLE}", {"policy": POLICY})
    _mount(bao, "sys/auth", "approle", "approle")
    bao.need("POST", f"auth/approle/role/{ROLE}", LOGIN | {"secret_id_num_uses": 1, "secret_id_ttl": "1h"})
    return Authority(bao, _public_key(bao, USERS), _public_key(bao, HOSTS))


def get(env: Mapping[str, Any]) -> Authority:
    """The lab's authority as it is set up already, by whomever; set up now when it is not.

    :raises LabError: with OpenBao's message.
    """
    bao = openbao.of_lab(env)
    if all(bao.call("GET", f"{mount}/public_key")[0] == 200 for mount in (USERS, HOSTS)):
        return Authority(bao, _public_key(bao, USERS), _public_key(bao, HOSTS))
    return set_up(env)


def _mount(bao: Bao, kind: str, path: str, what: str) -> None:
    if f"{path}/" not in bao.need("GET", kind)["data"]:
        bao.need("POST", f"{kind}/{path}", {"type": what})


def _public_key(bao: Bao, mount: str) -> str:
    return " ".join(str(bao.need("GET", f"{mount}/public_key")).split()[:2])


def _user_role(principals: str, ttl: str, max_ttl: str) -> dict[str, object]:
    return {
        "key_type": "ca",
        "allow_user_certificates": True,
        "allowed_users": principals,
        "allowed_user_key_lengths": {"ed25519": 0},
        "ttl": ttl,
        "max_ttl": max_ttl,
        "not_before_duration": "30s",
        # Port forwarding for the way over a bastion; no terminal, no agent.
        "default_extensions": {"permit-port-forwarding": ""},
        "allowed_extensions": "permit-port-forwarding",
        "key_id_format": "{{token_display_name}}/{{role_name}}",
    }


def _host_role() -> dict[str, object]:
    return {
        "key_type": "ca",
        "allow_host_certificates": True,
        "allowed_domains": "*",
        "allow_bare_domains": True,
        "allow_subdomains": True,
        "ttl": "720h",
        "max_ttl": "720h",
        "not_before_duration": "30s",
    }
