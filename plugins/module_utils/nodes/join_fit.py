# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Whether an image fits a host of the inventory and the cluster: everything that speaks against it, at once.

Image and node have the same variables, so that what Kubespray's templates have written on the image is what they would
have written on the node. That is what makes an image node an ordinary one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from .join_image import Image
from .model import Desired
from .problem import Problem, Severity
from .versions import parse

OWN = frozenset({"access_ip", "access_ip6", "etcd_member_name", "ip", "ip6", "kube_override_hostname"})
"""Variables that each host has of its own: they are put into an image node's files when it joins."""

_SHOWN = 8
_SAME = {"amd64": "x86_64", "arm64": "aarch64"}
"""Names of one architecture: Kubernetes' and the kernel's."""


@dataclass(frozen=True)
class Fitting:
    """What an image has to fit. Versions are without ``v``. Empty: not known, and not compared.

    ``server`` is the API server's version, ``kubespray`` that of the cluster record. ``runtimes`` are those that
    ``container_manager`` allows, or that the nodes have.
    """

    server: str
    kubespray: str = ""
    runtimes: frozenset[str] = frozenset()
    network_plugin: str = ""
    architecture: str = ""
    trust: frozenset[str] = frozenset()


def fits(image: Image, host: Desired, wanted: Fitting) -> list[Problem]:
    """All that speaks against it: SLW-8711 to SLW-8717."""
    found = [
        _versions(image, wanted),
        _other("SLW-8712", "container runtime", image.runtime, wanted.runtimes),
        _other("SLW-8713", "network plugin", image.network_plugin, _one(wanted.network_plugin)),
        _other("SLW-8714", "architecture", _machine(image.architecture), _one(_machine(wanted.architecture))),
        _variables(image, host.variables),
        _other("SLW-8716", "Kubespray", image.kubespray, _one(wanted.kubespray)),
        _trust(image, wanted),
    ]
    return [
        Problem(code, f"image {image.name}: {message}", remedy, host.where, host.name, severity)
        for code, message, remedy, severity in filter(None, found)
    ]


_Found: TypeAlias = "tuple[str, str, str, Severity] | None"


def _versions(image: Image, wanted: Fitting) -> _Found:
    """The kubelet never newer than the API server, and no minor behind: Kubernetes bears more, our runs do not."""
    kubelet, server = parse(image.kubernetes), parse(wanted.server)
    if kubelet is None or server is None:
        odd = image.kubernetes if kubelet is None else wanted.server
        return "SLW-8711", f"{odd!r} is no version of Kubernetes", "", Severity.ERROR
    remedy = f"make an image with Kubernetes {server.major}.{server.minor}"
    if kubelet > server and kubelet.line == server.line:
        message = f"its kubelet {kubelet} is newer than the API server, {server}"
        return "SLW-8711", message, f"{remedy}, at most {server}", Severity.ERROR
    if kubelet.line != server.line:
        message = f"its kubelet {kubelet} is of another minor version than the API server, {server}"
        return "SLW-8711", message, remedy, Severity.ERROR
    return None


def _other(code: str, what: str, has: str, allowed: frozenset[str]) -> _Found:
    if not allowed or has in allowed:
        return None
    message = f"its {what} is {has or 'unknown'}, the cluster's is {', '.join(sorted(allowed))}"
    return code, message, "make an image from a host of this inventory", Severity.ERROR


def _variables(image: Image, wanted: Mapping[str, str]) -> _Found:
    names = (image.variables.keys() | wanted.keys()) - OWN
    differing = sorted(name for name in names if image.variables.get(name) != wanted.get(name))
    if not differing:
        return None
    more = f" and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
    message = f"it was made with other values of {', '.join(differing[:_SHOWN])}{more}"
    remedy = "make an image from a host with this one's variables; what the user's files set counts, not defaults"
    return "SLW-8715", message, remedy, Severity.ERROR


def _trust(image: Image, wanted: Fitting) -> _Found:
    missing = wanted.trust - image.trust
    if not missing:
        return None
    message = f"it does not accept SSH certificates of {', '.join(sorted(missing))}"
    return "SLW-8717", message, "slipway.cluster.access gives the node this trust once it is there", Severity.WARNING


def _machine(name: str) -> str:
    return _SAME.get(name, name)


def _one(text: str) -> frozenset[str]:
    return frozenset({text}) if text else frozenset()
