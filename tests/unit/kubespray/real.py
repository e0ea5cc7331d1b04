# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The real Kubespray, where this machine has it: as an installed collection, or as a checkout of its repository."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

import pytest

VERSION = "2.31.0"
NOT_INSTALLED = f"Kubespray {VERSION} is not installed"
NO_CHECKOUT = "SLIPWAY_KUBESPRAY_GIT names no checkout of Kubespray"


@cache
def installed() -> Path:
    """Folder of the collection; skips the test where there is none of the version that Slipway is made for."""
    for path in (*os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(":"), "~/.ansible/collections"):
        folder = Path(path).expanduser() / "ansible_collections" / "kubernetes_sigs" / "kubespray"
        manifest = folder / "MANIFEST.json"
        if not path or not manifest.is_file():
            continue
        text = manifest.read_text()
        # The lab's stand-in has the same version.
        if f'"version": "{VERSION}"' in text and '"standin"' not in text:
            return folder
    pytest.skip(NOT_INSTALLED)


@cache
def checkout_files(folder: str) -> dict[str, str]:
    """Path to content of the files below ``folder`` in the repository, at the tag; skips where there is none."""
    repository = os.environ.get("SLIPWAY_KUBESPRAY_GIT", "")
    if not repository:
        pytest.skip(NO_CHECKOUT)

    def git(*words: str) -> str:
        command = ["git", "-C", repository, *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    names = git("ls-tree", "-r", "--name-only", f"v{VERSION}", folder).splitlines()
    return {name: git("show", f"v{VERSION}:{name}") for name in names}
