# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Snapshots of etcd: taken, looked at, kept in a small number, and the way back written beside each.

A snapshot holds every Secret of the cluster: folder and files are root's alone.
This runs on hosts: Python 3.8 and its standard library.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from pathlib import Path
from typing import Any

from .etcd_ctl import HOST, KUBEADM, Etcd, EtcdError, run

FOLDER = "/var/lib/slipway/etcd"
_NAME = re.compile(r"etcd-\d{8}T\d{6}Z-r\d+\.db")
_SAVE_SECONDS = 1800.0
_PAGE = 512
_HASH = 32


def take(etcd: Etcd, folder: str, keep: int, *, now: float | None = None) -> dict[str, Any]:
    """Take one and look at it; then, and only then, remove all but the ``keep`` newest.

    Raises ``EtcdError`` SLW-8510, SLW-8511 and SLW-8512, with the older ones left as they are.
    """
    before = etcd.status()
    home = Path(folder)
    _room(home, before["size"])
    for leftover in home.glob("*.part*"):
        # Of a run that died in the middle; nobody else writes here.
        leftover.unlink()
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    part = home / f"etcd-{stamp}.part"
    umask = os.umask(0o077)
    try:
        etcd.ask("snapshot", "save", str(part), timeout=_SAVE_SECONDS)
        found = verify(etcd, str(part), least=before["revision"])
        path = home / f"etcd-{stamp}-r{found['revision']}.db"
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.rename(path)
        steps = restore_steps(etcd, str(path), etcd.members())
        path.with_suffix(".restore.txt").write_text("\n".join(steps) + "\n", encoding="utf-8")
    except OSError as exc:
        raise EtcdError("SLW-8511", f"snapshot in {folder}: {exc}") from exc
    finally:
        os.umask(umask)
    return {**found, "path": str(path), "version": before["version"], "restore": steps, "removed": prune(home, keep)}


def verify(etcd: Etcd, path: str, *, least: int = 0) -> dict[str, Any]:
    """``revision``, ``keys`` and ``size`` of a snapshot that is whole. Raises ``EtcdError`` SLW-8512."""
    if not _whole(Path(path)):
        raise EtcdError("SLW-8512", f"{path} is not whole: its checksum is not that of its content", "take another")
    words = [etcd.etcdutl or etcd.etcdctl, "snapshot", "status", path, "--write-out", "json"]
    try:
        found = json.loads(run(words, timeout=_SAVE_SECONDS))
        revision, keys, size = int(found["revision"]), int(found["totalKey"]), int(found["totalSize"])
    except (EtcdError, ValueError, KeyError, TypeError) as exc:
        why = exc.message if isinstance(exc, EtcdError) else "etcdutl does not say what is in it"
        raise EtcdError("SLW-8512", f"{path} cannot be read: {why}", "take another") from exc
    if revision < least or keys < 1:
        message = f"{path} has revision {revision} and {keys} keys, and etcd was at revision {least} before"
        raise EtcdError("SLW-8512", message, "take another")
    return {"revision": revision, "keys": keys, "size": size}


def prune(home: Path, keep: int) -> list[str]:
    """Paths of the older ones, which are gone now. Files of other names are nobody's business here."""
    ours = sorted(path for path in home.iterdir() if _NAME.fullmatch(path.name))
    gone = ours[: max(0, len(ours) - max(1, keep))]
    for path in gone:
        path.unlink()
        steps = path.with_suffix(".restore.txt")
        if steps.exists():
            steps.unlink()
    return [str(path) for path in gone]


def restore_steps(etcd: Etcd, path: str, members: list[dict[str, Any]]) -> list[str]:
    """What to do, by hand, to go back to a snapshot; for every member, as it is called now."""
    cluster = ",".join(f"{m['name']}={url}" for m in members for url in m["peer_urls"][:1])
    tool = etcd.etcdutl or f"ETCDCTL_API=3 {etcd.etcdctl}"
    pods = "/etc/kubernetes/manifests"
    writers = " ".join(f"{pods}/kube-{name}.yaml" for name in ("apiserver", "controller-manager", "scheduler"))
    lines = [
        f"# Back to {path}. What was written to the cluster since then is lost.",
        f"# 1. Copy {path} to every host of etcd.",
        "# 2. On every control plane host, stop what writes:",
        f"mkdir -p /root/stopped && mv {writers} /root/stopped/",
        "# 3. On every host of etcd, stop it and put its data aside:",
        "systemctl stop etcd" if etcd.way != KUBEADM else f"mv {pods}/etcd.yaml /root/stopped/",
        f"mv {etcd.data} {etcd.data}.before-restore",
        "# 4. On each of them the line of its own member:",
    ]
    token = " --initial-cluster-token k8s_etcd" if etcd.way == HOST else ""
    for member in members:
        peer = (member["peer_urls"] or [""])[0]
        lines.append(
            f"{tool} snapshot restore {path} --name {member['name']} --initial-cluster {cluster}"
            f" --initial-advertise-peer-urls {peer}{token} --data-dir {etcd.data}"
        )
    lines += [
        "# 5. Start etcd on all of them, then the control plane:",
        f"chown -R etcd:etcd {etcd.data}; systemctl start etcd"
        if etcd.way != KUBEADM
        else f"mv /root/stopped/etcd.yaml {pods}/",
        f"mv /root/stopped/*.yaml {pods}/",
        "# 6. Set kube_version to what it was, and run slipway.cluster.install.",
    ]
    return lines


def _room(home: Path, size: int) -> None:
    """Raises ``EtcdError`` SLW-8511: no folder, or not enough room for the snapshot and as much again."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        home.chmod(0o700)
        free = shutil.disk_usage(home).free
    except OSError as exc:
        raise EtcdError("SLW-8511", f"{home} cannot be used: {exc}", "run as root") from exc
    if free < 2 * size:
        message = f"{home} has {free >> 20} MiB free, and the database of etcd has {size >> 20} MiB"
        raise EtcdError("SLW-8511", message, "make room, or name another folder")


def _whole(path: Path) -> bool:
    """``snapshot save`` ends the file, which is made of pages, with the checksum of all before."""
    size = path.stat().st_size
    if size % _PAGE != _HASH:
        return False
    digest, left = hashlib.sha256(), size - _HASH
    with path.open("rb") as file:
        while left > 0:
            block = file.read(min(left, 1 << 20))
            if not block:
                return False
            digest.update(block)
            left -= len(block)
        return file.read() == digest.digest()
