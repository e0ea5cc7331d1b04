# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Nodes from images on a real API server: a batch joins by one token, and nobody else does with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import ApiError, CredentialError, StoppedError
from ansible_collections.slipway.cluster.plugins.module_utils.nodes import join_batch
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.join_formats import FORMATS
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.join_wait import REQUESTS
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError
from lab.api import Api
from lab.errors import LabError
from lab.kubeadm.image_machine import FAULT, Machine
from tests.contract.fixtures.joins import NODES, Join, join, left, owner, problem, tokens
from tests.contract.fixtures.nodes import get_node, make_node, nodes_of
from tests.contract.support import Cluster, eventually
from tests.unit.nodes.kubelets import SERVING_USAGES, coded, pem

pytestmark = pytest.mark.lab
Json = dict[str, Any]
TEN = tuple(f"w{number}" for number in range(10))


def failed(batch: Join, timeout: float = 3.0) -> dict[str, str]:
    """By node what a wait has to say of it; by code where it is about none."""
    with pytest.raises(NodesError) as caught:
        batch.wait(timeout)
    return {one.host: f"{one.code} {one.message}" for one in caught.value.problems}


def denied(batch: Join) -> list[str]:
    """What was said of each denied request."""
    return [detail for _node, state, detail in batch.said if state == "denied"]


def judged(batch: Join) -> None:
    """One look at what has been asked so far."""
    batch.arrival()._decide()


def node(name: str) -> str:
    return f"system:node:{name}"


def test_ten_at_once_by_one_token(cluster: Cluster, tmp_path: Path) -> None:
    with join(cluster, tmp_path, *TEN) as batch:
        assert tokens(cluster) == [batch.begun.token_id]
        machines = [
            batch.boot(name, taints=["dedicated=batch:NoSchedule"], kind=("cloud-init", "ignition")[number % 2])
            for number, name in enumerate(batch.nodes)
        ]
        eventually(lambda: len(batch.requests()) == len(TEN))
        # Whoever took one node after the other would have one Ready before it let the last one in.
        stories = batch.wait()
        assert [story.name for story in stories] == list(batch.nodes)
        assert max(story.approved or 0.0 for story in stories) <= min(story.registered or 0.0 for story in stories)
        assert [problem(machine) for machine in machines] == [""] * len(TEN)
        for name, address in batch.nodes.items():
            made = get_node(cluster, name)
            assert made["status"]["addresses"][0] == {"type": "InternalIP", "address": address}
            assert {"key": "dedicated", "value": "batch", "effect": "NoSchedule"} in made["spec"]["taints"]
        assert len(batch.requests()) == len(TEN)
        assert len(batch.end()) == 6
        assert left(cluster) == []
        assert batch.end() == []


def test_the_token_can_ask_and_read_and_nothing_else(cluster: Cluster, tmp_path: Path) -> None:
    with join(cluster, tmp_path, "w1") as batch:
        thief = batch.thief()
        for path in ("kubeadm-config", "kubelet-config"):
            eventually(lambda path=path: thief.get(f"/api/v1/namespaces/kube-system/configmaps/{path}"))
        for path in (NODES, "/api/v1/pods", "/api/v1/namespaces/kube-system/secrets"):
            with pytest.raises(ApiError, match="403"):
                thief.list(path)
        name = next(iter(batch.nodes))
        made = batch.ask("csr", pem(node(name)))
        body = {**made, "status": {"conditions": [{"type": "Approved", "status": "True", "reason": "x"}]}}
        with pytest.raises(ApiError, match="403"):
            thief.write("PUT", f"{REQUESTS}/{made['metadata']['name']}/approval", body)
        # No controller of the cluster approves it either: only we do.
        other = batch.ask("later", pem(node(name), of="later"))
        assert batch.verdicts() == {}
        judged(batch)
        eventually(lambda: batch.verdicts()[made["metadata"]["name"]][0] == "Approved")
        assert other["metadata"]["name"] in batch.verdicts()


