# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A chart's files, as Helm sees them: a folder or a ``.tgz``, sub-charts included."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import RenderError
from . import yaml
from .codes import BAD_CHART, MISSING_DEPENDENCY
from .ignore import IgnoreRules

_BOM = b"\xef\xbb\xbf"
_MAX_FILE = 5 * 1024 * 1024
_MAX_CHART = 100 * 1024 * 1024
_OWN_NAMES = frozenset(["Chart.yaml", "Chart.lock", "values.yaml", "values.schema.json"])
_LEGACY_NAMES = frozenset(["requirements.yaml", "requirements.lock"])

Files = dict[str, bytes]


@dataclass
class Chart:
    """One chart. ``files`` are those of the chart itself, by path, in Helm's order; ``location`` is for errors."""

    location: str
    metadata: dict[str, Any]
    lock: dict[str, Any] | None
    values: dict[str, Any]
    schema: bytes | None
    files: Files
    subcharts: list[Chart] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.metadata.get("name", ""))

    @property
    def version(self) -> str:
        return str(self.metadata.get("version", ""))

    @property
    def app_version(self) -> str:
        return str(self.metadata.get("appVersion") or "")

    @property
    def templates(self) -> Files:
        return {name: data for name, data in self.files.items() if name.startswith("templates/")}

    @property
    def other_files(self) -> Files:
        """What is neither a template nor has a meaning of its own: README, CRDs, files for ``.Files``."""
        own = _OWN_NAMES if self.metadata.get("apiVersion") == "v1" else _OWN_NAMES | _LEGACY_NAMES
        return {n: data for n, data in self.files.items() if not n.startswith("templates/") and n not in own}

    def all(self) -> Iterator[Chart]:
        """This chart and all below it."""
        yield self
        for subchart in self.subcharts:
            yield from subchart.all()


def load_chart(path: str) -> Chart:
    """The chart in a folder or ``.tgz``. Raises RenderError SLW-2005."""
    return _build(read_files(path), path)


def read_files(path: str) -> Files:
    """All files of the chart by relative path, sub-charts included. Raises RenderError SLW-2005."""
    try:
        if Path(path).is_dir():
            return dict(_folder_files(Path(path)))
        if Path(path).is_file():
            return _archive_files(Path(path).read_bytes(), path)
    except OSError as err:
        raise RenderError(BAD_CHART, f"{path}: {err.strerror}") from None
    raise RenderError(BAD_CHART, f"{path}: there is no such chart", "a chart is a folder with a Chart.yaml, or a .tgz")


def content_digest(path: str) -> str:
    """A digest of the chart's content: names and bytes. Raises RenderError SLW-2005."""
    digest = hashlib.sha256()
    for name, data in sorted(read_files(path).items()):
        digest.update(f"{len(name)}:{name}{len(data)}:".encode(errors="surrogateescape"))
        digest.update(data)
    return digest.hexdigest()


def require_dependencies(chart: Chart) -> None:
    """Raises RenderError SLW-2006 where charts named in Chart.yaml are not in ``charts/``."""
    present = {subchart.name for subchart in chart.subcharts}
    missing = [str(dep.get("name")) for dep in dependencies(chart) if dep.get("name") not in present]
    if missing:
        raise RenderError(
            MISSING_DEPENDENCY,
            f"{chart.location}: charts/ lacks {', '.join(missing)}",
            f"run: helm dependency build {chart.location}",
        )


def dependencies(chart: Chart) -> list[dict[str, Any]]:
    return [dep for dep in chart.metadata.get("dependencies") or [] if isinstance(dep, dict)]


def _folder_files(root: Path) -> Iterator[tuple[str, bytes]]:
    ignore_file = root / ".helmignore"
    rules = IgnoreRules(ignore_file.read_text("utf-8", "replace") if ignore_file.is_file() else "")

    def walk(folder: Path, prefix: str) -> Iterator[tuple[str, bytes]]:
        for entry in sorted(os.scandir(folder), key=lambda item: item.name):
            name = prefix + entry.name
            if rules.ignores(name, entry.is_dir()):
                continue
            if entry.is_dir():
                yield from walk(Path(entry.path), name + "/")
            elif not entry.is_file():
                raise RenderError(BAD_CHART, f"{entry.path} is neither a file nor a folder")
            elif entry.stat().st_size > _MAX_FILE:
                raise RenderError(BAD_CHART, f"{entry.path} is larger than the 5 MiB that Helm allows")
            else:
                yield name, Path(entry.path).read_bytes().removeprefix(_BOM)

    return walk(root, "")


