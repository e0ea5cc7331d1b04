# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The lab's sample charts as packages: the same bytes from the same files, with an index."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import yaml

from lab.paths import SOURCE

CHARTS = SOURCE / "charts"
# Packages must not differ from one day to the next, so all their times are this one.
TIME = "2026-01-01T00:00:00Z"


def publish(target: Path, charts: Path = CHARTS) -> None:
    """Package every chart folder in ``charts`` into ``target`` and write ``index.yaml``.

    A repository that is being served can be published again: each file is exchanged in one step.
    """
    target.mkdir(exist_ok=True)
    entries: dict[str, list[dict[str, Any]]] = {}
    keep = {"index.yaml"}
    for definition in sorted(charts.glob("*/Chart.yaml")):
        chart = yaml.safe_load(definition.read_text())
        package = _package(definition.parent, chart["name"])
        file = f"{chart['name']}-{chart['version']}.tgz"
        _exchange(target / file, package)
        keep.add(file)
        about = {"urls": [file], "digest": hashlib.sha256(package).hexdigest(), "created": TIME}
        entries.setdefault(chart["name"], []).append(chart | about)
    for versions in entries.values():
        versions.sort(key=lambda chart: _version_order(chart["version"]), reverse=True)
    index = {"apiVersion": "v1", "generated": TIME, "entries": entries}
    _exchange(target / "index.yaml", yaml.safe_dump(index, sort_keys=True).encode())
    for stale in target.iterdir():
        if stale.name not in keep:
            stale.unlink()


def _package(folder: Path, name: str) -> bytes:
    content = io.BytesIO()
    # Chart.yaml leads, as in packages made by Helm; some readers look at the first entries only.
    files = sorted(
        (path for path in folder.rglob("*") if path.is_file()), key=lambda path: (path != folder / "Chart.yaml", path)
    )
    with tarfile.open(fileobj=content, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in files:
            entry = tarfile.TarInfo(f"{name}/{path.relative_to(folder)}")
            data = path.read_bytes()
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(content.getvalue(), mtime=0)


def _exchange(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.new")
    draft.write_bytes(data)
    draft.replace(path)


def _version_order(version: str) -> tuple[list[int], bool, str]:
    numbers, dash, suffix = version.partition("+")[0].partition("-")
    return [int(part) for part in numbers.split(".")], not dash, suffix
