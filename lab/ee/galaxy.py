# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A Galaxy server on loopback: this checkout's artifact, and the collections of Ansible's distribution.

What it serves are files: for each collection its versions, what Galaxy says of one, and the archive.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

from lab.serve import Handler

MANIFEST, FILES = "MANIFEST.json", "FILES.json"


def publish(folder: Path, site: Path, address: str) -> str:
    """Add an installed collection to the server's files, packed anew; what it is called, with its version.

    The distribution leaves tests and the like out, so the list of files is made of what is there.
    """
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    contents = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (MANIFEST, FILES) and "__pycache__" not in path.parts
    }
    listing = _listing(contents)
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(listing).hexdigest()
    contents |= {MANIFEST: json.dumps(manifest).encode(), FILES: listing}
    info = manifest["collection_info"]
    return _describe(info, _archive(contents), site, address)


def publish_artifact(artifact: Path, site: Path, address: str) -> str:
    """Add an artifact as it is."""
    with tarfile.open(artifact) as archive:
        source = archive.extractfile(MANIFEST)
        info = json.loads(source.read())["collection_info"] if source else {}
    return _describe(info, artifact.read_bytes(), site, address)


def _folders(contents: dict[str, bytes]) -> list[str]:
    return sorted({str(parent) for name in contents for parent in Path(name).parents})


def _listing(contents: dict[str, bytes]) -> bytes:
    entry: dict[str, Any] = {"format": 1, "ftype": "dir", "chksum_type": None, "chksum_sha256": None}
    files = [entry | {"name": name} for name in _folders(contents)]
    for name, content in contents.items():
        digest = hashlib.sha256(content).hexdigest()
        files.append(entry | {"name": name, "ftype": "file", "chksum_type": "sha256", "chksum_sha256": digest})
    return json.dumps({"files": files, "format": 1}).encode()


def _archive(contents: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        for name in _folders(contents)[1:]:
            member = tarfile.TarInfo(name)
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(member)
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _describe(info: dict[str, Any], archive: bytes, site: Path, address: str) -> str:
    namespace, name, version = info["namespace"], info["name"], info["version"]
    file = f"{namespace}-{name}-{version}.tar.gz"
    place = f"api/v3/collections/{namespace}/{name}"
    said = {
        "version": version,
        "href": f"/{place}/versions/{version}/",
        "namespace": {"name": namespace},
        "collection": {"name": name},
        "download_url": f"{address}/{file}",
        "artifact": {"filename": file, "sha256": hashlib.sha256(archive).hexdigest(), "size": len(archive)},
        "metadata": {"dependencies": info["dependencies"]},
        "signatures": [],
    }
    versions = {"meta": {"count": 1}, "links": {"next": None}, "data": [{"version": version}]}
    pages = {
        "api": {"available_versions": {"v3": "v3/"}},
        place: {"namespace": namespace, "name": name, "highest_version": {"version": version}},
        f"{place}/versions": versions,
        f"{place}/versions/{version}": said,
    }
    for path, page in pages.items():
        (site / path).mkdir(parents=True, exist_ok=True)
        (site / path / "page.json").write_text(json.dumps(page), encoding="utf-8")
    (site / file).write_bytes(archive)
    return f"{namespace}.{name} {version}"


def handler(site: Path) -> type[Handler]:
    """What answers requests out of these files."""

    class Galaxy(Handler):
        def answer(self) -> None:
            path = (site / self.path.partition("?")[0].strip("/")).resolve()
            if path.is_relative_to(site) and path.suffix == ".gz" and path.is_file():
                self.send_body(200, path.read_bytes(), "application/gzip")
            elif path.is_relative_to(site) and (page := path / "page.json").is_file():
                self.send_body(200, page.read_bytes(), "application/json")
            else:
                self.send_json(404, {"message": "Not found."})

    return Galaxy
