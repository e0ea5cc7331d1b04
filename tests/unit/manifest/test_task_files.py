# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Hooks in the manifest: which files, from which folder, and what is no list of tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.finding import Position
from ansible_collections.slipway.cluster.plugins.module_utils.addons.manifest import ManifestInput, load

from .support import PlainEvaluator, errors_of, run, variables_of

TASKS = "- name: Wait\n  ansible.builtin.pause: {seconds: 1}\n"
OBJECTS = "objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}]"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hooks").mkdir()
    for name in ("one.yml", "two.yml"):
        (tmp_path / "hooks" / name).write_text(TASKS, encoding="utf-8")
    return tmp_path


def test_texts_and_lists_in_the_order_of_events_and_of_writing(folder: Path) -> None:
    manifest, findings = run(
        f"""
slipway_capabilities: [default-storage-class]
slipway_addons:
  a:
    {OBJECTS}
    provides: [db]
    hooks:
      after_remove: hooks/one.yml
      before_install: [hooks/two.yml, hooks/one.yml, hooks/two.yml]
      after_upgrade: null
""",
        files_dir=str(folder),
    )
    assert manifest is not None, findings
    hooks = manifest.addons["a"].hooks
    names = ["before_install hooks/two.yml", "before_install hooks/one.yml", "after_remove hooks/one.yml"]
    assert [hook.name for hook in hooks] == names
    assert [hook.file for hook in hooks] == [str(folder / "hooks" / f"{n}.yml") for n in ("two", "one", "one")]
    assert manifest.capabilities == ("db", "default-storage-class")


def test_the_catalogs_hooks_start_from_its_folder_and_the_users_replace_them_by_event(folder: Path) -> None:
    catalog = folder / "catalog"
    (catalog / "tasks").mkdir(parents=True)
    (catalog / "tasks" / "seed.yml").write_text(TASKS, encoding="utf-8")
    (catalog / "shop.yml").write_text(
        f"{OBJECTS}\nhooks: {{before_install: tasks/seed.yml, before_remove: tasks/seed.yml}}\n", encoding="utf-8"
    )
    manifest, findings = run(
        "slipway_addons: {shop: {hooks: {before_remove: [hooks/one.yml]}}}",
        catalogs=(str(catalog),),
        files_dir=str(folder),
    )
    assert manifest is not None, findings
    assert [hook.file for hook in manifest.addons["shop"].hooks] == [
        str(catalog / "tasks" / "seed.yml"),
        str(folder / "hooks" / "one.yml"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("hosts: all\n", 1, "is no list"),
        ("- name: Play\n  hosts: all\n  tasks: []\n", 1, "is a playbook"),
        (TASKS + "- just text\n", 3, "no task"),
        ("# later\n", 0, "is empty"),
        (TASKS + "- name: [\n", 4, "is not YAML"),
        (TASKS + "---\n" + TASKS, 3, "is not YAML"),
    ],
)
def test_what_is_no_list_of_tasks(text: str, line: int, said: str, folder: Path) -> None:
    file = folder / "hooks" / "bad.yml"
    file.write_text(text, encoding="utf-8")
    _manifest, findings = run(
        f"slipway_addons: {{a: {{{OBJECTS}, hooks: {{before_install: [hooks/one.yml, hooks/bad.yml]}}}}}}",
        files_dir=str(folder),
    )
    (found,) = errors_of(findings)
    assert (found.code, found.position.source, found.position.line) == ("SLW-1412", str(file), line)
    assert found.path == ("slipway_addons", "a", "hooks", "before_install", 1)
    assert said in found.message


def test_tags_that_only_ansible_knows_and_vaulted_files_are_left_to_it(folder: Path) -> None:
    (folder / "hooks" / "one.yml").write_text("- name: !unsafe x\n  vars: {p: !vault x}\n", encoding="utf-8")
    (folder / "hooks" / "two.yml").write_text("$ANSIBLE_VAULT;1.1;AES256\n6162\n", encoding="utf-8")
    manifest, findings = run(
        f"slipway_addons: {{a: {{{OBJECTS}, hooks: {{before_install: [hooks/one.yml, hooks/two.yml]}}}}}}",
        files_dir=str(folder),
    )
    assert manifest is not None, findings


def test_a_missing_file_is_told_where_it_is_named_with_all_other_findings(folder: Path) -> None:
    _manifest, findings = run(
        f"""
slipway_addons:
  a:
    {OBJECTS}
    hooks:
      before_install: hooks/three.yml
      after_install: [hooks]
      before_upgrad: hooks/one.yml
      before_remove: 3
""",
        files_dir=str(folder),
    )
    found = [(finding.code, finding.position.line) for finding in errors_of(findings)]
    assert found == [("SLW-1001", 8), ("SLW-1002", 9)]
    _manifest, findings = run(
        f"""
slipway_addons:
  a:
    {OBJECTS}
    hooks:
      before_install: hooks/three.yml
      after_install: [hooks]
""",
        files_dir=str(folder),
    )
    assert [(f.code, f.position.line, f.path[-1]) for f in errors_of(findings)] == [
        ("SLW-1411", 6, "before_install"),
        ("SLW-1411", 7, 0),
    ]
    assert str(folder) in errors_of(findings)[0].advice


def test_every_file_gets_a_second_look_by_who_knows_tasks(folder: Path) -> None:
    bad = Position(str(folder / "hooks" / "two.yml"), 2, 3)
    hooks = "hooks: {after_upgrade: [hooks/one.yml, hooks/two.yml]}"
    source = f"slipway_name: x\nslipway_addons: {{a: {{{OBJECTS}, {hooks}}}}}"
    manifest, findings = load(
        ManifestInput(
            variables_of(source),
            PlainEvaluator(),
            lambda name: None,
            files_dir=str(folder),
            tasks=lambda file: (bad, "no such module") if file == bad.source else None,
        )
    )
    assert manifest is None
    (found,) = errors_of(findings)
    assert (found.code, found.position) == ("SLW-1413", bad)
    assert found.path == ("slipway_addons", "a", "hooks", "after_upgrade")
    assert found.message == "'hooks/two.yml' cannot be read: no such module"
