# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which way a task reaches its cluster, and at which address."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import EngineError
from ansible_collections.slipway.cluster.plugins.module_utils.kube.access import Access
from ansible_collections.slipway.cluster.plugins.plugin_utils.cluster import address_for, by_ssh

VARIABLES = {"inventory_hostname": "cp1", "groups": {"kube_control_plane": ["cp1", "cp2"], "kube_node": ["w1"]}}


@pytest.mark.parametrize(
    ("args", "host", "transport", "ssh"),
    [
        ({}, "cp1", "ssh", True),
        ({"api_access": "auto"}, "cp1", "ansible.netcommon.libssh", True),
        ({"kubeconfig": "~/.kube/prod"}, "cp1", "ssh", False),
        ({"api_server": "https://192.0.2.1:6443"}, "cp1", "ssh", False),
        # The controller itself, a worker, and an existing cluster without hosts.
        ({}, "cp1", "local", False),
        ({}, "w1", "ssh", False),
        ({}, "localhost", "local", False),
        ({"api_access": "direct"}, "cp1", "ssh", False),
        ({"api_access": "ssh", "kubeconfig": "x"}, "localhost", "local", True),
    ],
)
def test_the_way(args: dict[str, Any], host: str, transport: str, ssh: bool) -> None:
    assert by_ssh(args, {**VARIABLES, "inventory_hostname": host}, transport) is ssh


def test_another_word_is_an_error() -> None:
    with pytest.raises(EngineError, match=r"SLW-6201 slipway_api_access is 'tunnel' \(give auto, direct or ssh\)"):
        by_ssh({"api_access": "tunnel"}, VARIABLES, "ssh")


@pytest.mark.parametrize(
    ("server", "more", "found"),
    [
        ("https://lb.example.com:6443", {}, ("https://lb.example.com:6443", "")),
        ("https://127.0.0.1:6443", {}, ("https://192.0.2.7:6443", "127.0.0.1")),
        ("https://localhost:6443", {"host": "2001:db8::7"}, ("https://[2001:db8::7]:6443", "localhost")),
        ("https://[::1]:6443", {"name": "kubernetes"}, ("https://192.0.2.7:6443", "kubernetes")),
        ("https://127.0.0.1:6443", {"local": True}, ("https://127.0.0.1:6443", "")),
        ("https://127.0.0.1:6443", {"given": "https://vip:1"}, ("https://vip:1", "")),
        ("https://127.0.0.1:6443", {"given": "https://vip:1", "name": "n"}, ("https://vip:1", "n")),
    ],
)
def test_the_address(server: str, more: dict[str, Any], found: tuple[str, str]) -> None:
    wanted = {"host": "192.0.2.7", "given": "", "name": "", "local": False, **more}
    host = str(wanted.pop("host"))
    assert address_for(Access(server=server), host, **wanted) == found  # type: ignore[arg-type]


def test_a_name_in_the_kubeconfig_counts() -> None:
    access = Access(server="https://127.0.0.1:6443", tls_server_name="api.internal")
    assert address_for(access, "192.0.2.7", given="", name="", local=False)[1] == "api.internal"
