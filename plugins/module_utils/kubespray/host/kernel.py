# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The kernel: modules, settings, control groups. Runs on hosts: the standard library of Python 3.8."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

from .system import read

_SETTINGS = "proc/sys/net/ipv4/ip_forward"
_GROUPS = "sys/fs/cgroup"
_TRACES = {
    "br_netfilter": "proc/sys/net/bridge/bridge-nf-call-iptables",
    "nf_conntrack": "proc/sys/net/netfilter/nf_conntrack_max",
}
"""What only the module makes. A system container sees neither the list of modules nor the kernel's folder."""
_ROOT = Path("/")
_SECONDS = 10


def look(modules: list[str], root: Path = _ROOT) -> dict[str, Any]:
    """``missing_modules``, ``settings_writable``, ``cgroup`` (1, 2 or 0 for none) and its ``controllers``."""
    controllers = read(root / _GROUPS / "cgroup.controllers").split()
    version = 2 if controllers else 1 if (root / _GROUPS / "memory").is_dir() else 0
    return {
        "missing_modules": [name for name in modules if not has(name, root)],
        "settings_writable": _writable(root / _SETTINGS),
        "cgroup": version,
        "controllers": controllers,
    }


def has(name: str, root: Path = _ROOT) -> bool:
    """Whether a module is loaded, built in, or could be loaded. Nothing is loaded to find out."""
    if (root / "sys/module" / name).is_dir() or (name in _TRACES and (root / _TRACES[name]).exists()):
        return True
    if any(line.split()[-1] == name for line in read(root / "proc/filesystems").splitlines() if line.strip()):
        return True
    builtin = read(root / "lib/modules" / platform.release() / "modules.builtin")
    if any(line.endswith(f"/{name}.ko") for line in builtin.splitlines()):
        return True
    program = shutil.which("modprobe", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if root != _ROOT or not program:
        return False
    try:
        done = subprocess.run([program, "--dry-run", "--quiet", name], timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _writable(path: Path) -> bool:
    """Whether a setting can be written, tried by opening it and by nothing else: root passes every look at modes."""
    try:
        os.close(os.open(path, os.O_WRONLY))
    except OSError:
        return False
    return True
