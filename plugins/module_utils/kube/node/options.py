# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How the modules of this room find the API server: options that they share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..access import from_options
from .kubeconfig import access_of
from .transport import Api

ARGUMENTS: dict[str, dict[str, Any]] = {
    "kubeconfig": {"type": "path", "default": "/etc/kubernetes/admin.conf"},
    "context": {"type": "str", "default": ""},
    "api_server": {"type": "str", "default": ""},
    "api_token": {"type": "str", "default": "", "no_log": True},
    "api_ca_file": {"type": "path", "default": ""},
    # Only ever set by our own actions.
    "veil": {"type": "str", "default": "", "no_log": True},
}
"""Documented in the fragment ``api``."""

KUBECTL_FOLDERS = ("/usr/local/bin", "/opt/bin")
"""Where Kubespray puts kubectl; sudo often leaves them out of the path."""


def api_of(params: Mapping[str, Any], kubectl: str) -> Api:
    """Raises ``AccessError``."""
    if params["api_server"]:
        access = from_options(
            server=params["api_server"], token=params["api_token"], ca_file=params["api_ca_file"] or ""
        )
    else:
        access = access_of(params["kubeconfig"], params["context"], kubectl)
    return Api(access, user_agent="slipway (access)")
