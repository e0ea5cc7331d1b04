# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Manifests, inline objects and kustomizations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import RenderError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.model import (
    Addon,
    KustomizeSource,
    ManifestsSource,
    ObjectsSource,
)
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.context import RenderContext
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.render import identity, render

from .conftest import program

Make = Callable[..., Addon]
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "manifests"
    write(root / "b.yaml", CONFIG % "b1" + "---\n---\n" + CONFIG % "b2")
    write(root / "a" / "x.yml", CONFIG % "x")
    write(root / "c.json", '{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "c"}}')
    write(root / ".hidden.yaml", "not: an object")
    write(root / ".git" / "d.yaml", "not: an object")
    write(root / "README.md", "not yaml: [")
    return root


def rendered_names(addon: Addon, ctx: RenderContext) -> list[str]:
    return [obj["metadata"]["name"] for obj in render(addon, ctx).objects]


def test_folders_are_read_in_order_of_path(folder: Path, addon: Make, offline: RenderContext) -> None:
    assert rendered_names(addon(ManifestsSource((str(folder),))), offline) == ["x", "b1", "b2", "c"]
    listed = ManifestsSource((str(folder / "b.yaml"), str(folder / "a")))
    assert rendered_names(addon(listed), offline) == ["b1", "b2", "x"]


def test_errors_of_manifests_name_the_file(folder: Path, addon: Make, offline: RenderContext) -> None:
    source = ManifestsSource((str(folder),))
    write(folder / "b.yaml", CONFIG % "b1" + "---\nkind: [\n")
    with pytest.raises(RenderError, match=r"SLW-2001 .*b\.yaml:6"):
        render(addon(source), offline)
    write(folder / "b.yaml", CONFIG % "b1" + "---\nkind: ConfigMap\n")
    with pytest.raises(RenderError, match=r"SLW-2002 .*b\.yaml: document 2: apiVersion"):
        render(addon(source), offline)
    write(folder / "b.yaml", CONFIG % "x")
    with pytest.raises(RenderError, match=r"SLW-2003 ConfigMap x stands twice"):
        render(addon(source), offline)


def test_nothing_to_install_is_an_error(tmp_path: Path, addon: Make, offline: RenderContext) -> None:
    write(tmp_path / "empty.yaml", "---\n")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe")
    sources = [
        ManifestsSource((str(tmp_path / "absent"),)),
        ManifestsSource((str(tmp_path / "empty.yaml"),)),
        ManifestsSource((str(tmp_path / "binary.yaml"),)),
        ObjectsSource(()),
        KustomizeSource(str(tmp_path)),
    ]
    for source in sources:
        with pytest.raises(RenderError, match="SLW-2004"):
            render(addon(source), offline)


def test_identity_of_manifests_follows_content_and_not_the_place(
    folder: Path, addon: Make, offline: RenderContext
) -> None:
    def now(root: Path) -> str:
        return identity(addon(ManifestsSource((str(root),))), offline)

    before = now(folder)
    copy = folder.parent / "elsewhere" / folder.name
    copy.parent.mkdir()
    folder.rename(copy)
    assert now(copy) == before
    write(copy / "README.md", "changed")
    assert now(copy) == before
    write(copy / "b.yaml", CONFIG % "changed")
    assert now(copy) != before


def test_inline_objects_are_copied_and_checked(addon: Make, offline: RenderContext) -> None:
    obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}
    one = addon(ObjectsSource((obj,)))
    rendered = render(one, offline)
    assert rendered.objects == (obj,)
    assert rendered.objects[0] is not obj
    assert (rendered.manifest, rendered.chart, rendered.hooks) == ("", None, ())
    reordered = {"metadata": {"name": "a"}, "kind": "Namespace", "apiVersion": "v1"}
    assert identity(addon(ObjectsSource((reordered,))), offline) == rendered.identity
    with pytest.raises(RenderError, match=r"objects\[0\]"):
        render(
            addon(ObjectsSource(({"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}, "spec": {1, 2}},))),
            offline,
        )


@pytest.fixture
def kustomization(tmp_path: Path) -> Path:
    root = tmp_path / "k"
    write(root / "base" / "kustomization.yaml", "resources: [cm.yaml]\n")
    write(root / "base" / "cm.yaml", CONFIG % "base")
    overlay = "resources: [../base]\nnamePrefix: my-\nconfigMapGenerator: [{name: g, files: [key=data.txt]}]\n"
    write(root / "overlay" / "kustomization.yaml", overlay)
    write(root / "overlay" / "data.txt", "one")
    return root / "overlay"


@pytest.fixture
def building(offline: RenderContext) -> RenderContext:
    return replace(offline, kustomize=(program("kubectl"), "kustomize"))


def test_kustomizations_are_built(kustomization: Path, addon: Make, building: RenderContext) -> None:
    base, generated = rendered_names(addon(KustomizeSource(str(kustomization))), building)
    assert base.startswith("my-") or generated.startswith("my-")
    assert len({base, generated}) == 2


def test_kustomize_errors_are_cleaned(kustomization: Path, addon: Make, building: RenderContext) -> None:
    write(kustomization / "kustomization.yaml", "resources: [../absent]\n")
    with pytest.raises(RenderError, match=r"absent") as caught:
        render(addon(KustomizeSource(str(kustomization))), building)
    assert caught.value.code == "SLW-2012"
    assert "error: " not in caught.value.message[: len(str(kustomization)) + 10]


def test_identity_of_a_kustomization_reaches_its_bases(
    kustomization: Path, addon: Make, offline: RenderContext
) -> None:
    def now() -> str:
        return identity(addon(KustomizeSource(str(kustomization))), offline)

    seen = [now()]
    assert now() == seen[0]
    write(kustomization.parent / "unrelated" / "x.yaml", "a: 1")
    assert now() == seen[0]
    write(kustomization / "data.txt", "two")
    seen.append(now())
    write(kustomization.parent / "base" / "cm.yaml", CONFIG % "other")
    seen.append(now())
    write(kustomization.parent / "base" / "kustomization.yaml", "resources: [cm.yaml, ../more/extra.yaml]\n")
    write(kustomization.parent / "more" / "extra.yaml", CONFIG % "extra")
    seen.append(now())
    write(kustomization.parent / "more" / "extra.yaml", CONFIG % "extra2")
    seen.append(now())
    assert len(set(seen)) == len(seen)
