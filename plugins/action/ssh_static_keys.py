# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List the static keys of a host, and take them away once a login by certificate has been proved in this very task."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import SessionError
from ansible_collections.slipway.cluster.plugins.module_utils.trust.agent import offers, usable
from ansible_collections.slipway.cluster.plugins.module_utils.trust.certificate import Certificate, parse_key
from ansible_collections.slipway.cluster.plugins.module_utils.trust.errors import TrustError

from ..plugin_utils import authority
from ..plugin_utils.host_part import HostPart, ssh_connection
from ..plugin_utils.pinning import FINGERPRINT, pin
from ..plugin_utils.proof import Target, prove


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
        keep = _keep(args)
        removing = _consent(args)
        name = str(variables["inventory_hostname"])
        pin(self._connection, name, authority.names(args, "host_key"))
        target = Target.of(self._connection, name)
        always = {name: str(args[name]) for name in ("sshd", "config", "backups") if args.get(name)}
        always |= {"connection": ssh_connection(self)} | ({"user": target.user} if target.user else {})
        host = HostPart(self, variables, always, module="slipway.cluster.ssh_static_keys_host")
        found = host.call("list")
        users = authority.names(args, "users")
        doomed = [
            key for key in found["keys"] if key["fingerprint"] not in keep and (not users or key["user"] in users)
        ]
        told = {name: found[name] for name in ("keys", "commands", "unread")} | {"keep": sorted(keep)}
        if not removing or not doomed:
            return {"changed": False, **told, "removed": [], "restore": ""}
        return {**told, **self._remove(target, host, found["trusted"], doomed, list(users))}

    def _remove(
        self, target: Target, host: HostPart, trusted: list[str], doomed: list[dict[str, Any]], users: list[str]
    ) -> dict[str, Any]:
        fingerprints = sorted({key["fingerprint"] for key in doomed})
        removed = [f"{key['user']} {key['path']} {key['fingerprint']}" for key in doomed]
        if self._task.check_mode:
            return {"changed": True, "removed": removed, "restore": ""}
        self._prove(target, trusted, "nothing was removed")
        self._must_not_use(set(fingerprints))
        done = host.call("remove", fingerprints=fingerprints, users=users)
        try:
            self._prove(target, trusted, "the keys are back in place")
        except TrustError:
            host.call("give_back", command=done["command"])
            raise
        return {"changed": True, "removed": removed, "restore": done["command"]}

    def _prove(self, target: Target, trusted: list[str], advice: str) -> Certificate:
        """A login by a certificate of an authority that sshd trusts by its configuration, not by a static line."""
        try:
            offered = offers(os.environ.get("SSH_AUTH_SOCK", ""))
            names = {name for offer in offered for name in offer.certificate.principals}
            good = usable(offered, authorities=trusted, principals=names, now=time.time())
            return prove(target, good, user=target.user)
        except TrustError as exc:
            raise TrustError(
                "SLW-7342", f"static keys stay until a login by certificate is proved: {exc.code} {exc.message}", advice
            ) from exc

    def _must_not_use(self, fingerprints: set[str]) -> None:
        """The way Ansible itself comes in must not be one that is about to go."""
        # What an older connection was let in by says nothing about the next one.
        self._connection.reset()
        said = self._low_level_execute_command('cat "$SSH_USER_AUTH"', sudoable=False)["stdout"]
        methods = [line.split(None, 1) for line in said.splitlines() if line.strip()]
        if not methods:
            raise TrustError(
                "SLW-7343",
                "the host does not say how this connection was let in",
                "run slipway.cluster.access first: ssh_trust makes sshd say it",
            )
        for words in methods:
            if words[0] != "publickey" or len(words) < 2:
                continue
            key = parse_key(words[1])
            if not key.is_certificate and key.fingerprint in fingerprints:
                raise TrustError(
                    "SLW-7343",
                    f"this very connection was let in by {key.fingerprint}, which is to be removed",
                    "take ansible_ssh_private_key_file and such out of the inventory, so that the certificate is used",
                )


def _consent(args: Mapping[str, Any]) -> bool:
    """Whether removal is consented to. Raises ``TrustError`` SLW-7341 where the consent names something else."""
    said = str(args.get("remove") or "")
    if not said:
        return False
    name = authority.name(args)
    if said != name:
        raise TrustError(
            "SLW-7341",
            f"slipway_remove_static_keys is {said!r}, and this cluster is {name!r}",
            "it names the cluster whose static keys go",
        )
    return True


def _keep(args: Mapping[str, Any]) -> set[str]:
    found = set(authority.names(args, "keep"))
    for one in sorted(found):
        if not FINGERPRINT.fullmatch(one):
            raise TrustError(
                "SLW-7344", f"{one!r} is no fingerprint of a key to keep", "give SHA256:…, as ssh-keygen -l prints it"
            )
    return found
