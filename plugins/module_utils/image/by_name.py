# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is told by where a file is, or what it is called."""

from __future__ import annotations

import re
from typing import Optional

_HISTORY = (
    r"\.\w*[_-]?history|\.\w+_hist|\.histfile|\.lesshst|\.viminfo|\.wget-hsts|\.dbshell|\.mycli-history"
    r"|fish_history|search_history|filepos_history|\w+\.shada|\.recently-used"
)
_ANYWHERE = (
    ("history", rf"(?:{_HISTORY})(?:\.bak|\.old|~)?"),
    ("history", r"\..+\.sw[po]"),
    ("key store", r".*\.(?:p12|pfx|jks|jceks|keystore|bcfks|kdbx|kdb)"),
    ("credentials", r"[._]netrc|\.git-credentials|\.pgpass|\.vault-token|\.bao-token|\.htpasswd"),
    ("swap", r"swapfile\d*|swap\.img|hiberfil\.sys"),
    ("core dump", r"vmcore(?:\.(?:flat|gz|lz4|zst))?"),
)
_UNDER = (
    ("client state", r".*/\.(?:kube|ansible|helm|minikube)/"),
    ("client state", r".*/\.(?:cache|config|local/share)/helm/"),
    ("credentials", r".*/\.(?:aws|azure|config/gcloud)/"),
    ("private key", r".*/\.gnupg/(?:private-keys-v1\.d/|secring)"),
    ("ssh host key", r"/etc/ssh/ssh_host_|/etc/ssh/slipway/host-cert\.pub$|/etc/dropbear/\w+_host_key"),
    ("log", r"/var/log/"),
    ("dhcp lease", r"/var/lib/(?:dhcp|dhclient|dhcpcd5?)/|/var/lib/NetworkManager/.*\.lease$"),
    ("dhcp lease", r"/var/lib/(?:NetworkManager/(?:secret_key|timestamps|seen-bssids)|systemd/network/)"),
    ("random seed", r"(?:/var/lib(?:/systemd|/urandom)?|/(?:boot/)?(?:efi/)?loader)/random-seed$"),
    ("private key", r"/var/lib/systemd/credential\.secret$"),
    ("cloud-init state", r"/var/lib/cloud/(?:instances?|data|sem|seed)/"),
    ("network identity", r"/etc/udev/rules\.d/\d+-persistent-(?:net|cd)[^/]*\.rules$"),
    ("network identity", r"/etc/(?:netplan|network/interfaces\.d)/[^/]*cloud-init[^/]*$"),
    ("network identity", r"/etc/nvme/host(?:id|nqn)$"),
    ("cni state", r"/var/lib/(?:cni|calico|cilium)/|/etc/cni/net\.d/.*kubeconfig"),
    ("kubelet state", r"/var/lib/kubelet/"),
    ("container state", r"/var/lib/containerd/io\.containerd\.grpc\.v1\.cri/(?:sandboxes|containers)/"),
    ("container state", r"/var/lib/containerd/io\.containerd\.runtime\.v2\.task/[^/]+/"),
    ("container state", r"/var/lib/(?:docker/containers|containers/storage/overlay-containers/[^/]+/userdata)/"),
    ("etcd data", r"/var/lib/etcd[^/]*/"),
    ("core dump", r"/var/lib/systemd/coredump/|/var/crash/"),
    ("temporary file", r"(?:/var)?/tmp/"),
    ("slipway state", r"/var/lib/slipway/"),
    ("join data", r"/etc/slipway/join\.env$"),
)
_NAMES = tuple((kind, re.compile(rf"(?:{pattern})\Z", re.IGNORECASE)) for kind, pattern in _ANYWHERE)
_PLACES = tuple((kind, re.compile(pattern)) for kind, pattern in _UNDER)


def kind_of(path: str) -> Optional[str]:
    """The kind of finding that a regular file at ``path`` is, whatever it holds, unless it is empty."""
    for kind, pattern in _PLACES:
        if pattern.match(path):
            return kind
    name = path.rpartition("/")[2]
    for kind, pattern in _NAMES:
        if pattern.match(name):
            return kind
    return None
