# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is known of the variables of a collection, and when it is derived anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kubespray import index as index_module
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.index import Index, load


@pytest.fixture
def index(collection: Path, tmp_path: Path) -> Index:
    return load(collection, tmp_path / "cache")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("kube_network_plugin", "default"),
        ("several", "default"),
        ("calico_mode", "default"),
        ("calico_mtu", "input"),
        ("peers_of_calico", "input"),
        ("access_ip", "input"),
        ("ip", "input"),
        ("node", "input"),
        ("node_colour", "input"),
        ("by_key", "input"),
        ("unused_filter", "input"),
        ("kubeadm_token", "input"),
        ("by_pattern", "input"),
        ("kubelet_checksums", "internal"),
        ("calico_out", "internal"),
        ("main_ip", "internal"),
        ("kubelet_gone", "removed"),
        ("lowest", None),
        ("etcd_setup", None),
        ("peer", None),
        ("host", None),
        ("shown", None),
        ("text", None),
        ("line", None),
        ("item", None),
        ("hostvars", None),
        ("ansible_facts", None),
        ("cacheable", None),
        ("molecule_only", None),
        ("files_only", None),
        ("broken_words", None),
        ("data", None),
    ],
)
def test_each_name_is_one_thing(index: Index, name: str, kind: str | None) -> None:
    assert index.kind(name) == kind
    assert (name in index.names) == (kind is not None)


def test_types_are_guessed_where_all_defaults_agree(index: Index) -> None:
    wanted = {
        "kube_network_plugin": "str",
        "kube_proxy_strict_arp": "bool",
        "etcd_retries": "int",
        "dns_servers": "list",
        "calico_felix": "dict",
        "calico_felix_level": "float",
        "kube_version": "any",
        "several": "any",
    }
    assert {name: index.defaults[name] for name in wanted} == wanted


def test_a_default_that_nothing_reads_is_told(index: Index) -> None:
    assert index.unread == {"old_and_unread"}, "names put together at run time are read"


def test_what_may_be_a_variable_is_neither_judged_nor_proposed(index: Index) -> None:
    assert {"lowest", "peer", "broken_words", "removed_vars"} <= index.local


def test_the_version_comes_from_the_collection(index: Index) -> None:
    assert index.version == "2.99.0"


def test_a_second_look_derives_nothing(collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(collection, tmp_path / "cache")
    monkeypatch.setattr(index_module, "derive", lambda path: pytest.fail("derived again"))
    assert load(collection, tmp_path / "cache") == first


@pytest.mark.parametrize("installed", [True, False], ids=["installed", "from sources"])
def test_other_files_are_looked_at_again(collection: Path, tmp_path: Path, installed: bool) -> None:
    if not installed:
        (collection / "FILES.json").unlink()
    load(collection, tmp_path / "cache")
    (collection / "roles/main/defaults/more.yml").write_text("arrived: 1\n")
    if installed:
        (collection / "FILES.json").write_text("another list")
    assert load(collection, tmp_path / "cache").kind("arrived") == "default"


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"version": 1, "defaults": {}}'])
def test_a_spoilt_cache_costs_time_and_nothing_else(collection: Path, tmp_path: Path, content: str) -> None:
    first = load(collection, tmp_path / "cache")
    (cached,) = (tmp_path / "cache").iterdir()
    cached.write_text(content)
    assert load(collection, tmp_path / "cache") == first
    assert load(collection, tmp_path / "cache") == first


def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(collection: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert load(collection, tmp_path / "file" / "cache").kind("several") == "default"


def test_the_cache_belongs_to_its_user(collection: Path, tmp_path: Path) -> None:
    load(collection, tmp_path / "new" / "cache")
    assert (tmp_path / "new" / "cache").stat().st_mode & 0o077 == 0


def test_no_collection_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"galaxy\.yml"):
        load(tmp_path, tmp_path / "cache")


def test_a_manifest_without_version_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "galaxy.yml").write_text("namespace: kubernetes_sigs\n")
    with pytest.raises(ValueError, match="no usable manifest"):
        load(tmp_path, tmp_path / "cache")
