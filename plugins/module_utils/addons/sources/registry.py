# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Charts from OCI registries: Helm pulls them, with credentials that no file and no argument holds."""

from __future__ import annotations

import base64
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..errors import RenderError
from ..model import ChartSource
from . import process
from .cache import ChartCache
from .codes import NO_SUCH_CHART, REPOSITORY_FAILED
from .helm import clean_message

if TYPE_CHECKING:
    from .helm import Helm
    from .repository import Repository

_DIGEST = re.compile(r"^Digest: (sha256:[0-9a-f]{64})$", re.MULTILINE)
_ABSENT = re.compile(r"not found|could not locate a version", re.IGNORECASE)


def pull_chart(source: ChartSource, repository: Repository, cache_dir: Path, helm: Helm) -> Path:
    """The chart's archive on this machine. Raises RenderError SLW-2020 to SLW-2022, SLW-2008, SLW-2009."""
    cache = ChartCache(cache_dir)
    cached = cache.get(source)
    if cached is not None:
        return cached
    cache_dir.mkdir(parents=True, exist_ok=True)
    address = f"{source.repo.rstrip('/')}/{source.name}"
    with tempfile.TemporaryDirectory(dir=cache_dir) as folder, _registry_config(repository) as descriptor:
        argv = [helm.binary, "pull", address, "--version", source.version, "--destination", folder]
        argv += ["--ca-file", repository.ca_file] if repository.ca_file else []
        argv += ["--plain-http"] if repository.plain_http else []
        # inside Helm the descriptor has the same number
        extra = {"HELM_REGISTRY_CONFIG": f"/proc/self/fd/{descriptor}"}
        if repository.proxy:
            extra["HTTPS_PROXY"] = extra["HTTP_PROXY"] = repository.proxy
        try:
            # the digest is told on standard error
            text = process.run(
                argv, helm.environment(extra), descriptors=[descriptor], timeout=helm.timeout, with_stderr=True
            )
        except process.ProgramError as err:
            raise _failed(address, source, err.text) from None
        archives = list(Path(folder).glob("*.tgz"))
        if len(archives) != 1:
            raise RenderError(REPOSITORY_FAILED, f"{address} {source.version}: Helm pulled no chart")
        digest = _DIGEST.search(text)
        return cache.put(source, archives[0].read_bytes(), digest[1] if digest else "")


@contextmanager
def _registry_config(repository: Repository) -> Iterator[int]:
    """A descriptor of memory with the registry's credentials, in the format that container tools share."""
    host = urlsplit(repository.url).netloc
    entry: dict[str, str] = {}
    if repository.token:
        entry["registrytoken"] = repository.token
    elif repository.username:
        entry["auth"] = base64.b64encode(f"{repository.username}:{repository.password}".encode()).decode()
    descriptor = os.memfd_create("registry", 0)
    try:
        os.write(descriptor, json.dumps({"auths": {host: entry} if entry else {}}).encode())
        yield descriptor
    finally:
        os.close(descriptor)


def _failed(address: str, source: ChartSource, text: str) -> RenderError:
    message = f"{address} {source.version}: {clean_message(text)}"
    if _ABSENT.search(text):
        return RenderError(NO_SUCH_CHART, message)
    return RenderError(REPOSITORY_FAILED, message, "look at its entry in slipway_repositories")
