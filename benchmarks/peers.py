# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The peers' programs, made once, in the lab's cache: helmfile from its module."""

from __future__ import annotations

from pathlib import Path

from lab import cache, golang
from lab.cache import Say
from lab.golang import Module

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
