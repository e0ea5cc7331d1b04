# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Kubeconfig files of the lab's users."""

from __future__ import annotations

import base64
from pathlib import Path

import yaml


def write(target: Path, server: str, pki: Path, user: str) -> None:
    """Write a kubeconfig that carries its key material, so that it can be copied elsewhere."""

    def inline(name: str) -> str:
        return base64.b64encode((pki / name).read_bytes()).decode()

    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": {"server": server, "certificate-authority-data": inline("ca.crt")}}],
        "users": [
            {
                "name": user,
                "user": {"client-certificate-data": inline(f"{user}.crt"), "client-key-data": inline(f"{user}.key")},
            }
        ],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": user}}],
        "current-context": "lab",
    }
    target.touch(mode=0o600)
    target.write_text(yaml.safe_dump(content, sort_keys=False))
