# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Python environments in the lab's cache, each from a lock file with hashes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from lab import cache
from lab.cache import Say, Unit
from lab.errors import LabError
from lab.paths import REPOSITORY


def environment(lock: str, say: Say) -> Path:
    """Python of the environment that ``requirements/LOCK.txt`` describes; Ansible's distribution is part of it.

    :raises LabError: when the packages cannot be installed.
    """
    file = REPOSITORY / "requirements" / f"{lock}.txt"
    version = "{}.{}".format(*sys.version_info[:2])
    pinned = next(line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("ansible=="))
    digest = hashlib.sha256(file.read_bytes() + version.encode()).hexdigest()
    # The command itself cannot be started from there, because the folder is renamed once it is complete.
    unit = Unit("ansible", pinned.split("==")[1].strip(" \\"), digest, ("bin/ansible-playbook",), 90)

    def build(target: Path) -> None:
        _run([sys.executable, "-m", "venv", str(target)])
        pip = [str(target / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--no-input", "--no-deps", "--require-hashes", "-r", str(file)])

    return cache.ensure(cache.cache_root(), unit, build, say) / "bin" / "python"


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        tail = "\n".join(done.stderr.strip().splitlines()[-10:])
        raise LabError(f"{' '.join(command[:4])} … failed:\n{tail}")
