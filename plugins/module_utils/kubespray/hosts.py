# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a host says of itself, judged on the controller: one host at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..nodes.problem import Problem, Severity
from .ranges import parse

CONTROL_PLANE, NODE, ETCD = "kube_control_plane", "kube_node", "etcd"
OLDEST_PYTHON = (3, 8)
"""That of ansible-core 2.18 on hosts."""

CONTROLLERS = ("cpu", "memory", "pids")
MODULES = ("overlay", "br_netfilter", "nf_conntrack")
_NEEDED_BY_ALL = frozenset({"overlay"})
"""Kubespray goes on without the others, and some networks never use them."""

_FAULTS = {"unreachable": "SLW-8201", "root": "SLW-8202", "python": "SLW-8203", "other": "SLW-8219"}
_ADVICE = {
    "SLW-8201": "ansible -m ansible.builtin.ping shows the same; see to it, or take the host out of the inventory",
    "SLW-8202": "give ansible_become_password or let the user run sudo without one; ansible_become: true if it is off",
    "SLW-8203": "install Python 3.8 or later on the host, or name it in ansible_python_interpreter",
    "SLW-8219": "run with -vvv to see what the module said",
}
_CLUSTERS = frozenset({"etcd", "kube-apiserver", "kube-controller", "kube-scheduler", "kubelet"})
"""Processes, by the 15 letters that the kernel keeps, that hold ports on hosts where an earlier run has been."""

_DISTRIBUTIONS = {
    "almalinux": "AlmaLinux",
    "amzn": "Amazon",
    "centos": "CentOS",
    "clear-linux-os": "ClearLinux",
    "debian": "Debian",
    "fedora": "Fedora",
    "flatcar": "Flatcar",
    "kylin": "Kylin Linux Advanced Server",
    "ol": "OracleLinux",
    "openEuler": "openEuler",
    "opensuse-leap": "openSUSE Leap",
    "opensuse-tumbleweed": "openSUSE Tumbleweed",
    "rhel": "RedHat",
    "rocky": "Rocky",
    "sles": "Suse",
    "ubuntu": "Ubuntu",
    "uos": "UnionTech",
}
"""``ID`` of os-release to the name that Ansible, and so Kubespray, has for it."""


@dataclass(frozen=True)
class Limits:
    """What is asked of hosts. Memory and disk in MiB, the clock in seconds."""

    memory: Mapping[str, int] = field(default_factory=lambda: {CONTROL_PLANE: 1500, NODE: 1024})
    disk: int = 4096
    clock: float = 5
    distributions: frozenset[str] = frozenset()
    """Names that Kubespray takes; empty: any."""
    swap_is_switched_off: bool = True
    """Kubespray does it, unless ``kubelet_fail_swap_on`` is false: then nobody minds."""
    old_cgroups_fail: bool = True
    ports: Mapping[str, Sequence[int]] = field(
        default_factory=lambda: {
            CONTROL_PLANE: (6443, 10250, 10257, 10259),
            NODE: (10250,),
            ETCD: (2379, 2380),
        }
    )


@dataclass(frozen=True)
class Seen:
    """One host. ``facts`` are those of the module, with ``fault`` and ``said`` where it did not come to them.

    ``skew`` is how far the host's clock is off the controller's at least, in seconds. ``member``: a node of this
    cluster already, or a member of its etcd; None where nobody knows, so that the host's own files decide.
    """

    name: str
    roles: frozenset[str]
    facts: Mapping[str, Any]
    skew: float = 0
    member: bool | None = None

    @property
    def is_member(self) -> bool:
        return bool(self.facts.get("remains")) if self.member is None else self.member


def judge(host: Seen, limits: Limits) -> list[Problem]:
    """All that is wrong with one host. What a fresh host must have is not asked of one that is in the cluster."""
    fault = host.facts.get("fault")
    if fault:
        code = _FAULTS.get(str(fault), "SLW-8219")
        said = " ".join(str(host.facts.get("said") or "no reason given").split())[:300]
        return [Problem(code, said, _ADVICE[code], host=host.name)]
    checks = [_access(host), _clock(host, limits)]
    if not host.is_member:
        checks += [_system(host, limits), _size(host, limits), _ports(host, limits), _kernel(host, limits)]
    return [problem for check in checks for problem in check]


def _access(host: Seen) -> Iterator[Problem]:
    facts = host.facts
    if not facts["is_root"]:
        yield Problem("SLW-8202", "tasks run without root's rights", _ADVICE["SLW-8202"], host=host.name)
    if parse(facts["python"]) < OLDEST_PYTHON:
        said = f"its Python is {facts['python']}, and Ansible needs 3.8"
        yield Problem("SLW-8203", said, _ADVICE["SLW-8203"], host=host.name)


