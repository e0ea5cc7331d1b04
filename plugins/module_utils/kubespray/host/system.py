# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a host says of itself: system, identity, memory, disks. Runs on hosts: the standard library of Python 3.8."""

from __future__ import annotations

import os
import platform
import socket
from pathlib import Path
from typing import Any

_RELEASES = ("etc/os-release", "usr/lib/os-release")
_MIB = 1024 * 1024
_MEMBERSHIP = ("etc/kubernetes/kubelet.conf", "etc/kubernetes/admin.conf", "var/lib/etcd/member")


def look(root: Path, folders: list[str]) -> dict[str, Any]:
    """Plain facts. ``root`` is the host's root folder; ``folders`` are those whose free disk counts.

    Numbers are MiB. A file that is not there leaves its fact empty; nothing is raised for what a host lacks.
    """
    return {
        "python": platform.python_version(),
        "is_root": os.geteuid() == 0,
        "os": release(root),
        "kernel": platform.release(),
        "hostname": socket.gethostname(),
        "machine_id": read(root / "etc/machine-id").strip(),
        "memory_mib": memory(root),
        "swap": swaps(root),
        "disks": {folder: free(root / folder.lstrip("/")) for folder in folders},
        "systemd": (root / "run/systemd/system").is_dir(),
        "nameservers": nameservers(root),
        "remains": [f"/{path}" for path in _MEMBERSHIP if (root / path).exists()],
    }


def read(path: Path) -> str:
    """The file's text; empty when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def release(root: Path) -> dict[str, str]:
    """``ID``, ``VERSION_ID``, ``PRETTY_NAME`` and so on of the operating system."""
    for path in _RELEASES:
        lines = read(root / path).splitlines()
        pairs = [line.partition("=") for line in lines if "=" in line and not line.startswith("#")]
        if pairs:
            return {name.strip(): value.strip().strip("\"'") for name, sign, value in pairs}
    return {}


def memory(root: Path) -> int:
    for line in read(root / "proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) // 1024
    return 0


def swaps(root: Path) -> list[str]:
    """What is swapped to. zram is memory, and still counts for the kubelet."""
    return [line.split()[0] for line in read(root / "proc/swaps").splitlines()[1:] if line.strip()]


def free(path: Path) -> int:
    """Free MiB where ``path`` lies or would lie; -1 when that cannot be told."""
    while path != path.parent and not path.exists():
        path = path.parent
    try:
        found = os.statvfs(path)
    except OSError:
        return -1
    return found.f_bavail * found.f_frsize // _MIB


def nameservers(root: Path) -> list[str]:
    words = [line.split() for line in read(root / "etc/resolv.conf").splitlines()]
    return [line[1] for line in words if len(line) > 1 and line[0] == "nameserver"]