def _archive_files(data: bytes, location: str) -> Files:
    files: Files = {}
    left = _MAX_CHART
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
            for member in archive:
                if not member.isfile():
                    continue
                left -= member.size
                name = _inner_name(member.name, location)
                stream = archive.extractfile(member)
                if member.size > _MAX_FILE or left < 0 or stream is None:
                    raise RenderError(BAD_CHART, f"{location}: {member.name} is larger than Helm allows")
                files[name] = stream.read().removeprefix(_BOM)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as err:
        raise RenderError(BAD_CHART, f"{location} is no chart archive: {err}") from None
    return files


def _inner_name(name: str, location: str) -> str:
    """The path below the archive's one top folder."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if len(parts) < 2 or parts[0] == "/" or ".." in parts:
        raise RenderError(BAD_CHART, f"{location}: {name} lies outside the chart's folder")
    return "/".join(parts[1:])


def _build(files: Files, location: str) -> Chart:
    own = {name: data for name, data in files.items() if not name.startswith("charts/") or name.endswith(".prov")}
    metadata = _mapping(own, "Chart.yaml", location)
    if metadata is None:
        raise RenderError(BAD_CHART, f"{location}: Chart.yaml is missing")
    metadata.setdefault("apiVersion", "v1")
    # requirements.yaml and .lock are the places of apiVersion v1; Helm still reads them
    metadata.update(_mapping(own, "requirements.yaml", location) or {})
    _check_metadata(metadata, location)
    lock = _mapping(own, "Chart.lock", location) or _mapping(own, "requirements.lock", location)
    values = _mapping(own, "values.yaml", location) or {}
    chart = Chart(location, metadata, lock, values, own.get("values.schema.json"), own)
    chart.subcharts = [_subchart(name, inner, location) for name, inner in _subchart_files(files).items()]
    return chart


def _check_metadata(metadata: dict[str, Any], location: str) -> None:
    """As far as the types are relied on here. Raises RenderError SLW-2005."""
    for name in ("name", "version"):
        # Helm takes a version that YAML reads as a number
        if not isinstance(metadata.get(name), (str, int, float)) or not metadata[name]:
            raise RenderError(BAD_CHART, f"{location}: Chart.yaml has no {name}")
    lists = ("sources", "keywords", "maintainers", "dependencies")
    checks: list[tuple[dict[str, Any], str, type]] = [(metadata, name, list) for name in lists]
    checks.append((metadata, "annotations", dict))
    declared = metadata.get("dependencies")
    for dep in declared if isinstance(declared, list) else []:
        if not isinstance(dep, dict) or not isinstance(dep.get("name"), str):
            raise RenderError(BAD_CHART, f"{location}: Chart.yaml has a dependency without a name")
        checks += [(dep, "tags", list), (dep, "import-values", list), (dep, "alias", str), (dep, "condition", str)]
    for mapping, name, kind in checks:
        if mapping.get(name) and not isinstance(mapping[name], kind):
            raise RenderError(BAD_CHART, f"{location}: Chart.yaml: {name} is of the wrong type")


def _subchart_files(files: Files) -> dict[str, Files]:
    found: dict[str, Files] = {}
    for path, data in files.items():
        name, slash, inner = path.removeprefix("charts/").partition("/")
        usable = path.startswith("charts/") and not path.endswith(".prov") and name[0] not in "_."
        if usable and (slash or name.endswith(".tgz")):
            found.setdefault(name, {})[inner] = data
    return found


def _subchart(name: str, files: Files, parent: str) -> Chart:
    location = f"{parent}/charts/{name}"
    return _build(_archive_files(files[""], location) if name.endswith(".tgz") else files, location)


def _mapping(files: Files, name: str, location: str) -> dict[str, Any] | None:
    """The first document of a file of the chart, None where the file is absent or empty."""
    data = files.get(name)
    if data is None:
        return None
    documents = yaml.load_all(data.decode("utf-8", "replace"), f"{location}/{name}", strict=False)
    first = documents[0] if documents else None
    if first is not None and not isinstance(first, dict):
        raise RenderError(BAD_CHART, f"{location}/{name} is no mapping")
    return first
