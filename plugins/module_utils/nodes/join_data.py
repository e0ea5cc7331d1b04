# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a machine made of an image is told so that it joins: some settings in one file, checked beforehand.

The image has everything else (docs/images.md). Formats of user-data are made of this: ``join_cloud_init``,
``join_ignition``, ``join_butane``.
"""

from __future__ import annotations

import ipaddress
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .marks_wanted import read_marks
from .problem import Problem

ENV = "/etc/slipway/join.env"
UNIT = "slipway-join.service"
PRIVATE = 0o600
NAME_LENGTH = 63
"""Longest node name: it is also the value of the label ``kubernetes.io/hostname``, and the machine's host name."""

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_TOKEN = re.compile(r"[a-z0-9]{6}\.[a-z0-9]{16}")
_HASH = re.compile(r"sha256:[0-9a-f]{64}")
_ENDPOINT = re.compile(r"(?P<host>\[[0-9a-f:]+\]|[A-Za-z0-9.-]+):(?P<port>[1-9][0-9]{0,4})")
_OURS = ("/etc/slipway", "/usr/local/lib/slipway", "/etc/kubernetes")


@dataclass(frozen=True)
class ExtraFile:
    """One more file of the user's. ``mode`` are permission bits."""

    content: str
    mode: int = 0o644


@dataclass(frozen=True)
class Cluster:
    """What all nodes of a batch are told alike. ``ca_hash`` pins the cluster's authority, ``endpoint`` is host:port."""

    token: str = field(repr=False)
    ca_hash: str
    endpoint: str


@dataclass(frozen=True)
class JoinData:
    """One node's. ``image`` is the digest of the manifest of the image that it is made of."""

    name: str
    address: str
    image: str
    cluster: Cluster
    taints: tuple[str, ...] = ()
    files: Mapping[str, ExtraFile] = field(default_factory=dict)

    def env(self) -> str:
        """The file that the image's join script reads."""
        lines = {
            "NAME": self.name,
            "ADDRESS": self.address,
            "TOKEN": self.cluster.token,
            "CA_HASH": self.cluster.ca_hash,
            "ENDPOINT": self.cluster.endpoint,
            "TAINTS": ",".join(self.taints),
            "IMAGE": self.image,
        }
        return "".join(f"SLIPWAY_{key}={value}\n" for key, value in lines.items())

    def written(self) -> dict[str, ExtraFile]:
        """All files of the machine, the one with the token first."""
        return {ENV: ExtraFile(self.env(), PRIVATE), **self.files}


@dataclass(frozen=True)
class Asked:
    """A node as the inventory has it, nothing of it checked yet. ``where`` is its place there."""

    name: str
    address: str
    image: str
    taints: object = None
    files: object = None
    where: str = ""


def read(asked: Asked, cluster: Cluster) -> tuple[JoinData | None, list[Problem]]:
    """What the machine is told, or everything that is wrong with it: SLW-8701, SLW-8702, SLW-86xx of taints."""
    problems = [*_own(asked), *cluster_problems(cluster, host=asked.name)]
    marks, wrong = read_marks(None, asked.taints, None, host=asked.name, where=asked.where)
    files, unusable = _files(asked)
    problems += [*wrong, *unusable]
    if problems:
        return None, problems
    address = str(ipaddress.ip_address(asked.address))
    return JoinData(asked.name, address, asked.image, cluster, tuple(map(str, marks.taints)), files), []


def cluster_problems(cluster: Cluster, host: str = "") -> list[Problem]:
    """What is wrong with what all nodes are told. The token itself is never said."""
    found = []
    if not _TOKEN.fullmatch(cluster.token):
        found.append(Problem("SLW-8701", "the join token is not of the form [a-z0-9]{6}.[a-z0-9]{16}", host=host))
    if not _HASH.fullmatch(cluster.ca_hash):
        message = f"the hash of the cluster's authority is not sha256: and 64 digits: {cluster.ca_hash!r}"
        found.append(Problem("SLW-8701", message, host=host))
    if not _is_endpoint(cluster.endpoint):
        remedy = "slipway_join_endpoint is an address or DNS name and a port, 192.0.2.10:6443"
        found.append(Problem("SLW-8701", f"{cluster.endpoint!r} is not host:port", remedy, host=host))
    return found


