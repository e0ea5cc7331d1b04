# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What must not be in an image: the kinds of it, and one finding. A secret itself is never part of one."""

from __future__ import annotations

from typing import Any, NamedTuple

_OWN = "remove it: each node makes its own when it starts"
_NOBODYS = "remove it: what it holds belongs to one host, or to one person"

REMEDIES = {
    "private key": "remove it; whoever gets the image has it, so replace it wherever it was in use",
    "key store": "remove it; whoever gets the image can try to open it",
    "ssh host key": _OWN,
    "certificate": "remove it: only certificates of authorities belong in an image",
    "kubeconfig": "remove it, or the credentials in it",
    "machine id": "empty it: each node makes its own when it starts",
    "bootstrap token": "remove it, and delete the token in the cluster",
    "token": "remove it, and revoke the token where it was issued",
    "credentials": "remove it, and change the credentials where they were in use",
    "join data": "remove it: it is written for one node, when that node starts",
    "history": _NOBODYS,
    "authorized keys": "remove it: nodes trust an authority (slipway.cluster.access), or get keys when they start",
    "known hosts": _NOBODYS,
    "client state": _NOBODYS,
    "log": "remove it: it tells of another host, and may hold more than one would think",
    "dhcp lease": _OWN,
    "random seed": _OWN,
    "cloud-init state": "remove it (cloud-init clean): copies would be taken for the host that they were made from",
    "network identity": "remove it: it names the hardware or the address of one host",
    "host name": "remove it: each node gets its own when it joins",
    "cni state": "remove it: addresses in it were given to pods of another node",
    "kubelet state": "remove it: it is the identity of another node, with the secrets of its pods",
    "container state": "remove the containers (crictl rmp -a -f); their images may stay",
    "etcd data": "remove it: it holds everything that the cluster holds",
    "swap": "remove it: whatever was in memory may be in it",
    "core dump": "remove it: whatever was in memory may be in it",
    "temporary file": "remove it",
    "slipway state": "remove it: it is about another host",
}


class Finding(NamedTuple):
    """``path`` is as the image's own programs see it; ``line`` is 0 where there is none."""

    kind: str
    path: str
    line: int = 0

    @property
    def remedy(self) -> str:
        return REMEDIES[self.kind]

    def as_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "path": self.path, "line": self.line, "remedy": self.remedy}

    def __str__(self) -> str:
        return f"{self.kind}: {self.path}" + (f":{self.line}" if self.line else "")
