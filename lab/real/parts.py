# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Everything that the real lab is made of, in the lab's cache."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lab import cache, golang, pythons
from lab.cache import Say
from lab.golang import Module
from lab.real import base, mirror, modules

NICENESS = 15


@dataclass(frozen=True)
class Parts:
    """``base``: the root file system of hosts; ``mirror``: files and images; ``python``: Ansible's."""

    base: Path
    mirror: Path
    python: Path


def ensure(say: Say) -> Parts:
    """Make what the cache lacks, one after the other and behind everything else that the machine does.

    :raises LabError: when a part cannot be made.
    """
    with ThreadPoolExecutor(1, initializer=_stand_back) as pool:
        return pool.submit(_ensure, say).result()


def _stand_back() -> None:
    # A thread has its own niceness, and its children inherit it.
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def _ensure(say: Say) -> Parts:
    cached = cache.cache_root()
    root = base.root(say)

    def built(all_of: Iterable[Module]) -> dict[str, Path]:
        programs: dict[str, Path] = {}
        for module in all_of:
            folder = cache.ensure(cached, module.unit(), partial(_build, module, say), say)
            programs |= {name: folder / name for name, _package in module.programs}
        return programs

    kubernetes = {version: built(all_of) for version, all_of in modules.KUBERNETES.items()}
    programs = {"runc": root / "usr/sbin/runc", **built(modules.MODULES)}
    return Parts(root, mirror.make(programs, kubernetes, root, say), pythons.environment("kubespray", say))


def _build(module: Module, say: Say, target: Path) -> None:
    golang.build(module, golang.tool(cache.cache_root(), say), target)