def is_name(text: str) -> bool:
    """Whether a node can have this name."""
    return len(text) <= NAME_LENGTH and bool(_NAME.fullmatch(text))


def is_address(text: str) -> bool:
    """IPv4 or IPv6, without a zone."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _own(asked: Asked) -> list[Problem]:
    found = []
    if not is_name(asked.name):
        message = f"{asked.name!r} is no name for a node: at most {NAME_LENGTH} of a-z, 0-9, '-' and '.', as in DNS"
        found.append(Problem("SLW-8701", message, "name the host so, or set kube_override_hostname", asked.where))
    if not is_address(asked.address):
        message = f"{asked.name}: {asked.address!r} is no address" if asked.address else f"{asked.name} has no address"
        found.append(Problem("SLW-8701", message, "give ip in the inventory, IPv4 or IPv6", asked.where, asked.name))
    if not _HASH.fullmatch(asked.image):
        message = f"{asked.name}: {asked.image!r} is no digest of an image's manifest"
        found.append(Problem("SLW-8701", message, "slipway_image names a copy of the image's image.json", asked.where))
    return found


def _is_endpoint(text: str) -> bool:
    found = _ENDPOINT.fullmatch(text)
    if not found or int(found["port"]) > 65535:
        return False
    host = found["host"]
    if host.startswith("["):
        return is_address(host[1:-1])
    return is_address(host) if host.replace(".", "").isdigit() else bool(_NAME.fullmatch(host.lower()))


def _files(asked: Asked) -> tuple[dict[str, ExtraFile], list[Problem]]:
    """``{path: {content, mode}}``; the mode is octal text."""
    if not asked.files:
        return {}, []
    if not isinstance(asked.files, Mapping):
        return {}, [_unusable(asked, "slipway_join_files is not a mapping of path to {content, mode}")]
    found: dict[str, ExtraFile] = {}
    problems = []
    for path, entry in asked.files.items():
        wrong = _file_problem(str(path), entry)
        if wrong:
            problems.append(_unusable(asked, f"slipway_join_files: {str(path)!r} {wrong}"))
        else:
            # Templates give texts of classes that YAML is not written from.
            content = str.__str__(entry["content"])
            found[str.__str__(str(path))] = ExtraFile(content, int(entry.get("mode", "0644"), 8))
    return found, problems


def _file_problem(path: str, entry: object) -> str:
    if not path.startswith("/") or posixpath.normpath(path) != path or not path.isprintable() or path == "/":
        return "is no absolute path of a file"
    if any(path == one or path.startswith(f"{one}/") for one in _OURS):
        return "is where the image keeps what makes a node"
    if not isinstance(entry, Mapping) or not isinstance(entry.get("content"), str):
        return "has no content that is text"
    if set(entry) - {"content", "mode"}:
        return "has more than content and mode"
    # A number has been read as decimal or as octal by then: nobody knows which was meant.
    mode = entry.get("mode", "0644")
    if not isinstance(mode, str) or not re.fullmatch(r"0?[0-7]{3}", mode):
        return f"has the mode {mode!r}; write it as text, '0644'"
    return ""


def _unusable(asked: Asked, message: str) -> Problem:
    return Problem("SLW-8702", message, "", asked.where, asked.name)


def repeated(names: Sequence[str], addresses: Sequence[str]) -> list[Problem]:
    """Two nodes of a batch with one name or one address."""
    texts = [str(ipaddress.ip_address(one)) if is_address(one) else one for one in addresses]
    return [
        Problem("SLW-8701", f"two nodes of the batch have the {kind} {one}")
        for kind, many in (("name", list(names)), ("address", texts))
        for one in sorted({one for one in many if many.count(one) > 1})
    ]
