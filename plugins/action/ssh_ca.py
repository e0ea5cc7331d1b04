# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prepare an OpenBao or Vault to sign for one cluster, over its API. Nothing but the controller is involved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.slipway.cluster.plugins.module_utils.authority import issuers
from ansible_collections.slipway.cluster.plugins.module_utils.authority.bao import Bao
from ansible_collections.slipway.cluster.plugins.module_utils.authority.issuers import Engine
from ansible_collections.slipway.cluster.plugins.module_utils.authority.setup import (
    Change,
    Wanted,
    carry_out,
    differences,
)
from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import SessionError
from ansible_collections.slipway.cluster.plugins.module_utils.trust.errors import TrustError

from ..plugin_utils import authority

_OPERATIONS = ("prepare", "add", "switch", "drop")


class ActionModule(ActionBase):
    """The shell: arguments in, one ``except``, result out."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        try:
            result.update(self._run(self._task.args))
        except SessionError as exc:
            result.update(failed=True, msg=str(exc), **exc.as_dict())
        return result

    def _run(self, args: Mapping[str, Any]) -> dict[str, Any]:
        operation = str(args.get("operation") or "prepare")
        if operation not in _OPERATIONS:
            raise TrustError("SLW-7314", f"operation is {operation!r}", f"one of {', '.join(_OPERATIONS)}")
        wanted = _wanted(args)
        bao = authority.bao(args)
        changes = differences(bao, wanted) if operation == "prepare" else _rotation(bao, wanted, operation, args)
        if not self._task.check_mode:
            carry_out(bao, changes)
        engines = {} if changes and self._task.check_mode else _engines(bao, wanted)
        diff = [
            {
                "before_header": change.step.what,
                "after_header": change.step.what,
                "before": _text(change.before),
                "after": _text(change.after),
            }
            for change in changes
        ]
        return {
            "changed": bool(changes),
            "changes": [change.step.what for change in changes],
            "diff": diff,
            "keys": {mount: [_shown(one) for one in engine.issuers] for mount, engine in engines.items()},
        }


def _wanted(args: Mapping[str, Any]) -> Wanted:
    wanted = Wanted(
        name=authority.name(args),
        user_mount=str(args.get("user_mount") or "ssh-user").strip("/"),
        host_mount=str(args.get("host_mount") or "ssh-host").strip("/"),
        ttl=authority.seconds(args, "ttl", 600),
        max_ttl=authority.seconds(args, "max_ttl", 900),
        host_ttl=authority.seconds(args, "host_ttl", 90 * 86400),
        port_forwarding=authority.flag(args, "port_forwarding"),
        approle=authority.flag(args, "approle"),
        approle_options=_settings(args, "approle_options"),
        jwt=_settings(args, "jwt"),
    )
    if wanted.ttl > wanted.max_ttl:
        raise TrustError("SLW-7314", f"ttl is {wanted.ttl} s and max_ttl {wanted.max_ttl} s", "raise max_ttl")
    if wanted.user_mount == wanted.host_mount:
        raise TrustError(
            "SLW-7314", f"{wanted.user_mount} is to certify users and hosts", "give each a mount of its own"
        )
    return wanted


def _settings(args: Mapping[str, Any], option: str) -> Mapping[str, Any]:
    found = args.get(option) or {}
    if not isinstance(found, Mapping):
        raise TrustError("SLW-7314", f"{option} is {found!r}", "give a mapping of settings")
    return found


def _rotation(bao: Bao, wanted: Wanted, operation: str, args: Mapping[str, Any]) -> list[Change]:
    """One step of replacing a key, as the changes that it takes."""
    mounts = authority.names(args, "rotate_mounts") or (wanted.user_mount,)
    engines = [Engine.read(bao, mount) for mount in mounts]
    if bao.forbidden:
        raise bao.missing(bao.forbidden)
    if operation == "drop":
        steps = issuers.drop(engines, authority.names(args, "drop"))
    else:
        steps = [step for engine in engines for step in issuers.rotate(engine, operation)]
    return [Change(step, None, step.what) for step in steps]


def _engines(bao: Bao, wanted: Wanted) -> dict[str, Engine]:
    found = {mount: Engine.read(bao, mount) for mount in (wanted.user_mount, wanted.host_mount)}
    if bao.forbidden:
        raise bao.missing(bao.forbidden)
    return found


def _shown(issuer: issuers.Issuer) -> dict[str, Any]:
    return {"fingerprint": issuer.fingerprint, "public_key": issuer.key, "name": issuer.name, "signs": issuer.signs}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value + "\n" if isinstance(value, str) else json.dumps(value, indent=1, sort_keys=True) + "\n"
