# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The manifest: what is in an image, so that one can tell whether it fits a cluster without starting it."""

from __future__ import annotations

import base64
import hashlib
import json
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .errors import ImageError, Problem
from .place import Place, Programs
from .suitable import Layout

PATH = "/etc/slipway/image.json"
SCHEMA = 1
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64le", "s390x": "s390x"}
_RUNTIMES = {"containerd": "containerd", "crio": "crio", "docker": "dockerd"}
"""Kubespray's ``container_manager``, and the program that tells its version."""
API_NAMES = {"containerd": "containerd", "crio": "cri-o", "docker": "docker"}
"""Kubespray's ``container_manager``, and what the API calls it."""
_RUNTIME_PROGRAMS = (
    "containerd",
    "containerd-shim-runc-v2",
    "runc",
    "crun",
    "crio",
    "conmon",
    "dockerd",
    "cri-dockerd",
)
_VERSION = re.compile(r"\bv?(\d+\.\d+\.\d+[^\s,]*)")
_USER_CA = "/etc/ssh/slipway/user_ca.pub"


class About(NamedTuple):
    """What the controller knows: the image's ``name``, Kubespray's version, and the digests of its variables that are
    alike for all hosts of this kind."""

    name: str
    kubespray: str
    variables: Mapping[str, str]


def describe(place: Place, programs: Programs, layout: Layout, about: About, *, sealed: str) -> dict[str, Any]:
    """``sealed`` is the time, in UTC. Raises ``ImageError``: SLW-8757 for a program that does not run, SLW-8754."""
    manifest: dict[str, Any] = {
        "schema": SCHEMA,
        "name": about.name,
        "sealed": sealed,
        "kubespray": about.kubespray,
        "kubernetes": _version(programs.ask(f"{layout.bin_dir}/kubelet", "--version"), "kubelet"),
        "container_runtime": _runtime(programs, layout),
        "network_plugin": layout.network_plugin,
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": _system(place),
        "programs": _digests(place, layout),
        "images": _images(programs, layout),
        "variables": dict(about.variables),
        "server": server(place, layout),
        "trust": _trusted(place),
    }
    return {**manifest, "digest": digest(manifest)}


def digest(manifest: Mapping[str, Any]) -> str:
    """Over everything but itself, in one form: ``sha256:`` and 64 digits."""
    rest = {key: value for key, value in manifest.items() if key != "digest"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def dump(manifest: Mapping[str, Any]) -> bytes:
    return (json.dumps(manifest, sort_keys=True, indent=2) + "\n").encode()


def load(place: Place) -> dict[str, Any]:
    """The manifest that is there, or nothing. Raises ``ImageError`` SLW-8759 where it is not what was sealed."""
    if not place.is_file(PATH):
        return {}
    try:
        found: dict[str, Any] = json.loads(place.read(PATH))
        good = found["schema"] == SCHEMA and found["digest"] == digest(found)
    except (ValueError, KeyError, TypeError):
        good = False
    if not good:
        raise ImageError(
            Problem("SLW-8759", f"{PATH} was changed after the image was sealed", "seal a host that is a worker again")
        )
    return found


def server(place: Place, layout: Layout) -> str:
    """What the kubelet reaches the API at. Raises ``ImageError`` SLW-8754."""
    found = re.search(r"^\s*server:\s*[\"']?(https://[^\s\"']+)", place.text(layout.kubelet_conf), re.MULTILINE)
    if not found:
        raise ImageError(Problem("SLW-8754", f"{layout.kubelet_conf} names no API server", "is the host a worker?"))
    return found[1]


def _runtime(programs: Programs, layout: Layout) -> dict[str, str]:
    program = _RUNTIMES.get(layout.runtime, layout.runtime)
    version = _version(programs.ask(f"{layout.runtime_dir}/{program}", "--version"), program)
    return {"name": API_NAMES.get(layout.runtime, layout.runtime), "version": version}


def _version(text: str, program: str) -> str:
    found = _VERSION.search(text)
    if not found:
        raise ImageError(Problem("SLW-8757", f"{program} --version says no version: {text.strip()[:100]}"))
    return found[1]


def _system(place: Place) -> dict[str, str]:
    text = place.text("/etc/os-release") or place.text("/usr/lib/os-release")
    values = dict(re.findall(r"^(\w+)=[\"']?([^\"'\n]*)", text, re.MULTILINE))
    return {"id": values.get("ID", ""), "version_id": values.get("VERSION_ID", "")}


def _digests(place: Place, layout: Layout) -> dict[str, str]:
    paths = [f"{layout.bin_dir}/{name}" for name in ("kubelet", "kubeadm")]
    paths += [f"{layout.runtime_dir}/{name}" for name in _RUNTIME_PROGRAMS]
    paths += place.children("/opt/cni/bin")
    return {path: _sha256(place.real(path)) for path in sorted(set(paths)) if place.is_file(path)}


def _sha256(real: Path) -> str:
    found = hashlib.sha256()
    with real.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            found.update(block)
    return found.hexdigest()


def _images(programs: Programs, layout: Layout) -> list[dict[str, str]]:
    """As the runtime lists them; not known in a file system that is not running."""
    said = programs.ask_running(f"{layout.bin_dir}/crictl", "images", "-o", "json")
    found = []
    for image in json.loads(said or "{}").get("images") or []:
        digests = [one.partition("@")[2] for one in image.get("repoDigests") or []]
        found += [{"name": name, "digest": next(iter(digests), "")} for name in image.get("repoTags") or []]
    return sorted(found, key=lambda one: one["name"])


def _trusted(place: Place) -> list[str]:
    """Fingerprints of the authorities that sshd takes certificates of."""
    found = []
    for line in place.text(_USER_CA).splitlines():
        words = line.split()
        if len(words) > 1 and not line.startswith("#"):
            hashed = hashlib.sha256(base64.b64decode(words[1])).digest()
            found.append("SHA256:" + base64.b64encode(hashed).decode().rstrip("="))
    return sorted(found)
