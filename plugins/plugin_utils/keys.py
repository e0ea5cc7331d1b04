# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys a host is to trust, and its own certificate: what the controller asks the authority for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.slipway.cluster.plugins.module_utils.authority.issuers import Engine
from ansible_collections.slipway.cluster.plugins.module_utils.trust.certificate import (
    Certificate,
    parse_certificate,
    parse_key,
)
from ansible_collections.slipway.cluster.plugins.module_utils.trust.errors import TrustError

from . import authority

# Where Kubespray's inventories say how a host is called. Never what the host says of itself: it would be signed.
_NAMES = ("ansible_host", "ip", "ip6", "access_ip", "access_ip6")


@dataclass(frozen=True)
class Trusted:
    """Public keys as OpenSSH lines; ``host_signing`` is the fingerprint of the one that signs for hosts now."""

    users: tuple[str, ...]
    hosts: tuple[str, ...] = ()
    host_signing: str = ""


def read(args: Mapping[str, Any]) -> Trusted:
    """Keys that are given, and those of the authority where one is named. Raises ``TrustError``, ``ProviderError``."""
    given = [parse_key(line).text for line in authority.names(args, "user_ca_keys")]
    dropped = authority.names(args, "drop")
    if given and not authority.address(args):
        return Trusted(tuple(given))
    bao = authority.bao(args)
    extra = authority.names(args, "trusted_mounts")
    users = [Engine.read(bao, mount) for mount in (str(args.get("user_mount") or "ssh-user").strip("/"), *extra)]
    hosts = Engine.read(bao, str(args.get("host_mount") or "ssh-host").strip("/"))
    if bao.forbidden:
        # Part of the keys would lock out whoever holds a certificate of the other part.
        raise bao.missing(bao.forbidden)
    found = [key for engine in users for key in engine.keys(without=dropped)]
    if not found:
        raise TrustError(
            "SLW-7319", f"{bao.name} has no key that certifies users", "run ssh_ca first, or look at the mounts"
        )
    signing = hosts.signing
    return Trusted(
        tuple(dict.fromkeys([*found, *given])),
        tuple(hosts.keys(without=dropped)),
        signing.fingerprint if signing else "",
    )


def host_names(name: str, variables: Mapping[str, Any], more: Sequence[str]) -> list[str]:
    """The principals of a host's certificate: its name and addresses in the inventory, and what the user adds."""
    found = [name, *(str(variables[key]) for key in _NAMES if variables.get(key)), *more]
    return sorted(set(found))


def is_good(line: str, host_key: str, names: Sequence[str], signing: str, now: float) -> bool:
    """Whether a host's certificate can stay: of its key, by the key that signs now, for its names, not half over."""
    if not line:
        return False
    try:
        present = parse_certificate(line)
    except TrustError:
        return False
    return (
        present.for_hosts
        and present.key == parse_key(host_key).fingerprint
        and present.authority == signing
        and sorted(present.principals) == list(names)
        and not _half_over(present, now)
    )


def _half_over(certificate: Certificate, now: float) -> bool:
    return now > (certificate.valid_after + certificate.valid_before) / 2


def sign_host(args: Mapping[str, Any], host_key: str, names: Sequence[str]) -> str:
    """A certificate for a host's key, one line. Raises ``TrustError``, ``ProviderError``."""
    mount = str(args.get("host_mount") or "ssh-host").strip("/")
    path = f"{mount}/sign/slipway-{authority.name(args)}"
    body: dict[str, Any] = {"public_key": host_key, "cert_type": "host", "valid_principals": ",".join(names)}
    if args.get("host_ttl"):
        body["ttl"] = f"{authority.seconds(args, 'host_ttl', 0)}s"
    signed = str(authority.bao(args).write(path, body).get("signed_key") or "").strip()
    if sorted(parse_certificate(signed).principals) != list(names):
        raise TrustError(
            "SLW-7319", f"{path} signed a certificate for other names than {', '.join(names)}", "look at the role"
        )
    return signed
