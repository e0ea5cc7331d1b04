# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What runs on nodes: it is written for their Python, and gives a reader what the records say."""

from __future__ import annotations

import ast
import base64
import gzip
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.record import Record, RecordedObject, ReleaseState
from ansible_collections.slipway.cluster.plugins.module_utils.addons.record import to_config_map as written
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import AccessError
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node import accounts as a
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.kubeconfig import access_of
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.reader_rules import readable
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.veil import new_key, unveil, veil

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
MODULES = ("cluster_access", "etcd_snapshot", "join_token", "node_lock", "service_account_token")
OF_OURS = "ansible_collections.slipway.cluster.plugins.module_utils."
# A Python of 3.8 has all of them; what else is imported has to be there in any case.
ELSEWHERE = {"ansible.module_utils.basic"}
NEWER = {"datetime": {"UTC"}, "enum": {"StrEnum"}, "typing": {"Self", "override", "assert_never"}, "tomllib": {"loads"}}


def sent() -> set[Path]:
    """Every file of ours that a module takes to a node: found as Ansible finds them, by their imports."""
    waiting = [PLUGINS / "modules" / f"{name}.py" for name in MODULES]
    found: set[Path] = set()
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom):
                continue
            name = node.module or ""
            if node.level:
                base = file.parents[node.level - 1].joinpath(*name.split(".")) if name else file.parents[node.level - 1]
            elif name.startswith(OF_OURS):
                base = (PLUGINS / "module_utils").joinpath(*name.removeprefix(OF_OURS).split("."))
            else:
                continue
            places = [base.with_suffix(".py"), *((base / alias.name).with_suffix(".py") for alias in node.names)]
            waiting += [place for place in places if place.exists()]
    return found


def test_what_goes_to_nodes_is_a_handful() -> None:
    names = {file.name for file in sent()}
    assert {"cluster_access.py", "transport.py", "access.py", "errors.py"} <= names
    assert not names & {"client.py", "sessions.py", "engine.py"}


@pytest.mark.parametrize("file", sorted(sent()), ids=lambda file: file.name)
def test_it_is_written_for_the_oldest_python_of_nodes(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 8))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in NEWER:
            assert not {alias.name for alias in node.names} & NEWER[node.module], file
        # Methods of Python 3.9.
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("removeprefix", "removesuffix"), f"{file}:{node.lineno}"
        # A generic that is evaluated, not only annotated.
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript):
            assert getattr(node.value.value, "id", "") not in ("dict", "list", "tuple", "set"), f"{file}:{node.lineno}"
    assert "from __future__ import annotations" in text


def record(name: str, *objects: RecordedObject, revision: int = 0) -> dict[str, Any]:
    body = Record(
        addon=name, release=name, namespace=f"ns-{name}", source="chart", state=ReleaseState.APPLIED,
        revision=revision, objects=objects,
    )  # fmt: skip
    return written(body, name="prod", cluster="uid", namespace="home")


def obj(group: str, plural: str, name: str, namespace: str = "") -> RecordedObject:
    return RecordedObject(group, "v1", plural, plural, bool(namespace), namespace, name)


def test_kinds_are_listed_and_secrets_are_named() -> None:
    records = [
        record("a", obj("apps", "deployments", "web", "ns-a"), obj("", "secrets", "pin", "ns-a"), revision=3),
        record("b", obj("", "secrets", "key", "elsewhere"), obj("example.com", "things", "one")),
    ]
    found = readable(records, name="prod", home="home")
    rules = found.cluster_rules()
    assert all(rule["verbs"] == ["get", "list", "watch"] for rule in rules)
    assert all("secrets" not in rule["resources"] for rule in rules)
    kinds = {(group, kind) for rule in rules for group in rule["apiGroups"] for kind in rule["resources"]}
    assert {("apps", "deployments"), ("example.com", "things"), ("", "nodes")} <= kinds
    (of_a,) = found.rules_of("ns-a", "home")
    assert of_a["verbs"] == ["get"]
    assert of_a["resourceNames"] == ["pin", *(f"sh.helm.release.v1.a.v{number}" for number in (1, 2, 3, 4))]
    assert found.rules_of("elsewhere", "home")[0]["resourceNames"] == ["key"]
    at_home = found.rules_of("home", "home")
    assert [rule["resources"] for rule in at_home] == [["configmaps"], ["leases"], ["secrets"]]
    assert at_home[-1]["resourceNames"] == ["slipway.prod.key"]


def test_large_records_are_read_and_broken_ones_are_an_error() -> None:
    plain = record("a", obj("apps", "deployments", "web", "ns-a"))
    packed = base64.b64encode(gzip.compress(plain["data"]["record.json"].encode())).decode()
    large = {"metadata": plain["metadata"], "binaryData": {"record.json.gz": packed}}
    assert readable([large], name="prod", home="home").kinds["apps"] == {"deployments", "replicasets"}
    for broken in ({"metadata": plain["metadata"]}, {**plain, "data": {"record.json": "{"}}):
        with pytest.raises(AccessError, match=r"SLW-7404 record slipway\.prod\.a cannot be read"):
            readable([broken], name="prod", home="home")


def test_a_veil_hides_and_gives_back() -> None:
    key = new_key()
    hidden = veil("eyJ.token", key)
    assert "token" not in hidden
    assert unveil(hidden, key) == "eyJ.token"
    assert veil("eyJ.token", new_key()) != hidden


def test_what_says_no_time_never_expires() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert a.expired({"metadata": {"annotations": {a.EXPIRES: "2026-11-21T00:00:00Z"}}}, now)
    assert not a.expired({"metadata": {"annotations": {a.EXPIRES: "2026-11-23T00:00:00Z"}}}, now)
    assert not a.expired({"metadata": {"annotations": {a.EXPIRES: "soon"}}}, now)
    assert not a.expired({"metadata": {}}, now)


def test_a_kubeconfig_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AccessError, match=r"SLW-7402 there is no .*admin.conf on this host"):
        access_of(str(tmp_path / "admin.conf"))
    conf = tmp_path / "admin.conf"
    conf.write_text("apiVersion: v1\n", encoding="utf-8")
    monkeypatch.setitem(access_of.__globals__, "find_spec", lambda name: None)
    with pytest.raises(AccessError, match="neither PyYAML nor kubectl"):
        access_of(str(conf))
    failing = tmp_path / "kubectl"
    failing.write_text("#!/bin/sh\necho the-secret-of-the-file >&2\nexit 3\n", encoding="utf-8")
    failing.chmod(0o755)
    with pytest.raises(AccessError, match="exit status 3") as told:
        access_of(str(conf), kubectl=str(failing))
    assert "the-secret" not in str(told.value)


def test_kubectl_reads_what_python_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": "https://127.0.0.1:6443"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    (tmp_path / "json").write_text(json.dumps(body), encoding="utf-8")
    program = tmp_path / "kubectl"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/argv\ncat {tmp_path}/json\n', encoding="utf-8")
    program.chmod(0o755)
    (tmp_path / "admin.conf").write_text("", encoding="utf-8")
    monkeypatch.setitem(access_of.__globals__, "find_spec", lambda name: None)
    found = access_of(str(tmp_path / "admin.conf"), kubectl=str(program))
    assert (found.server, found.token) == ("https://127.0.0.1:6443", "t")
    assert re.match(r"config view --raw --output json --kubeconfig .*/admin.conf$", (tmp_path / "argv").read_text())
