# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster of a task: as the user names it, or by way of a control plane host that gives this run its rights."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.slipway.cluster.plugins.module_utils.addons.masking import Masker
from ansible_collections.slipway.cluster.plugins.module_utils.addons.names import CLUSTER_LENGTH, label_problem
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.helm import ServerAccess
from ansible_collections.slipway.cluster.plugins.module_utils.kube.access import Access, from_options
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import AccessError
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.accounts import READER

from . import options
from .forward import check, forward, reachable
from .grant import Grant, Wanted
from .on_host import OnHost

display = Display()

_WAYS = ("auto", "direct", "ssh")
_LOOPBACK = ("localhost", "::1")


@dataclass(frozen=True)
class Cluster:
    """The API for us, and for charts that look into the cluster."""

    access: Access
    server: ServerAccess


@contextmanager
def opened(
    action: ActionBase,
    args: Mapping[str, Any],
    variables: Mapping[str, Any],
    *,
    rights: str,
    masker: Masker,
    alive: Callable[[], bool],
    leave: bool = False,
    tidy: Callable[[], bool] = lambda: True,
) -> Iterator[Cluster]:
    """``rights``: ``reader`` or ``installer``, which end with the block. ``leave``: with the last record the reader's
    account goes too. ``tidy``: asked at the end, whether what the reader may read has to follow what was changed; that
    takes another visit of the host. Raises ``AccessError`` and ``EngineError`` SLW-6201."""
    if not by_ssh(args, variables, action._connection.transport):
        yield Cluster(_direct(args), options.server_access(args))
        return
    grant = Grant(
        OnHost(action, variables),
        Wanted(
            name=_name(action, variables),
            rights=rights,
            kubeconfig=options.admin_kubeconfig(args),
            namespace=options.access_namespace(args),
            records_namespace=options.records_namespace(args),
            claim=max(30.0, options.number(args, "lock_duration", 30, 2)),
            leave=leave,
        ),
        told=lambda token: masker.add([token]),
        say=display.display,
        alive=alive,
    )
    access = grant.begin()
    # Rights are given back by way of the forward, so that it is closed after that.
    with ExitStack() as stack:
        try:
            yield _arrived(stack, action, args, grant, access, reader=rights == READER)
        except BaseException:
            # What went wrong first is told; what is left ends by itself.
            try:
                grant.end(tidy=True)
            except AccessError as exc:
                display.warning(str(exc))
            raise
        grant.end(tidy=leave or tidy())


def by_ssh(args: Mapping[str, Any], variables: Mapping[str, Any], transport: str) -> bool:
    """Whether a control plane host is asked for a token. Raises ``EngineError`` SLW-6201."""
    way = str(args.get("api_access") or "auto")
    if way not in _WAYS:
        raise options.bad_option("api_access", way, ", ".join(_WAYS[:-1]) + f" or {_WAYS[-1]}")
    if way != "auto":
        return way == "ssh"
    if args.get("kubeconfig") or args.get("api_server"):
        return False
    members = (variables.get("groups") or {}).get("kube_control_plane") or []
    return variables.get("inventory_hostname") in members and transport != "local"


def address_for(access: Access, host: str, *, given: str, name: str, local: bool) -> tuple[str, str]:
    """The API server's address for the controller, and the name to check its certificate for (empty: the address).

    ``access`` is what the host itself uses: where that is a loopback address, the host's own takes its place, unless
    the host is the controller (``local``). ``given`` and ``name`` are what the user said.
    """
    parts = urlsplit(access.server)
    own = parts.hostname or ""
    if given:
        return given, name
    if local or not (own in _LOOPBACK or own.startswith("127.")):
        return access.server, name or access.tls_server_name
    return f"https://{_bracketed(host)}:{parts.port or 443}", name or access.tls_server_name or own


def _arrived(
    stack: ExitStack, action: ActionBase, args: Mapping[str, Any], grant: Grant, access: Access, *, reader: bool
) -> Cluster:
    """With the address that the controller uses, a forward if one is wanted, and a CA file for Helm."""
    connection = action._connection
    given, name = str(args.get("api_server") or ""), str(args.get("api_server_name") or "")
    if options.flag(args, "api_forward", False):
        parts = urlsplit(given or access.server)
        target = parts.hostname or "", parts.port or 443
        near = stack.enter_context(forward(connection, target))
        name = name or access.tls_server_name or target[0]
        check(near, target, access.ssl_context(), name)
        address = f"https://{near[0]}:{near[1]}"
    else:
        host = str(action._play_context.remote_addr)
        address, name = address_for(access, host, given=given, name=name, local=connection.transport == "local")
        if not given and address != access.server:
            reachable(address)
    access = grant.use(address, name)
    # The public CA: the only thing about the cluster that has to be a file, because Helm takes no other.
    ca_file = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=constants.DEFAULT_LOCAL_TMP))) / "ca.pem"
    ca_file.write_bytes(access.ca_pem)
    server = ServerAccess(
        url=address, ca_file=str(ca_file), server_name=name, current_token=lambda: grant.current.token, reader=reader
    )
    return Cluster(access, server)


def _direct(args: Mapping[str, Any]) -> Access:
    return from_options(
        kubeconfig=str(args.get("kubeconfig") or ""),
        context=str(args.get("context") or ""),
        server=str(args.get("api_server") or ""),
        token=str(args.get("api_token") or ""),
        ca_file=str(args.get("api_ca_file") or ""),
    )


def _name(action: ActionBase, variables: Mapping[str, Any]) -> str:
    name = action._templar.template(variables.get("slipway_name") or "")
    problem = label_problem(str(name), CLUSTER_LENGTH)
    if problem:
        raise AccessError("SLW-7401", f"slipway_name {problem}", "rights on a cluster are given to a name")
    return str(name)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