def test_stolen_token(cluster: Cluster, tmp_path: Path) -> None:
    """Every way to use it but the one that it is for."""
    with nodes_of(cluster, "cp", control_plane="cp") as (leading,), join(cluster, tmp_path, "w1", "w2") as batch:
        assert leading in batch.begun.control_plane
        own, second = batch.nodes
        make_node(cluster, "w2")
        other = f"{cluster.name}-other"
        asked = {
            "outside": pem(node(other)),
            "exists": pem(node(second)),
            "leads": pem(node(leading)),
            "admin": pem("admin", groups=("system:masters",)),
            "serves": pem(node(own), names=("kubernetes.default.svc",)),
            "own": pem(node(own), of="machine"),
            "own-rival": pem(node(own), of="rival"),
        }
        for name, text in asked.items():
            batch.ask(name, text)
        arrival = batch.arrival()
        arrival._decide()
        batch.ask("own-again", pem(node(own), of="thief"))
        arrival._decide()
        found = {name.removeprefix(f"{cluster.name}-"): verdict for name, verdict in batch.verdicts().items()}
        assert {name: kind for name, (kind, _why) in found.items()} == {
            **dict.fromkeys([*asked, "own-again"], "Denied"),
            "own": "Approved",
        }
        assert f"{other} is no node of this batch ({own}, {second})" in found["outside"][1]
        assert found["exists"][1] == f"there is a node {second}, and a join token does not replace it"
        assert found["leads"][1] == f"{leading} is a control plane node; these never join from an image"
        assert "its subject is not O=system:nodes" in found["admin"][1]
        assert "a client's certificate for kubernetes.default.svc" in found["serves"][1]
        assert "somebody has the join token" in found["own-again"][1]
        assert "somebody has the join token" in found["own-rival"][1], "in the same look"
        assert sorted(one[:8] for one in denied(batch)) == [f"SLW-872{n}" for n in (1, 2, 3, 4, 4, 5, 5)]
        # The batch ends as a failure, although the machine may well be a node.
        with pytest.raises(NodesError) as caught:
            arrival.run(0)
        assert {one.code for one in caught.value.problems} == {"SLW-8724", "SLW-8732", "SLW-8733"}
        certificates = [bool(one["status"].get("certificate")) for one in batch.requests()]
        assert sum(certificates) <= 1


def test_token_after_its_batch(cluster: Cluster, tmp_path: Path) -> None:
    with join(cluster, tmp_path, "w1") as batch:
        (name,) = batch.nodes
        machine = batch.boot(name)
        batch.wait()
        assert problem(machine) == ""
        batch.end()
        cluster.client().delete(f"{NODES}/{name}")
        eventually(lambda: refused(cluster, batch.begun.token))
        assert "could not find a JWS signature" in problem(batch.boot(name, within=1))


def test_token_that_has_expired(cluster: Cluster, tmp_path: Path) -> None:
    client = cluster.client()
    with join(cluster, tmp_path, "w1", life=3) as batch:
        eventually(lambda: client.now().strftime("%Y-%m-%dT%H:%M:%SZ") > batch.begun.expires)
        assert refused(cluster, batch.begun.token)
        (name,) = batch.nodes
        machine = batch.boot(name, within=1)
        with pytest.raises(
            NodesError, match=rf"SLW-8731 {name} has not appeared.*the token's life was over at {batch.begun.expires}"
        ):
            batch.wait(1.0)
        assert "could not find a JWS signature" in problem(machine)


def refused(cluster: Cluster, token: str) -> bool:
    try:
        owner(cluster, token).get("/version")
    except CredentialError:
        return True
    return False


def test_a_cluster_that_is_not_the_pinned_one(cluster: Cluster, tmp_path: Path) -> None:
    with join(cluster, tmp_path, "w1") as batch:
        (name,) = batch.nodes
        assert "none of the public keys are pinned" in problem(batch.boot(name, ca_hash="sha256:" + "0" * 64))
        other = f"{batch.begun.token_id}.{'0' * 16}"
        assert "failed to verify JWS signature" in problem(batch.boot(name, token=other))


def test_requests_of_others_are_not_touched(cluster: Cluster, tmp_path: Path) -> None:
    theirs = Cluster(cluster.env, cluster.cache)
    with join(cluster, tmp_path, "w1") as batch, join(theirs, tmp_path, "w1") as other:
        (name,) = batch.nodes
        other.ask("a", pem(node(name)))
        batch.ask("b", pem(node(name)), cluster.client())
        judged(batch)
        assert other.verdicts() == {}
        (theirs_too,) = batch.requests("lab-admin")
        assert not any(one["reason"].startswith("Slipway") for one in theirs_too["status"].get("conditions", []))
        # Nor what belongs to their batch.
        batch.end()
        assert len(left(theirs)) == 6
        assert tokens(theirs) == [other.begun.token_id]


def test_nodes_that_do_not_arrive_are_named_with_what_is_known(cluster: Cluster, tmp_path: Path) -> None:
    with join(cluster, tmp_path, "a", "b", "c", "d", "e") as batch:
        a, b, c, d, e = batch.nodes
        machines = [batch.boot(a), batch.boot(b, fault="never-registers"), batch.boot(c, fault="never-ready")]
        batch.ask("unusual", pem(node(d), names=(d,)))
        found = failed(batch, 4.0)
        assert [problem(machine) for machine in machines] == [""] * 3
        assert a not in found
        assert found[b] == f"SLW-8733 {b} got its certificate and has not registered after 4 s"
        assert found[c].startswith(f"SLW-8734 {c} has joined and is not Ready after 4 s: ")
        # It names no node that could be believed, so that its node has not appeared.
        assert found[d].startswith(f"SLW-8731 {d} has not appeared")
        assert found[e].startswith(f"SLW-8731 {e} has not appeared")
        assert (a, "Ready", "") in batch.said


