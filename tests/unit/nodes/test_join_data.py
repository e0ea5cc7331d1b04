# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a machine is told, in each format, read back by what reads it; and what cannot be told."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.join_data import (
    ENV,
    Asked,
    Cluster,
    JoinData,
    is_name,
    read,
    repeated,
)
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.join_formats import FORMATS, SUFFIXES

Json = dict[str, Any]
HASH = "sha256:" + "0f" * 32
TOKEN = "abcdef.0123456789abcdef"
CLUSTER = Cluster(TOKEN, HASH, "192.0.2.10:6443")
ASKED = Asked(
    "w7", "192.0.2.7", HASH, ["dedicated=batch:NoSchedule", "spot:NoExecute"], {"/etc/motd": {"content": "über\n"}}
)
EXPECTED = f"""\
SLIPWAY_NAME=w7
SLIPWAY_ADDRESS=192.0.2.7
SLIPWAY_TOKEN={TOKEN}
SLIPWAY_CA_HASH={HASH}
SLIPWAY_ENDPOINT=192.0.2.10:6443
SLIPWAY_TAINTS=dedicated=batch:NoSchedule,spot=:NoExecute
SLIPWAY_IMAGE={HASH}
"""


def data(asked: Asked = ASKED, cluster: Cluster = CLUSTER) -> JoinData:
    found, problems = read(asked, cluster)
    assert problems == []
    assert found is not None
    return found


def codes(asked: Asked = ASKED, cluster: Cluster = CLUSTER) -> list[str]:
    found, problems = read(asked, cluster)
    assert found is None
    assert all(TOKEN not in str(problem) for problem in problems)
    return [problem.code for problem in problems]


def files_of(kind: str, text: str) -> dict[str, tuple[str, int]]:
    """By path content and mode, as the reader of each format understands it."""
    body = yaml.safe_load(text)
    if kind == "cloud-init":
        return {one["path"]: (one["content"], int(one["permissions"], 8)) for one in body["write_files"]}
    files = body["storage"]["files"]
    if kind == "ignition":
        head = "data:;base64,"
        sources = {one["path"]: one["contents"]["source"] for one in files}
        assert all(source.startswith(head) for source in sources.values())
        return {one["path"]: (decoded(sources[one["path"]][len(head) :]), one["mode"]) for one in files}
    return {one["path"]: (one["contents"]["inline"], one["mode"]) for one in files}


def decoded(text: str) -> str:
    return base64.b64decode(text).decode()


def test_the_file_that_the_image_reads() -> None:
    assert data().env() == EXPECTED


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_brings_the_same_files(kind: str) -> None:
    found = files_of(kind, FORMATS[kind](data()))
    if kind != "cloud-init":
        assert found.pop("/etc/hostname") == ("w7\n", 0o644)
    assert found == {ENV: (EXPECTED, 0o600), "/etc/motd": ("über\n", 0o644)}
    assert kind in SUFFIXES


def test_cloud_init() -> None:
    text = FORMATS["cloud-init"](data())
    assert text.startswith("#cloud-config\n")
    body = yaml.safe_load(text)
    assert body["hostname"] == "w7"
    assert body["runcmd"] == [["systemctl", "start", "--no-block", "slipway-join.service"]]
    assert isinstance(body["write_files"][0]["permissions"], str), "as a number it would be read as decimal"


def test_ignition() -> None:
    body = json.loads(FORMATS["ignition"](data()))
    assert body["ignition"] == {"version": "3.4.0"}
    assert body["systemd"] == {"units": [{"name": "slipway-join.service", "enabled": True}]}
    assert all(one["overwrite"] for one in body["storage"]["files"])


@pytest.mark.parametrize(("kind", "version"), [("butane-fcos", "1.5.0"), ("butane-flatcar", "1.1.0")])
def test_butane(kind: str, version: str) -> None:
    body = yaml.safe_load(FORMATS[kind](data()))
    assert (body["variant"], body["version"]) == (kind.partition("-")[2], version)


def test_a_users_own_host_name_is_left() -> None:
    own = replace(ASKED, files={"/etc/hostname": {"content": "mine\n", "mode": "0600"}})
    assert files_of("ignition", FORMATS["ignition"](data(own)))["/etc/hostname"] == ("mine\n", 0o600)


class Tagged(str):
    """As Ansible's own, which do not turn into plain text by themselves."""

    def __str__(self) -> str:
        return self


@pytest.mark.parametrize("kind", FORMATS)
def test_texts_of_ansibles_own_are_written_as_texts(kind: str) -> None:
    own = replace(ASKED, files={Tagged("/etc/motd"): {"content": Tagged("x\n"), "mode": Tagged("0600")}})
    assert files_of(kind, FORMATS[kind](data(own)))["/etc/motd"] == ("x\n", 0o600)


def test_nothing_shows_the_token() -> None:
    assert TOKEN not in repr(data())


