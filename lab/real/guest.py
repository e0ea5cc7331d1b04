# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The files that make a copy of the base root file system one certain host of the lab."""

from __future__ import annotations

import json

from lab.real.model import FIRST, GATEWAY, LAST, NETWORK, Host, pod_range

UNITS = ("lab-control-groups.service", "lab-network.service")
CNI = "etc/cni/net.d/10-lab.conflist"

UNIT = """[Unit]
Description={about}
DefaultDependencies=no
Before=network-pre.target sysinit.target ssh.service
Wants=network-pre.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -eu {script}

[Install]
WantedBy=sysinit.target
"""

CONTROL_GROUPS = """# kubelet and containerd make groups of their own, and pass mounts on to containers.
mount -o remount,bind,rw /sys/fs/cgroup
for folder in /sys/fs/cgroup/*/; do mount -o remount,bind,rw "$folder"; done
mount --make-rshared /
"""


def files(host: Host) -> dict[str, str]:
    """Text of each file, by its path from the host's root."""
    return {
        "etc/hostname": f"{host.name}\n",
        "etc/hosts": f"127.0.0.1 localhost\n{host.address} {host.name}\n",
        # Nobody answers there: there is no name outside of the cluster that a host could ask for.
        "etc/resolv.conf": f"nameserver {GATEWAY}\n",
        "opt/lab/control-groups": CONTROL_GROUPS,
        "opt/lab/network": _network(host),
        f"etc/systemd/system/{UNITS[0]}": UNIT.format(about="Writable groups", script="/opt/lab/control-groups"),
        f"etc/systemd/system/{UNITS[1]}": UNIT.format(about="Network of the lab", script="/opt/lab/network"),
        CNI: cni(host),
    }


def _network(host: Host) -> str:
    routes = [
        f"ip route add {pod_range(number)} via {NETWORK.format(number)}"
        for number in range(FIRST, LAST)
        if number != host.number
    ]
    first = ["ip link set lo up", f"ip addr add {host.address}/24 dev host0", "ip link set host0 up"]
    return "\n".join([*first, f"ip route add default via {GATEWAY}", *routes]) + "\n"


def cni(host: Host) -> str:
    """Pods are on a bridge of their host, and hosts reach each other's by fixed routes."""
    config = {
        "cniVersion": "1.0.0",
        "name": "lab",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isGateway": True,
                "hairpinMode": True,
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": host.pods}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }
    return json.dumps(config, indent=1) + "\n"
