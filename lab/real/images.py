# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Images of one layer, laid out so that a plain file server is a registry that can be pulled from."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.cache import sha256_of

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Image:
    """``files`` are paths in the image with what is put there: a file of the machine, or the target of a link."""

    name: str
    tag: str
    files: dict[str, Path | str]
    entrypoint: tuple[str, ...] = ()


def publish(image: Image, registry: Path) -> str:
    """Write the image below ``registry`` and return its digest. The same files make the same image.

    The paths are those of the distribution API: ``v2/NAME/blobs/DIGEST``, ``v2/NAME/manifests/TAG`` and ``…/DIGEST``.
    """
    blobs = registry / "v2" / image.name / "blobs"
    manifests = registry / "v2" / image.name / "manifests"
    for folder in (blobs, manifests):
        folder.mkdir(parents=True, exist_ok=True)
    content, layer = _layer(image, blobs)
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": [f"PATH={SEARCH}"], "Entrypoint": list(image.entrypoint) or None, "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": [content]},
        "history": [{"created_by": "lab"}],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _blob(CONFIG, config, blobs),
        "layers": [layer],
    }
    described = _blob(MANIFEST, manifest, manifests)
    (manifests / image.tag).write_bytes((manifests / described["digest"]).read_bytes())
    return str(described["digest"])


def _layer(image: Image, blobs: Path) -> tuple[str, dict[str, Any]]:
    """Digest of the layer as it is unpacked, and its description as it is stored."""
    with tempfile.TemporaryDirectory(dir=blobs) as scratch:
        unpacked, packed = Path(scratch) / "layer.tar", Path(scratch) / "layer.tar.gz"
        with tarfile.open(unpacked, "w", format=tarfile.GNU_FORMAT) as archive:
            for path, source in sorted(image.files.items()):
                _add(archive, path, source)
        # Neither name nor time: the same content is the same layer.
        with packed.open("wb") as sink, gzip.GzipFile("", "wb", 1, sink, mtime=0) as stream, unpacked.open("rb") as tar:
            shutil.copyfileobj(tar, stream)
        digest, size = f"sha256:{sha256_of(packed)}", packed.stat().st_size
        packed.replace(blobs / digest)
        return f"sha256:{sha256_of(unpacked)}", {"mediaType": LAYER, "digest": digest, "size": size}


def _add(archive: tarfile.TarFile, path: str, source: Path | str) -> None:
    entry = tarfile.TarInfo(path)
    if isinstance(source, str):
        entry.type, entry.linkname = tarfile.SYMTYPE, source
        archive.addfile(entry)
        return
    entry.size, entry.mode = source.stat().st_size, 0o755
    with source.open("rb") as content:
        archive.addfile(entry, content)


def _blob(kind: str, value: dict[str, Any], folder: Path) -> dict[str, Any]:
    data = json.dumps(value, sort_keys=True).encode()
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    (folder / digest).write_bytes(data)
    return {"mediaType": kind, "digest": digest, "size": len(data)}
