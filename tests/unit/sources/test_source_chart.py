# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Reading charts: folders, archives, .helmignore, and the part that Helm stores."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import RenderError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.chart import (
    content_digest,
    load_chart,
    read_files,
    require_dependencies,
)
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.chart_object import chart_object
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.helm import Helm, encode_values
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.ignore import IgnoreRules

CHARTS = Path(__file__).parent / "charts"


def packed(folder: Path, target: Path) -> Path:
    with tarfile.open(target, "w:gz") as archive:
        archive.add(folder, folder.name)
    return target


def without_times(files: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{"name": file["name"], "data": file["data"]} for file in files]


@pytest.mark.parametrize(
    "values", [{}, {"sub": {"enabled": False}}, {"tags": {"pair": False}, "extra": {"enabled": True}}]
)
def test_chart_part_is_what_helm_makes(helm4: Helm, values: dict[str, Any]) -> None:
    path = str(CHARTS / "full")
    argv = [helm4.binary, "install", "rel", path, "--dry-run=client", "--output", "json", "--values", "-"]
    done = subprocess.run(argv, env=helm4.environment({}), input=encode_values(values), capture_output=True, check=True)
    theirs = json.loads(done.stdout)["chart"]
    ours = chart_object(load_chart(path), values)
    for part in ("metadata", "lock", "values", "schema"):
        assert ours[part] == theirs[part], part
    for part in ("templates", "files"):
        assert ours[part] == without_times(theirs[part]), part


def test_an_archive_is_the_same_chart(tmp_path: Path) -> None:
    folder, archive = load_chart(str(CHARTS / "gated")), load_chart(str(packed(CHARTS / "gated", tmp_path / "g.tgz")))
    assert chart_object(folder, {}) == chart_object(archive, {})
    assert content_digest(str(CHARTS / "gated")) == content_digest(str(tmp_path / "g.tgz"))


def test_helmignore_leaves_files_out() -> None:
    names = read_files(str(CHARTS / "full"))
    assert "notes/a.md" in names
    assert not {"ci/x.yaml", "old.bak", "notes/a.txt"} & names.keys()


@pytest.mark.parametrize(
    ("rules", "path", "is_folder", "ignored"),
    [
        ("*.bak", "deep/down/a.bak", False, True),
        ("/a/*.txt", "a/b.txt", False, True),
        ("/a/*.txt", "a/b/c.txt", False, False),
        ("a/b", "x/a/b", False, False),
        ("ci/", "ci", True, True),
        ("ci/", "ci", False, False),
        ("[!a]?.md", "ab.md", False, True),
        ("[^a]?.md", "ab.md", False, False),
        ("# *.md", "a.md", False, False),
        ("!keep.md", "other.md", False, True),
        ("!keep.md", "keep.md", False, False),
        ("", "templates/.hidden", False, True),
    ],
)
def test_ignore_rules(rules: str, path: str, is_folder: bool, ignored: bool) -> None:
    assert IgnoreRules(rules).ignores(path, is_folder) is ignored


def test_missing_dependency_says_what_to_run() -> None:
    with pytest.raises(RenderError, match="helm dependency build") as caught:
        require_dependencies(load_chart(str(CHARTS / "lacking")))
    assert caught.value.code == "SLW-2006"
    assert "database" in caught.value.message


def test_what_is_no_chart_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.tgz").write_text("text")
    (tmp_path / "cut.tgz").write_bytes(packed(CHARTS / "full", tmp_path / "full.tgz").read_bytes()[:300])
    for name in ("absent", "empty", "text.tgz", "cut.tgz"):
        with pytest.raises(RenderError) as caught:
            load_chart(str(tmp_path / name))
        assert caught.value.code == "SLW-2005"
        assert name in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "name: [a]\nversion: 0.1.0",
        "name: a\nversion: {}",
        "name: a\nversion: 0.1.0\ndependencies: 5",
        "name: a\nversion: 0.1.0\ndependencies: [x]",
        "name: a\nversion: 0.1.0\ndependencies: [{name: b, tags: 3}]",
        "name: a\nversion: 0.1.0\nannotations: [x]",
        "name: a\nversion: 0.1.0\nsources: 7",
    ],
)
def test_broken_metadata_is_a_coded_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "Chart.yaml").write_text(text)
    with pytest.raises(RenderError, match="SLW-2005"):
        load_chart(str(tmp_path))


def test_a_pattern_that_is_none_is_a_coded_error() -> None:
    with pytest.raises(RenderError, match="SLW-2005"):
        IgnoreRules("[z-a]")


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "x"])
def test_archives_that_point_outside_are_refused(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "bad.tgz", "w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    with pytest.raises(RenderError, match="SLW-2005"):
        read_files(str(tmp_path / "bad.tgz"))


def test_digest_follows_names_and_bytes(tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text("name: a\nversion: 0.1.0\n")
    seen = {content_digest(str(tmp_path))}
    (tmp_path / "b").write_text("x")
    seen.add(content_digest(str(tmp_path)))
    (tmp_path / "b").rename(tmp_path / "c")
    seen.add(content_digest(str(tmp_path)))
    (tmp_path / "c").write_text("y")
    seen.add(content_digest(str(tmp_path)))
    assert len(seen) == 4