def test_a_node_that_was_denied_is_named_so(cluster: Cluster, tmp_path: Path) -> None:
    with join(cluster, tmp_path, "a") as batch:
        (name,) = batch.nodes
        # One that is Ready the machine sees by itself, and does not ask.
        make_node(cluster, "a", labels={FAULT: "never-ready"})
        machine = batch.boot(name)
        assert f"SLW-8722 there is a node {name}" in failed(batch)[name]
        assert f"was denied: there is a node {name}, and a join token does not replace it" in problem(machine)


def test_another_address_than_the_inventory_says(cluster: Cluster, tmp_path: Path) -> None:
    with join(cluster, tmp_path, "a") as batch:
        (name,) = batch.nodes
        machine = batch.boot(name)
        batch.nodes[name] = "10.0.0.9"
        assert (
            failed(batch, 10.0)[name] == f"SLW-8735 {name} has registered with 239.97.0.1, the inventory has 10.0.0.9"
        )
        assert problem(machine) == ""


def test_a_node_serves_under_its_own_names_alone(cluster: Cluster, tmp_path: Path) -> None:
    with join(cluster, tmp_path, "a") as batch:
        (name,) = batch.nodes
        machine = batch.boot(name)
        arrival = batch.arrival()
        arrival.run(10.0)
        assert problem(machine) == ""
        (folder,) = tmp_path.glob(f"{name}-*")
        api = Api(int(batch.begun.endpoint.rpartition(":")[2]), folder, name, keys=folder / "kubelet")
        asked = {"right": (name,), "wrong": (name, "kubernetes.default.svc")}
        for label, names in asked.items():
            text = pem(node(name), of=label, names=names, addresses=("239.97.0.1",))
            body = {
                "metadata": {"name": f"{cluster.name}-{label}"},
                "spec": {
                    "signerName": "kubernetes.io/kubelet-serving",
                    "usages": SERVING_USAGES,
                    "request": coded(text),
                },
            }
            api.need("POST", REQUESTS, body)
        api.close()
        arrival._decide()
        found = {one["metadata"]["name"]: one["status"]["conditions"][0]["type"] for one in batch.requests(node(name))}
        assert found == {f"{cluster.name}-right": "Approved", f"{cluster.name}-wrong": "Denied"}


def test_no_batch_for_a_node_that_is_there(cluster: Cluster, tmp_path: Path) -> None:
    with nodes_of(cluster, "cp", "w1", control_plane="cp") as (leading, worker):
        with pytest.raises(NodesError) as caught:
            join_batch.begin(cluster.client(), cluster.name, [leading, worker], life=600)
        assert {(one.code, one.host) for one in caught.value.problems} == {("SLW-8703", leading), ("SLW-8704", worker)}
        assert left(cluster) == []


class Dies(Client):
    """The run dies when it writes its token."""

    def write(self, method: str, path: str, *args: Any, **more: Any) -> Json:
        if method == "POST" and path.endswith("/secrets"):
            raise StoppedError("SLW-6103", "the run that started this has ended")
        return super().write(method, path, *args, **more)


def test_nothing_is_left_of_a_batch_that_could_not_begin(cluster: Cluster) -> None:
    with pytest.raises(StoppedError):
        join_batch.begin(Dies(cluster.access), cluster.name, ["w1"], life=600)
    assert left(cluster) == []


def test_what_dead_runs_have_left_is_removed_by_the_next(cluster: Cluster, tmp_path: Path) -> None:
    client = cluster.client()
    theirs = Cluster(cluster.env, cluster.cache)
    over = join_batch.begin(client, cluster.name, ["x"], life=3)
    living = join_batch.begin(client, cluster.name, ["y"], life=600)
    with join(theirs, tmp_path, "w1") as other:
        eventually(lambda: client.now().strftime("%Y-%m-%dT%H:%M:%SZ") > over.expires)
        with join(cluster, tmp_path, "w1") as batch:
            # What may still be at work is left; where nobody else can be at work, it goes.
            assert sum(over.batch in one for one in batch.begun.removed) == 5
            assert not any(living.batch in one for one in batch.begun.removed)
            assert living.token_id in tokens(cluster)
        with join(cluster, tmp_path, "w1", alone=True) as batch:
            assert sum(living.batch in one for one in batch.begun.removed) == 5
            assert tokens(cluster) == [batch.begun.token_id]
        assert len(left(theirs)) == 6
        assert tokens(theirs) == [other.begun.token_id]


def test_the_machine_refuses_another_image(cluster: Cluster, tmp_path: Path) -> None:
    with join(cluster, tmp_path, "w1") as batch:
        (name,) = batch.nodes
        with pytest.raises(LabError, match="the user-data is for sha256:1a"):
            Machine(tmp_path, "sha256:" + "2b" * 32).boot(FORMATS["ignition"](batch.data(name)))
