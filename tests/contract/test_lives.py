# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""When certificates and tokens end: by an administrator's rights, and by those of a reader, who may not see it all."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kube.certificates import UnreadableError, served_end
from ansible_collections.slipway.cluster.plugins.module_utils.kube.lives import ENDLESS, RIGHTS, Life, lives
from tests.contract.fixtures import objects as o
from tests.contract.support import Cluster, eventually

pytestmark = pytest.mark.lab

SECRET = "0123456789abcdef"
IDS = {"aaaaa1": "2h", "aaaaa2": ""}


def find(cluster: Cluster, *, reader: bool = False) -> dict[str, Life]:
    if not reader:
        found = lives(cluster.client(), cluster.access, access_namespace="slipway-access")
    else:
        client = o.limited(cluster, [], [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}], [])
        token = client._sessions.current.access.token
        access = replace(cluster.access, token=token, client_cert_pem=b"", client_key_pem=b"")
        found = lives(client, access, access_namespace="slipway-access")
    assert SECRET not in repr(found)
    known = [life.ends for life in found if life.ends]
    assert known == sorted(known)
    return {life.name: life for life in found}


@pytest.fixture(scope="module")
def tokens(shared: Cluster) -> None:
    """One that ends in two hours, and one that never does."""
    for name, life in IDS.items():
        end = f"{datetime.now(UTC) + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"
        data = {"token-id": name, "token-secret": SECRET, "usage-bootstrap-signing": "true"}
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "bootstrap.kubernetes.io/token",
            "metadata": {"name": f"bootstrap-token-{name}"},
            "stringData": data | ({"expiration": end} if life else {}),
        }
        shared.apply(o.core("secrets", "kube-system", f"bootstrap-token-{name}"), body)


@pytest.fixture(scope="module", autouse=True)
def _gone(shared: Cluster, tokens: None) -> object:
    yield
    for name in IDS:
        o.gone(shared, o.core("secrets", "kube-system", f"bootstrap-token-{name}"))


def test_an_administrator_sees_when_join_tokens_end(shared: Cluster) -> None:
    found = find(shared)
    end = found["join token aaaaa1"].ends
    assert end is not None
    assert timedelta(hours=1) < end - datetime.now(UTC) <= timedelta(hours=2)
    assert (found["join token aaaaa2"].ends, found["join token aaaaa2"].note) == (None, ENDLESS)
    assert "client certificate of this look" in found
    assert not [life for life in found.values() if life.note == RIGHTS]


def test_a_reader_sees_which_join_tokens_there_are_and_says_what_it_may_not_see(shared: Cluster) -> None:
    signed = o.core("configmaps", "kube-public", "cluster-info")
    eventually(lambda: {f"jws-kubeconfig-{name}" for name in IDS} <= set((shared.get(signed) or {})["data"]))
    found = find(shared, reader=True)
    for name in IDS:
        assert (found[f"join token {name}"].ends, found[f"join token {name}"].note) == (None, f"end {RIGHTS}")
    for name in ("front proxy CA", "installer tokens of runs", "reader tokens of runs"):
        assert found[name].note == RIGHTS
    assert found["API server"].ends is not None
    own = found["API token of this look"].ends
    assert own is not None
    assert timedelta(minutes=5) < own - datetime.now(UTC) <= timedelta(minutes=11)


def test_the_certificate_is_the_one_that_is_served(shared: Cluster) -> None:
    file = next(Path(shared.env["state_dir"]).glob("pki/apiserver*.crt"))
    said = subprocess.run(
        ["openssl", "x509", "-noout", "-enddate", "-in", file], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert f"notAfter={served_end(shared.access):%b %e %H:%M:%S %Y} GMT" == said


def test_a_certificate_of_somebody_else_is_not_believed(shared: Cluster) -> None:
    with pytest.raises(UnreadableError, match="certificate verify failed"):
        served_end(replace(shared.access, ca_pem=b""))


def test_what_a_killed_run_has_left_is_told(shared: Cluster) -> None:
    name = f"slipway-installer-{shared.name}"
    labels = {"slipway.cluster/name": shared.name, "slipway.cluster/record": "access"}
    body = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {
            "name": name,
            "labels": {**labels, "slipway.cluster/access": "installer"},
            "annotations": {"slipway.cluster/expires": "2020-01-01T00:00:00Z"},
        },
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [],
    }
    path = f"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/{name}"
    with o.there(shared, path, body):
        assert find(shared)[f"installer of a run: {name}"].ends == datetime(2020, 1, 1, tzinfo=UTC)
