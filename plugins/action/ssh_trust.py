# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a host trust the authority, and prove it by a login; what cannot be proved is put back."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import SessionError
from ansible_collections.slipway.cluster.plugins.module_utils.trust.agent import offers, usable
from ansible_collections.slipway.cluster.plugins.module_utils.trust.certificate import parse_key
from ansible_collections.slipway.cluster.plugins.module_utils.trust.errors import TrustError

from ..plugin_utils import authority, keys
from ..plugin_utils.host_part import HostPart, ssh_connection
from ..plugin_utils.pinning import pin
from ..plugin_utils.proof import Target, prove

_BACK = "the host is as it was before"


class ActionModule(ActionBase):
    """The shell: arguments in, one ``except``, result out."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        try:
            result.update(self._run(self._task.args, task_vars or {}))
        except SessionError as exc:
            result.update(failed=True, msg=str(exc), **exc.as_dict())
        return result

    def _run(self, args: Mapping[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        name = str(variables["inventory_hostname"])
        pin(self._connection, name, authority.names(args, "host_key"))
        target = Target.of(self._connection, name)
        trusted = keys.read(args)
        principals = _principals(args, target)
        user = next(iter(principals))
        fingerprints = {parse_key(key).fingerprint for key in trusted.users}
        offered = self._offers(fingerprints, principals[user])
        host = HostPart(self, variables, {**_places(args), "connection": ssh_connection(self)})
        found = host.call("inspect")["host"]
        certificate, planned = self._host_certificate(args, target, trusted, found, variables)
        wanted = {
            "user_ca_keys": list(trusted.users),
            "principals": principals,
            "revoked": _revoked(args),
            "host_certificate": certificate,
            "log_level": str(args.get("log_level", "VERBOSE") or ""),
            "unused_connection_timeout": str(args.get("unused_connection_timeout", "10m") or ""),
            "penalty_exempt": " ".join(authority.names(args, "penalty_exempt")),
        }
        within = authority.seconds(args, "confirm_within", 90)
        done = host.call("apply", **wanted, seconds=within)
        outcome = {
            "changed": done["changed"] or planned,
            "diff": done["diff"],
            "openssh": found["openssh"],
            "put_back": found["put_back"],
            "trusts": sorted(fingerprints),
        }
        if self._task.check_mode:
            return outcome
        try:
            login = prove(target, offered, user=user, host_authorities=trusted.hosts if certificate else ())
        except TrustError as exc:
            if not done["change"]:
                raise
            host.call("restore", change=done["change"])
            raise TrustError(exc.code, exc.message, _BACK) from exc
        if done["change"]:
            host.call("confirm", change=done["change"])
        return outcome | {"login": {"serial": str(login.serial), "key_id": login.key_id, "authority": login.authority}}

    def _offers(self, fingerprints: set[str], principals: list[str]) -> list[Any]:
        """Before anything is touched: is there something to prove with? A check run does not log in."""
        if self._task.check_mode:
            return []
        found = offers(os.environ.get("SSH_AUTH_SOCK", ""))
        return usable(found, authorities=fingerprints, principals=principals, now=time.time())

    def _host_certificate(
        self,
        args: Mapping[str, Any],
        target: Target,
        trusted: keys.Trusted,
        found: Mapping[str, Any],
        variables: Mapping[str, Any],
    ) -> tuple[str, bool]:
        """The certificate for the host's key, and whether one would be signed (check mode signs none)."""
        if not trusted.hosts or found["site_host_certificates"] or not found["host_key"]:
            return "", False
        present = str(found["host_certificate"]).strip()
        names = keys.host_names(target.name, variables, authority.names(args, "host_principals"))
        if keys.is_good(present, found["host_key"], names, trusted.host_signing, time.time()):
            return present, False
        if self._task.check_mode:
            return present, True
        return keys.sign_host(args, found["host_key"], names), False


def _places(args: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: str(args.get(name) or "") for name in ("sshd", "config", "dropin", "folder", "state_dir", "reload")}
    return {name: value for name, value in given.items() if value}


def _principals(args: Mapping[str, Any], target: Target) -> dict[str, list[str]]:
    """User of the host → names in certificates; the user that logs in for Ansible comes first."""
    own = f"slipway-{authority.name(args)}"
    users = args.get("users") or {}
    if not isinstance(users, Mapping):
        raise TrustError("SLW-7314", f"users is {users!r}", "give a mapping of user to list of principals")
    found = {str(user): list(authority.names(users, user)) or [own] for user in users}
    first = target.user or next(iter(found), "")
    if not first:
        raise TrustError("SLW-7314", "it is not known who logs in", "set ansible_user, or ssh_trust_users")
    return {first: found.pop(first, [own]), **found}


def _revoked(args: Mapping[str, Any]) -> str:
    """The revocation list as base64: lines from a variable, or a file on the controller."""
    file = str(args.get("revoked_file") or "")
    lines = "".join(f"{line}\n" for line in authority.names(args, "revoked"))
    try:
        content = Path(file).expanduser().read_bytes() if file else b""
    except OSError as exc:
        raise TrustError(
            "SLW-7311", f"the revocation list {file} cannot be read: {exc}", "give a file on the controller"
        ) from exc
    if lines and content:
        raise TrustError("SLW-7311", "there is a revocation list by file and one by variable", "give one of them")
    return base64.b64encode(content or lines.encode()).decode()
