# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What an OpenBao or Vault has to hold so that it signs for one cluster, and what of that is missing.

Everything is read first and compared; one error names every right that the token lacks, before anything is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..trust.errors import TrustError
from . import issuers
from .bao import Bao
from .issuers import Engine, Step

# None of them is any client's business: whoever may sign would otherwise choose what a certificate allows.
_DENIED = 'denied_parameters = { "critical_options" = [], "extensions" = [], "key_id" = [] }'


@dataclass(frozen=True)
class Wanted:
    """``name`` is the cluster's ``slipway_name``; times are seconds."""

    name: str
    user_mount: str = "ssh-user"
    host_mount: str = "ssh-host"
    ttl: int = 600
    max_ttl: int = 900
    host_ttl: int = 90 * 86400
    port_forwarding: bool = False
    approle: bool = False
    approle_options: Mapping[str, Any] = field(default_factory=dict)
    jwt: Mapping[str, Any] = field(default_factory=dict)

    @property
    def role(self) -> str:
        return f"slipway-{self.name}"

    @property
    def principal(self) -> str:
        return f"slipway-{self.name}"


@dataclass(frozen=True)
class Change:
    """One difference: where, what is there and what should be."""

    step: Step
    before: Any
    after: Any


def user_role(wanted: Wanted) -> dict[str, Any]:
    """As the server returns it when it is read."""
    extensions = {"permit-port-forwarding": ""} if wanted.port_forwarding else {}
    return {
        "key_type": "ca",
        "allow_user_certificates": True,
        "allow_host_certificates": False,
        "allowed_users": wanted.principal,
        "default_user": "",
        "ttl": wanted.ttl,
        "max_ttl": wanted.max_ttl,
        "allowed_user_key_lengths": {"ed25519": [0]},
        "default_extensions": extensions,
        "allowed_extensions": ",".join(extensions),
        "default_critical_options": {},
        "key_id_format": "{{token_display_name}}/{{role_name}}",
        "allow_user_key_ids": False,
        "allow_empty_principals": False,
    }


def host_role(wanted: Wanted) -> dict[str, Any]:
    """Host keys are what they are: those of all types that sshd makes are signed."""
    return {
        "key_type": "ca",
        "allow_user_certificates": False,
        "allow_host_certificates": True,
        "allowed_domains": "*",
        "allow_bare_domains": True,
        "allow_subdomains": True,
        "ttl": wanted.host_ttl,
        "max_ttl": wanted.host_ttl,
        "allowed_user_key_lengths": {"ecdsa": [256, 384, 521], "ed25519": [0], "rsa": [2048, 3072, 4096]},
        "key_id_format": "{{token_display_name}}/{{role_name}}",
        "allow_user_key_ids": False,
        "allow_empty_principals": False,
    }


def policies(wanted: Wanted) -> dict[str, str]:
    """One for runs on the cluster, one for those who roll trust out: it reads all keys and signs host keys."""
    sign = f'path "{wanted.user_mount}/sign/{wanted.role}" {{\n  capabilities = ["update"]\n  {_DENIED}\n}}\n'
    hosts = f'path "{wanted.host_mount}/sign/{wanted.role}" {{\n  capabilities = ["update"]\n  {_DENIED}\n}}\n'
    for mount in (wanted.user_mount, wanted.host_mount):
        hosts += f'path "{mount}/issuers" {{\n  capabilities = ["list"]\n}}\n'
        hosts += f'path "{mount}/config/ca" {{\n  capabilities = ["read"]\n}}\n'
    return {wanted.role: sign, f"{wanted.role}-hosts": hosts}


def differences(bao: Bao, wanted: Wanted) -> list[Change]:
    """What is missing or different, in the order in which it is to be written. Raises ``TrustError``."""
    found = []
    for mount, role in ((wanted.user_mount, user_role(wanted)), (wanted.host_mount, host_role(wanted))):
        found += _mount(bao, f"sys/mounts/{mount}", "ssh")
        found += _key(bao, mount)
        found += _settings(bao, f"{mount}/roles/{wanted.role}", role)
    for name, text in policies(wanted).items():
        found += _settings(bao, f"sys/policies/acl/{name}", {"policy": text})
    if wanted.approle:
        login = {"token_policies": [wanted.role], "token_ttl": 1200, "secret_id_num_uses": 1, "secret_id_ttl": 3600}
        found += _mount(bao, "sys/auth/approle", "approle")
        found += _settings(bao, f"auth/approle/role/{wanted.role}", {**login, **wanted.approle_options})
    if wanted.jwt:
        login = {"token_policies": [wanted.role], "token_ttl": 1200, "role_type": "jwt", "user_claim": "sub"}
        options = {key: value for key, value in wanted.jwt.items() if key != "mount"}
        found += _settings(bao, f"auth/{wanted.jwt.get('mount', 'jwt')}/role/{wanted.role}", {**login, **options})
    if bao.forbidden:
        raise bao.missing(bao.forbidden)
    return found


def carry_out(bao: Bao, changes: list[Change]) -> None:
    """Writes what is due, once it is known that all of it may be written. Raises ``TrustError``, ``ProviderError``."""
    lacking = bao.lacking([change.step.path for change in changes if change.step.path])
    if lacking:
        raise bao.missing(lacking)
    for change in changes:
        step = change.step
        if not step.path:
            # Only with the mount there is it known what this server can.
            engine = Engine.read(bao, str(change.after))
            step = issuers.create(engine.mount, several=engine.several)
        bao.write(step.path, step.body, step.method)


def _mount(bao: Bao, path: str, kind: str) -> list[Change]:
    there = bao.read(path)
    if there is None:
        return [Change(Step(f"mount {path}", "POST", path, {"type": kind}), None, {"type": kind})]
    if there.get("type") != kind:
        raise TrustError(
            "SLW-7324", f"{path} at {bao.name} is of type {there.get('type')}, not {kind}", "choose another mount"
        )
    return []


def _key(bao: Bao, mount: str) -> list[Change]:
    """A key is made where there is none, and never made anew."""
    if Engine.read(bao, mount).issuers:
        return []
    return [Change(Step(f"make the key of {mount}", "POST", "", {}), None, mount)]


def _settings(bao: Bao, path: str, wanted: Mapping[str, Any]) -> list[Change]:
    there = bao.read(path)
    if there is None:
        return [Change(Step(f"write {path}", "POST", path, dict(wanted)), None, dict(wanted))]
    # A server that does not know a setting does not return it, and would not keep it either.
    before = {key: there[key] for key in wanted if key in there}
    after = {key: wanted[key] for key in before}
    if before == after:
        return []
    return [Change(Step(f"write {path}", "POST", path, dict(wanted)), before, after)]
