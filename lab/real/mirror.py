# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The mirror of the real lab: every file that Kubespray downloads, every image that the cluster pulls."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tarfile
from pathlib import Path

from lab import cache
from lab.binaries import KUBERNETES
from lab.cache import Say, Unit
from lab.errors import LabError
from lab.real import images, modules, tools
from lab.real.images import Image

ETCD = "etcd-v3.6.10-linux-amd64"
PLAIN = ("kubeadm", "kubectl", "kubelet")
ARCHIVES = ("cni.tgz", "containerd.tgz", "crictl.tgz", "etcd.tgz", "nerdctl.tgz")
# nerdctl cannot be built from its module. Kubespray installs it and asks it for the shell's completion; with
# image_command_tool it never calls it again.
NERDCTL = b"""#!/bin/sh
[ "$1" = completion ] && exit
echo 'nerdctl is not part of this lab' >&2
exit 1
"""
TABLES = ("iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore")
SYSTEM = ("usr/sbin/xtables-nft-multi", "usr/sbin/nft", "usr/sbin/conntrack", "usr/sbin/ipset")


Programs = dict[str, Path]


def make(programs: Programs, kubernetes: dict[str, Programs], base: Path, say: Say) -> Path:
    """Folder with ``files`` and the registry's ``v2``, made when what goes into it is another than last time.

    ``kubernetes`` has its programs by version.
    """
    digest = hashlib.sha256()
    for source in (Path(__file__), Path(images.__file__)):
        digest.update(source.read_bytes())
    # The folders in the cache are named after what is in them.
    made_of = [programs, *kubernetes.values()]
    digest.update(
        " ".join(sorted({str(path.parent) for one in made_of for path in one.values()} | {str(base)})).encode()
    )
    made = ("files/runc", *(f"files/{name}-{version}" for name in PLAIN for version in kubernetes))
    made += tuple(f"files/{name}" for name in ARCHIVES)
    unit = Unit("mirror", KUBERNETES.removeprefix("v"), digest.hexdigest(), made, 60)
    return cache.ensure(cache.cache_root(), unit, lambda target: _make(programs, kubernetes, base, target), say)


def _make(programs: Programs, kubernetes: dict[str, Programs], base: Path, target: Path) -> None:
    files = target / "files"
    files.mkdir()
    os.link(programs["runc"], files / "runc")
    for version, own in kubernetes.items():
        for name in PLAIN:
            os.link(own[name], files / f"{name}-{version}")
    members = {module.folder: [name for name, _package in module.programs] for module in modules.MODULES}
    _pack(files / "cni.tgz", {name: programs[name] for name in members["cni"]})
    _pack(files / "containerd.tgz", {f"bin/{name}": programs[name] for name in members["containerd"]})
    _pack(files / "crictl.tgz", {"crictl": programs["crictl"]})
    _pack(files / "etcd.tgz", {f"{ETCD}/{name}": programs[name] for name in members["etcd"]})
    _pack(files / "nerdctl.tgz", {"nerdctl": NERDCTL})
    for image in catalogue(programs, kubernetes, base):
        images.publish(image, target)


def catalogue(programs: Programs, kubernetes: dict[str, Programs], base: Path) -> list[Image]:
    """All images, by the names under which Kubespray asks for them."""

    def local(own: Programs, *names: str) -> dict[str, Path | str]:
        return {f"usr/local/bin/{name}": own[name] for name in names}

    plain = [
        Image(f"k8s/{name}", version, local(own, name))
        for version, own in kubernetes.items()
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
    ]
    network = _network_tools(base)
    proxies = [
        Image("k8s/kube-proxy", version, {**local(own, "kube-proxy"), **network}) for version, own in kubernetes.items()
    ]
    return [
        *plain,
        *proxies,
        Image("k8s/etcd", "v3.6.10", local(programs, "etcd", "etcdctl", "etcdutl")),
        Image("k8s/pause", "3.10.1", {"pause": programs["pause"]}, ("/pause",)),
        Image("k8s/coredns/coredns", "v1.12.4", {"coredns": programs["coredns"]}, ("/coredns",)),
        Image("lab/web", "1", {"web": programs["web"]}, ("/web",)),
    ]


def _network_tools(base: Path) -> dict[str, Path | str]:
    """What kube-proxy calls, with the extensions of iptables and the libraries of both."""
    extensions = sorted((base / tools.LIBRARIES / "xtables").glob("*.so"))
    content: dict[str, Path | str] = {str(path.relative_to(base)): path for path in extensions if not path.is_symlink()}
    content |= {str(path.relative_to(base)): path.readlink().name for path in extensions if path.is_symlink()}
    content |= {program: base / program for program in SYSTEM}
    content |= {f"usr/sbin/{name}": "xtables-nft-multi" for name in TABLES}
    for wanting in [*(path for path in extensions if not path.is_symlink()), *(base / program for program in SYSTEM)]:
        for library in _libraries(base, wanting):
            content[f"{tools.LIBRARIES}/{library}"] = base / tools.LIBRARIES / library
    content["lib64/ld-linux-x86-64.so.2"] = base / tools.LOADER
    return content


def _libraries(base: Path, program: Path) -> list[str]:
    command = [str(base / tools.LOADER), "--library-path", str(base / tools.LIBRARIES), "--list", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"the libraries of {program.name} cannot be told: {done.stderr.strip()}")
    found = [line.split()[0] for line in done.stdout.splitlines() if "=>" in line]
    return [name for name in found if (base / tools.LIBRARIES / name).exists()]


def _pack(path: Path, members: dict[str, Path | bytes]) -> None:
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, source in members.items():
            data = source if isinstance(source, bytes) else source.read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o755
            archive.addfile(entry, io.BytesIO(data))