def _clock(host: Seen, limits: Limits) -> Iterator[Problem]:
    if abs(host.skew) > limits.clock:
        side = "ahead of" if host.skew > 0 else "behind"
        said = f"its clock is {abs(host.skew):.0f} s {side} the controller's; {limits.clock:g} s are allowed"
        yield Problem(
            "SLW-8207", said, "let a time service set both clocks (ntp_enabled: true on hosts)", host=host.name
        )


def _system(host: Seen, limits: Limits) -> Iterator[Problem]:
    facts = host.facts
    system = facts["os"]
    name = _DISTRIBUTIONS.get(system.get("ID", ""), system.get("NAME", "unknown"))
    if limits.distributions and name not in limits.distributions:
        said = f"{system.get('PRETTY_NAME') or name} is not one of the systems that Kubespray supports"
        remedy = "use one that it does, or set allow_unsupported_distribution_setup: true"
        yield Problem("SLW-8204", said, remedy, host=host.name)
    if not facts["systemd"]:
        yield Problem("SLW-8215", "systemd does not run there", "Kubespray's services are systemd's", host=host.name)
    if not facts["nameservers"]:
        said = "/etc/resolv.conf names no server: images could not be pulled by name"
        yield Problem("SLW-8216", said, "name one there, or set upstream_dns_servers", host=host.name)
    if host.member is False and facts["remains"]:
        said = f"{facts['remains'][0]} is there, and the cluster does not know the host"
        remedy = "nothing, if a run of yours died here; a host of another cluster must be reset or installed anew first"
        yield Problem("SLW-8218", said, remedy, host=host.name, severity=Severity.WARNING)


def _size(host: Seen, limits: Limits) -> Iterator[Problem]:
    wanted = max((size for role, size in limits.memory.items() if role in host.roles), default=0)
    memory = int(host.facts["memory_mib"])
    if 0 < memory < wanted:
        said = f"it has {memory} MiB of memory, and {wanted} are needed"
        remedy = "give it more, or lower minimal_node_memory_mb and minimal_master_memory_mb"
        yield Problem("SLW-8205", said, remedy, host=host.name)
    for folder, free in sorted(host.facts["disks"].items()):
        if 0 <= int(free) < limits.disk:
            said = f"{folder} has {free} MiB free, and {limits.disk} are needed"
            yield Problem("SLW-8206", said, "make room, or set slipway_preflight_disk_mib", host=host.name)


def _ports(host: Seen, limits: Limits) -> Iterator[Problem]:
    for taken in host.facts["ports"]:
        if taken["port"] in ports_of(host.roles, limits) and taken["by"] not in _CLUSTERS:
            said = f"port {taken['port']} is taken" + (f" by {taken['by']}" if taken["by"] else "")
            yield Problem("SLW-8210", said, "stop what listens there; the cluster needs the port", host=host.name)


def _kernel(host: Seen, limits: Limits) -> Iterator[Problem]:
    facts = host.facts
    if facts["swap"] and limits.swap_is_switched_off:
        said = f"it swaps to {', '.join(facts['swap'])}, and Kubespray switches swapping off"
        remedy = "nothing, if that is fine; to keep it, set kubelet_fail_swap_on: false"
        yield Problem("SLW-8211", said, remedy, host=host.name, severity=Severity.HINT)
    for module in facts["missing_modules"]:
        said = f"its kernel {facts['kernel']} has no module {module}"
        remedy = "install the modules of the running kernel, or restart into it"
        severity = Severity.ERROR if module in _NEEDED_BY_ALL else Severity.WARNING
        yield Problem("SLW-8212", said, remedy, host=host.name, severity=severity)
    if not facts["settings_writable"]:
        said = "settings below /proc/sys cannot be written"
        yield Problem("SLW-8213", said, "a container needs them writable, or preset outside of it", host=host.name)
    missing = [name for name in CONTROLLERS if name not in facts["controllers"]]
    if facts["cgroup"] != 2:
        if limits.old_cgroups_fail:
            said = "it has no unified control groups (cgroup v2), and the kubelet refuses to start without"
            remedy = "start it with systemd.unified_cgroup_hierarchy=1, or set kubelet_fail_cgroup_v1: false"
            yield Problem("SLW-8214", said, remedy, host=host.name)
    elif missing:
        said = f"its control groups are without {', '.join(missing)}"
        yield Problem("SLW-8214", said, "enable them at boot, or delegate them to the container", host=host.name)


def ports_of(roles: frozenset[str], limits: Limits) -> frozenset[int]:
    """Ports that a host with ``roles`` will listen on."""
    return frozenset(port for role in roles for port in limits.ports.get(role, ()))
