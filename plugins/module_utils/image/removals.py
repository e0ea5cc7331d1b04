# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What goes when a host is sealed. What the search for leftovers knows by its name goes by the same rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from fnmatch import fnmatchcase

from . import by_name
from .place import Place
from .suitable import Layout
from .templates import whole
from .tree import STORES, files

EMPTIED = (
    "/var/lib/kubelet", "/var/lib/cni", "/var/lib/calico", "/var/lib/cilium", "/var/lib/slipway",
    "/var/lib/cloud/instances", "/var/lib/cloud/data", "/var/lib/cloud/sem", "/var/lib/cloud/seed",
    "/var/log/pods", "/var/log/containers", "/var/log/journal", "/etc/ssl/etcd", "/etc/calico/certs",
    "/tmp", "/var/tmp",  # noqa: S108
)  # fmt: skip
"""Folders that stay, of which nothing in them does."""
KUBELET = "/var/lib/kubelet"
_GONE = ("/var/lib/cloud/instance", "/etc/slipway/join.env")
_STAYS = frozenset({"key store", "swap", "container state", "etcd data"})
"""Kinds that nobody can say of whether they are meant, or that other programs have to remove: findings, if they are."""
_BACKUP = re.compile(r".*\.\d+\.\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d~$")
"""Ansible's copies of files that it has changed: Kubespray's hold tokens."""
_OF_SSH = re.compile(r"(?:authorized_keys2?|known_hosts(?:\.old)?|id_\w+(?:\.pub|-cert\.pub)?)$")
_OF_PERSONS = (".kube", ".ansible", ".helm", ".aws", ".azure")


def doomed(place: Place, layout: Layout, keep: Sequence[str], own: Set[str]) -> list[str]:
    """Every path that goes, those in a folder that goes itself left out. ``keep``: patterns of paths that stay."""
    chosen: list[str] = []
    for path in sorted({part for one in _all(place, layout, own) for part in _parts(place, one, keep, own)}, key=len):
        if not any(path.startswith(f"{one}/") for one in chosen):
            chosen.append(path)
    return sorted(chosen)


def _parts(place: Place, path: str, keep: Sequence[str], own: Set[str]) -> Iterator[str]:
    """The path itself, or what is in it but for what stays."""
    if path in own or any(fnmatchcase(path, pattern) for pattern in keep):
        return
    if any(stays.startswith(f"{path}/") for stays in (*keep, *own)):
        for child in place.children(path):
            yield from _parts(place, child, keep, own)
    else:
        yield path


def _all(place: Place, layout: Layout, own: Set[str]) -> Iterator[str]:
    emptied = [*EMPTIED, layout.cert_dir]
    if layout.network_plugin != "cni":  # there it is the user's own
        emptied.append("/etc/cni/net.d")
    for folder in emptied:
        yield from place.children(folder)
    yield from (path for path in _GONE if place.exists(path))
    for path in place.children(layout.config_dir):
        name = path.rpartition("/")[2]
        if name.startswith(("kubelet.conf", "bootstrap-kubelet.conf")):
            yield path
    for folder in (layout.config_dir, "/etc/nginx", "/etc/haproxy", "/etc/containerd", "/etc/systemd/system"):
        yield from (path for path in place.below(folder) if _BACKUP.match(path))
    for home in _homes(place):
        yield from (path for path in place.children(f"{home}/.ssh") if _OF_SSH.match(path.rpartition("/")[2]))
        yield from (f"{home}/{name}" for name in _OF_PERSONS if place.exists(f"{home}/{name}"))

    def skipped(folder: str) -> bool:
        return folder in own or any(fnmatchcase(folder, store) for store in STORES)

    for file in files(place.base or "/", skipped):
        kind = by_name.kind_of(file.path)
        if kind and kind not in _STAYS and (file.size or kind != "log"):
            yield file.path
    if place.is_file("/var/lib/dbus/machine-id"):
        yield "/var/lib/dbus/machine-id"


def _homes(place: Place) -> set[str]:
    homes = {line.split(":")[5] for line in place.text("/etc/passwd").splitlines() if line.count(":") == 6}
    return {home.rstrip("/") for home in homes if home.startswith("/") and home.strip("/")} | {"/root"}


def hosts_without(text: str, names: Sequence[str]) -> str:
    """``/etc/hosts`` without the lines that say what this host is called; those of other hosts stay."""
    patterns = [whole(name) for name in names if name]
    kept = []
    for line in text.splitlines(keepends=True):
        entry = line.partition("#")[0]
        own = entry.startswith("127.0.1.1") or any(pattern.search(entry) for pattern in patterns)
        if not entry.strip() or not own:
            kept.append(line)
    return "".join(kept)
