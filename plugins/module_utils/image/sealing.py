# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A worker that Kubespray has prepared becomes an image: first everything is looked at, then all of it is done.

A run that dies on the way leaves a host that the next run goes on with: what was made of the host's files is written
before any of them goes, and what is still there goes then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Any, NamedTuple

from . import manifest, suitable
from .errors import ImageError, Problem
from .place import Place, Programs, mounted_problem
from .removals import KUBELET, doomed, hosts_without
from .suitable import Layout
from .templates import TAINTS, Identity, join_template, kubelet_template, names, template

FOLDER = "/etc/slipway/join"
UNITS = ("slipway-join.service", "slipway-ssh-host-keys.service")
_TARGETS, _SETTINGS = f"{FOLDER}/targets", f"{FOLDER}/settings"
_WANTS = "/etc/systemd/system/multi-user.target.wants"
_KUBELET_UNIT = "/etc/systemd/system/kubelet.service"
_ISCSI = "/etc/iscsi/initiatorname.iscsi"
_LARGE = 1 << 20


class Settings(NamedTuple):
    """What the join goes by, from Kubespray's variables; ``token_seconds``: how long a file of settings is used."""

    ignore: Sequence[str] = ()
    skip: Sequence[str] = ()
    timeout: str = "120s"
    token_seconds: int = 3600


class Wanted(NamedTuple):
    """``files``: ours, path to content. ``former``: more names of the host. ``keep``: patterns of paths that stay.
    ``own``: folders that the running program needs. ``left``: the cluster has no such node any more."""

    about: manifest.About
    settings: Settings
    files: Mapping[str, str]
    former: Sequence[str] = ()
    keep: Sequence[str] = ()
    own: Set[str] = frozenset()
    left: bool = False


class Sealing(NamedTuple):
    """``writes``: path to content and mode, in order; ``removes``: paths; ``links``: path to target."""

    manifest: Mapping[str, Any]
    writes: Sequence[tuple[str, bytes, int]]
    links: Sequence[tuple[str, str]]
    removes: Sequence[str]
    names: Sequence[str]

    @property
    def changed(self) -> bool:
        return bool(self.writes or self.links or self.removes)


def plan(place: Place, programs: Programs, layout: Layout, wanted: Wanted, now: Callable[[], str]) -> Sealing:
    """Nothing is changed. Raises ``ImageError``: everything that speaks against it, at once."""
    there = manifest.load(place)
    writes: list[tuple[str, bytes, int]] = []
    if there and not place.exists(layout.kubelet_conf):
        # Sealed already, perhaps not to the end.
        own = Identity("", "")
        made: Mapping[str, Any] = there
        going = [line.split(" ", 3)[3] for line in place.text(_TARGETS).splitlines()]
    else:
        own = suitable.check(place, layout, left=wanted.left)
        made = manifest.describe(place, programs, layout, wanted.about, sealed=now())
        templates = list(_templates(place, layout, own, wanted))
        going = [target for _name, target, _content in templates]
        writes += _join_files(place, layout, wanted, made, templates)
    called = [name for name in dict.fromkeys((own.name, *wanted.former, place.text("/etc/hostname").strip())) if name]
    host_names = [name for name in called if name != "localhost"] + ([own.address] if own.address else [])
    writes += [(path, text.encode(), 0o755 if text.startswith("#!") else 0o644) for path, text in wanted.files.items()]
    writes += _identity(place, host_names)
    removes = doomed(place, layout, wanted.keep, wanted.own)
    removes += [path for path in going if place.exists(path)]
    removes += [path for path in (f"{_WANTS}/kubelet.service",) if place.exists(path)]
    links = [(f"{_WANTS}/{unit}", f"/etc/systemd/system/{unit}") for unit in UNITS]
    _nothing_mounted(place, removes)
    return Sealing(
        made,
        [(path, content, mode) for path, content, mode in writes if not _is(place, path, content, mode)],
        [(path, target) for path, target in links if not place.exists(path)],
        sorted(set(removes)),
        host_names,
    )


def carry_out(place: Place, programs: Programs, layout: Layout, sealing: Sealing) -> None:
    """Raises ``ImageError`` where it cannot be finished; run again then."""
    if place.exists(_KUBELET_UNIT):
        programs.do("systemctl", "disable", "--now", "--quiet", "kubelet.service")
    programs.do(f"{layout.bin_dir}/crictl", "rmp", "--all", "--force")
    for point in place.mounted(KUBELET):
        if point != KUBELET:
            programs.do("umount", "-f", point)
    for path, content, mode in sealing.writes:
        place.write(path, content, mode)
    for path, target in sealing.links:
        place.link(path, target)
    for path in sealing.removes:
        place.remove(path)
    programs.do("systemctl", "daemon-reload")


