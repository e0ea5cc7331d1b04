# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The base image, without a registry: the machine's own Debian, imported."""

from __future__ import annotations

import subprocess

from lab import cache, debian
from lab.cache import Say
from lab.ee.podman import Podman
from lab.errors import LabError

IMAGE = "localhost/slipway-ee-base:debian"
PACKAGES = "ca-certificates"


def image(podman: Podman, say: Say) -> str:
    """Name of the image; what it is made of is in the lab's cache.

    :raises LabError: when the machine is no Debian, or its archive is out of reach.
    """
    unit = debian.unit("ee-base", __file__, ("root/usr/bin/apt-get", "root/usr/bin/dpkg"), 40)
    root = cache.ensure(cache.cache_root(), unit, lambda target: debian.bootstrap(target, PACKAGES), say) / "root"
    packed = ["tar", "--create", "--numeric-owner", "--one-file-system", f"--directory={root}", "."]
    with subprocess.Popen(packed, stdout=subprocess.PIPE) as archive:
        imported = subprocess.run(
            ["podman", "import", "--change", "CMD=[\"/bin/bash\"]", "-", IMAGE],
            stdin=archive.stdout, env=podman.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
    if archive.returncode != 0 or imported.returncode != 0:
        raise LabError(f"podman import said: {imported.stderr.strip()}")
    return IMAGE
