# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The authority that a task's arguments and the environment name. Its token comes by the environment alone."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.slipway.cluster.plugins.module_utils.authority.bao import Bao
from ansible_collections.slipway.cluster.plugins.module_utils.session.providers.http import Http, trusted
from ansible_collections.slipway.cluster.plugins.module_utils.session.providers.openbao_api import Api
from ansible_collections.slipway.cluster.plugins.module_utils.trust.errors import TrustError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LOOPBACK = re.compile(r"http://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?/?$")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def _environment(name: str) -> str:
    return os.environ.get(f"BAO_{name}") or os.environ.get(f"VAULT_{name}") or ""


def address(args: Mapping[str, Any]) -> str:
    """Where the authority is; empty where nobody says."""
    return str(args.get("address") or _environment("ADDR"))


def bao(args: Mapping[str, Any]) -> Bao:
    """Raises ``TrustError`` SLW-7320 and SLW-7321, ``SettingsError``."""
    where = address(args)
    token = _environment("TOKEN")
    if not where.startswith("https://") and not _LOOPBACK.match(where):
        # A token is not sent unencrypted but to this machine itself.
        raise TrustError(
            "SLW-7320",
            f"the authority's address is {where!r}" if where else "no authority is named",
            "set ssh_ca_address, or BAO_ADDR: https://host:8200",
        )
    if not token:
        raise TrustError(
            "SLW-7321",
            f"there is no token for {where}",
            "set BAO_TOKEN in the environment; extra variables are logged",
        )
    tls = trusted(str(args.get("ca_file") or _environment("CACERT"))) if where.startswith("https") else None
    namespace = str(args.get("namespace") or _environment("NAMESPACE"))
    return Bao(Api(Http(where.rstrip("/"), f"OpenBao at {where}", tls=tls), namespace), token)


def name(args: Mapping[str, Any]) -> str:
    """The cluster's name. Raises ``TrustError`` SLW-7314."""
    value = str(args.get("name") or "")
    if not _NAME.fullmatch(value):
        raise TrustError("SLW-7314", f"slipway_name is {value!r}", "give the cluster a name: letters, digits, . _ -")
    return value


def seconds(args: Mapping[str, Any], option: str, default: int) -> int:
    """A time: a number of seconds, or ``90s``, ``10m``, ``12h``, ``30d``. Raises ``TrustError`` SLW-7314."""
    value = str(args.get(option) or default).strip()
    found = re.fullmatch(r"(\d+)([smhd]?)", value)
    if not found or not int(found.group(1)):
        raise TrustError("SLW-7314", f"{option} is {value!r}", "give a time: 600, 10m, 12h or 30d")
    return int(found.group(1)) * _UNITS[found.group(2) or "s"]


def flag(args: Mapping[str, Any], option: str) -> bool:
    """True or false, also as words. Raises ``TrustError`` SLW-7314."""
    word = str(args.get(option) or "false").strip().lower()
    if word not in ("true", "yes", "false", "no"):
        raise TrustError("SLW-7314", f"{option} is {word!r}", "give true or false")
    return word in ("true", "yes")


def names(args: Mapping[str, Any], option: str) -> tuple[str, ...]:
    """A list, or text with commas. Raises ``TrustError`` SLW-7314."""
    value = args.get(option) or ()
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) and one.strip() for one in value):
        raise TrustError("SLW-7314", f"{option} is {value!r}", "give a list of texts")
    return tuple(one.strip() for one in value)