@pytest.mark.parametrize(
    "name", ["", "W7", "w7.", "-w7", "w_7", "w7\n", "w7 ", "a" * 64, "w7;reboot", "$(id)", "w..7", "ü"]
)
def test_names_that_no_node_can_have(name: str) -> None:
    assert set(codes(replace(ASKED, name=name))) == {"SLW-8701"}


@pytest.mark.parametrize("address", ["", "w7", "10.0.0", "10.0.0.256", "10.0.0.1/24", "fe80::1%eth0", "010.0.0.1"])
def test_addresses_that_are_none(address: str) -> None:
    assert codes(replace(ASKED, address=address)) == ["SLW-8701"]


@pytest.mark.parametrize(
    "cluster",
    [
        replace(CLUSTER, token="abcdef"),
        replace(CLUSTER, token=TOKEN.upper()),
        replace(CLUSTER, token=TOKEN + "\n"),
        replace(CLUSTER, ca_hash="sha256:" + "0F" * 32),
        replace(CLUSTER, ca_hash="0f" * 32),
        replace(CLUSTER, endpoint="192.0.2.10"),
        replace(CLUSTER, endpoint="192.0.2.10:0"),
        replace(CLUSTER, endpoint="192.0.2.10:06443"),
        replace(CLUSTER, endpoint="[FD00::1]:6443"),
        replace(CLUSTER, endpoint="192.0.2.10:65536"),
        replace(CLUSTER, endpoint="https://192.0.2.10:6443"),
        replace(CLUSTER, endpoint="192.0.2.300:6443"),
        replace(CLUSTER, endpoint="fd00::1:6443"),
        replace(CLUSTER, endpoint="a b:6443"),
    ],
)
def test_clusters_that_nobody_finds(cluster: Cluster) -> None:
    assert codes(cluster=cluster) == ["SLW-8701"]


@pytest.mark.parametrize("endpoint", ["api.example.com:6443", "[fd00::1]:6443", "API.example.com:443"])
def test_other_endpoints(endpoint: str) -> None:
    assert f"SLIPWAY_ENDPOINT={endpoint}\n" in data(cluster=replace(CLUSTER, endpoint=endpoint)).env()


def test_taints_are_checked_as_those_of_other_nodes() -> None:
    assert codes(replace(ASKED, taints=["a=b:NoWay", "c"])) == ["SLW-8604", "SLW-8604"]
    assert codes(replace(ASKED, taints="a=b:NoSchedule")) == ["SLW-8601"]


@pytest.mark.parametrize(
    ("path", "entry"),
    [
        ("etc/motd", {"content": ""}),
        ("/etc/../etc/motd", {"content": ""}),
        ("/etc/motd/", {"content": ""}),
        ("/", {"content": ""}),
        ("/etc/a\nb", {"content": ""}),
        ("/etc/slipway/join.env", {"content": ""}),
        ("/etc/kubernetes/kubelet.env", {"content": ""}),
        ("/usr/local/lib/slipway/join", {"content": ""}),
        ("/etc/motd", "text"),
        ("/etc/motd", {}),
        ("/etc/motd", {"content": 3}),
        ("/etc/motd", {"content": "", "mode": 420}),
        ("/etc/motd", {"content": "", "mode": "4755"}),
        ("/etc/motd", {"content": "", "mode": None}),
        ("/etc/motd", {"content": "", "owner": "me"}),
    ],
)
def test_files_that_are_not_written(path: str, entry: object) -> None:
    assert codes(replace(ASKED, files={path: entry})) == ["SLW-8702"]


def test_all_problems_at_once() -> None:
    wrong = Asked("W", "x", "y", ["z"], ["f"])
    assert sorted(codes(wrong, replace(CLUSTER, token="t"))) == [*["SLW-8604"], *["SLW-8701"] * 4, "SLW-8702"]


def test_two_of_a_batch_cannot_be_one() -> None:
    found = [str(one) for one in repeated(["a", "b", "a"], ["10.0.0.1", "fd00::1", "fd00:0::1"])]
    assert len(found) == 2
    assert "name a" in found[0]
    assert "address fd00::1" in found[1]
    assert repeated(["a", "b"], ["10.0.0.1", "10.0.0.2"]) == []


@given(st.text(max_size=70))
def test_a_name_is_one_line_without_anything_that_a_shell_reads(text: str) -> None:
    if is_name(text):
        assert set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
        assert data(replace(ASKED, name=text)).env().count("\n") == 7


@example("\x85")
@example("a\u2028b\r\n\ttab ")
@settings(max_examples=40, deadline=None)
@given(st.text(max_size=200))
def test_content_survives_every_format(content: str) -> None:
    asked = replace(ASKED, files={"/etc/any": {"content": content}})
    try:
        content.encode()
    except UnicodeEncodeError:
        return
    for kind, render in FORMATS.items():
        assert files_of(kind, render(data(asked)))["/etc/any"][0] == content
