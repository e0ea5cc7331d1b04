# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The peers' programs, made once, in the lab's cache: helmfile from its module, kubernetes.core from its package."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from lab import cache, golang
from lab.cache import Say, Unit
from lab.errors import LabError
from lab.golang import Module

LOCK = Path(__file__).resolve().parent.parent / "requirements" / "peers.txt"

HELMFILE = Module(
    "helmfile",
    "1.8.0",
    (("helmfile", "github.com/helmfile/helmfile"),),
    (("go.szostok.io/version.version", "v1.8.0"),),
    1200,
    home=Path(__file__).resolve().parent / "go",
)


def has_helmfile() -> bool:
    """Whether it was built before."""
    unit = HELMFILE.unit()
    return cache.intact(cache.cache_root() / unit.key, unit.programs)


def helmfile(say: Say) -> Path:
    """Path of the program.

    :raises LabError: when the build fails.
    """
    root = cache.cache_root()

    def build(target: Path) -> None:
        golang.build(HELMFILE, golang.tool(root, say), target)

    return cache.ensure(root, HELMFILE.unit(), build, say) / "helmfile"


def ansible(say: Say) -> Path:
    """Python of an environment with the distribution of Ansible that holds kubernetes.core.

    :raises LabError: when the packages cannot be installed.
    """
    version = "{}.{}".format(*sys.version_info[:2])
    pinned = next(line for line in LOCK.read_text(encoding="utf-8").splitlines() if line.startswith("ansible=="))
    digest = hashlib.sha256(LOCK.read_bytes() + version.encode()).hexdigest()
    # The command itself cannot be started from there, because the folder is renamed once it is complete.
    unit = Unit("ansible", pinned.split("==")[1].strip(" \\"), digest, ("bin/ansible-playbook",), 90)

    def build(target: Path) -> None:
        _run([sys.executable, "-m", "venv", str(target)])
        pip = [str(target / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--no-input", "--no-deps", "--require-hashes", "-r", str(LOCK)])

    return cache.ensure(cache.cache_root(), unit, build, say) / "bin" / "python"


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        tail = "\n".join(done.stderr.strip().splitlines()[-10:])
        raise LabError(f"{' '.join(command[:4])} … failed:\n{tail}")
