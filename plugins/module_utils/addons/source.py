# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The source of an add-on, complete and with absolute paths."""

from __future__ import annotations

from pathlib import Path

from .draft import Draft, folder_of
from .finding import Finding, KeyPath
from .model import ChartSource, KustomizeSource, ManifestsSource, ObjectsSource, Source
from .node import Node, plain

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
NONE = ObjectsSource(())


def source_of(draft: Draft, files_dir: Path, findings: list[Finding]) -> Source:
    """The source, or an empty one after a finding."""
    node = draft.node
    if "chart" in node.map():
        return _chart(draft, node.map()["chart"], files_dir, findings)
    if "kustomize" in node.map():
        folder = _path(draft, "kustomize", node.map()["kustomize"], (), files_dir, findings)
        if folder is not None and not any((folder / name).is_file() for name in KUSTOMIZATIONS):
            findings.append(
                Finding(
                    "SLW-1106",
                    f"{folder} holds no kustomization.yaml",
                    (*draft.path, "kustomize"),
                    node.map()["kustomize"].position,
                )
            )
        return KustomizeSource(str(folder or ""))
    if "manifests" in node.map():
        written = node.map()["manifests"]
        items = list(enumerate(written.value)) if isinstance(written.value, list) else [(None, written)]
        found = [
            _path(draft, "manifests", item, () if at is None else (at,), files_dir, findings) for at, item in items
        ]
        return ManifestsSource(tuple(str(path) for path in found if path is not None))
    if "objects" in node.map():
        return ObjectsSource(tuple(plain(item) for item in draft.items("objects")))
    return NONE


def _path(draft: Draft, key: str, node: Node, below: KeyPath, files_dir: Path, findings: list[Finding]) -> Path | None:
    if node.failed or not isinstance(node.value, str):
        return None
    path = folder_of(draft, key, files_dir) / node.value
    if "\0" in node.value or not path.exists():
        findings.append(
            Finding(
                "SLW-1106",
                f"{node.value!r} does not exist" if not node.secret else "does not exist",
                (*draft.path, key, *below),
                node.position,
                advice=f"relative paths start from {folder_of(draft, key, files_dir)}",
            )
        )
        return None
    return path.absolute()


def _chart(draft: Draft, chart: Node, files_dir: Path, findings: list[Finding]) -> Source:
    def text(key: str) -> str:
        found = chart.at((key,))
        return found.value if found is not None and isinstance(found.value, str) else ""

    at = (*draft.path, "chart")
    position = chart.position if not chart.literal else draft.position
    version = draft.text("version") or text("version")
    failed = draft.broken or any(child.failed for child in chart.map().values())
    mine = draft.user.at(("chart", "path")) is not None
    if text("path") and (mine or draft.user.at(("chart", "repo")) is None):
        base = files_dir if mine or draft.entry is None else draft.entry.folder
        path = base / text("path")
        # What the user writes replaces what the catalog's entry says, whole.
        extra = [key for key in ("repo", "name") if text(key) and (not mine or draft.user.at(("chart", key)))]
        if extra:
            findings.append(
                Finding(
                    "SLW-1104",
                    f"has both 'path' and {extra[0]!r}",
                    at,
                    position,
                    advice="a chart comes from a path, or from a repository by repo, name, version",
                )
            )
        if "\0" in text("path") or not path.exists():
            findings.append(
                Finding(
                    "SLW-1106",
                    f"{text('path')!r} does not exist",
                    (*at, "path"),
                    chart.position_of(("path",)),
                    advice=f"relative paths start from {base}",
                )
            )
        elif path.is_dir() and not (path / "Chart.yaml").is_file():
            findings.append(
                Finding("SLW-1106", f"{path} holds no Chart.yaml", (*at, "path"), chart.position_of(("path",)))
            )
        return ChartSource(path=str(path.absolute()) if "\0" not in text("path") else "", version=version)
    if not failed:
        findings.extend(
            Finding(
                "SLW-1104",
                f"the chart lacks {key!r}",
                at,
                position,
                advice="a chart needs repo, name and version, or path",
            )
            for key in ("repo", "name")
            if not text(key)
        )
        wanted = draft.node.at(("version",))
        if not version and not (wanted is not None and wanted.failed):
            findings.append(
                Finding(
                    "SLW-1105",
                    "the chart's version is missing",
                    at,
                    position,
                    advice="write the exact version; what is installed must not depend on the day",
                )
            )
    digest = text("digest") if version == text("version") else ""
    return ChartSource(repo=text("repo"), name=text("name"), version=version, digest=digest)