def _templates(place: Place, layout: Layout, own: Identity, wanted: Wanted) -> Iterator[tuple[str, str, str]]:
    """Name, target and content of each: what Kubespray writes for a node, and whatever else names this one."""
    used: set[str] = set()
    going = set(doomed(place, layout, wanted.keep, wanted.own))
    folders = [layout.config_dir, "/etc/nginx", "/etc/haproxy", "/etc/containerd", "/etc/crio"]
    folders += [f"{_KUBELET_UNIT}.d"] + (["/etc/cni/net.d"] if layout.network_plugin == "cni" else [])
    paths = [*layout.rendered, _KUBELET_UNIT, *(path for folder in folders for path in place.below(folder))]
    for path in dict.fromkeys(paths):
        if path in going or any(path.startswith(f"{one}/") for one in going) or not place.is_file(path):
            continue
        if place.real(path).lstat().st_size > _LARGE:
            continue
        text = place.text(path)
        if path not in layout.rendered and not names(text, own):
            continue
        content = template(path, text, own)
        if path == layout.rendered[0]:
            content = join_template(path, content)
        elif path == layout.rendered[1]:
            content = kubelet_template(content)
        name = path.rpartition("/")[2]
        while name in used:
            name += "_"
        used.add(name)
        yield name, path, content


def _join_files(
    place: Place,
    layout: Layout,
    wanted: Wanted,
    made: Mapping[str, Any],
    templates: Sequence[tuple[str, str, str]],
) -> Iterator[tuple[str, bytes, int]]:
    """The manifest comes last: with it the host counts as sealed."""
    lines = []
    for name, target, content in templates:
        found = place.real(target).lstat()
        if re.search(r"[\s\\]", target):
            raise ImageError(Problem("SLW-8758", f"{target}: a blank in the name of a file", "give it another name"))
        yield f"{FOLDER}/{name}", content.encode("utf-8", "surrogateescape"), 0o600
        lines.append(f"{found.st_mode & 0o7777:04o} {found.st_uid}:{found.st_gid} {name} {target}\n")
    yield _TARGETS, "".join(lines).encode(), 0o600
    values = {
        "image": made["digest"],
        "server": made["server"],
        "kubeadm": f"{layout.bin_dir}/kubeadm",
        "config": layout.rendered[0],
        "kubelet_conf": layout.kubelet_conf,
        "bootstrap_conf": f"{layout.config_dir}/bootstrap-kubelet.conf",
        "ca": f"{layout.cert_dir}/ca.crt",
        "ignore": ",".join(_ignored(wanted.settings.ignore)),
        "skip": ",".join(wanted.settings.skip),
        "timeout": wanted.settings.timeout,
        "minutes": str(-(-wanted.settings.token_seconds // 60)),
        "own_taints": "no" if any(TAINTS in content for _name, _target, content in templates) else "yes",
    }
    yield _SETTINGS, "".join(f"{key}={value}\n" for key, value in values.items()).encode(), 0o600
    yield manifest.PATH, manifest.dump(made), 0o644


def _ignored(more: Sequence[str]) -> list[str]:
    """As Kubespray asks kubeadm to: static pods of the node's own load balancer are there before it joins."""
    return list(more) if "all" in more else ["DirAvailable--etc-kubernetes-manifests", *more]


def _identity(place: Place, host_names: Sequence[str]) -> Iterator[tuple[str, bytes, int]]:
    """What the host is told apart by, and its programs make anew or are told when it starts."""
    yield "/etc/machine-id", b"", 0o444
    yield "/etc/hostname", b"localhost\n", 0o644
    hosts = place.text("/etc/hosts")
    yield "/etc/hosts", hosts_without(hosts, host_names).encode("utf-8", "surrogateescape"), 0o644
    if place.is_file(_ISCSI):
        # open-iscsi's own way to have each host name itself.
        yield _ISCSI, b"GenerateName=yes\n", 0o600


def _is(place: Place, path: str, content: bytes, mode: int) -> bool:
    return place.is_file(path) and place.real(path).lstat().st_mode & 0o7777 == mode and place.read(path) == content


def _nothing_mounted(place: Place, removes: Sequence[str]) -> None:
    """What pods had mounted goes with them. Raises ``ImageError`` SLW-8756 for anything else."""
    found = [point for path in removes if not path.startswith(f"{KUBELET}/") for point in place.mounted(path)]
    if found:
        raise mounted_problem(sorted(set(found)))
