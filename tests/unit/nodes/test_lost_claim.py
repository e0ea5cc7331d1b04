# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A run that another one has taken over from writes nothing more, and says nothing of a claim that it has not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.masking import Masker
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.drain import Settings, drain
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError, Problem
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.record import Record
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.run_file import RunFile
from ansible_collections.slipway.cluster.plugins.plugin_utils import node_stages

DESIRED = {
    "schema": 1, "name": "", "kubespray": "", "kubernetes": "", "first": {}, "adopted": False, "common": {},
    "hosts": {"w1": {"roles": ["worker"], "address": "", "own": {}}},
}  # fmt: skip


class Host:
    """The first control plane host: what runs on it works on this file."""

    def __init__(self, file: RunFile) -> None:
        self.file = file
        self.holder = ""
        self._task = SimpleNamespace(args={}, check_mode=False)
        self._connection = None

    def _execute_module(self, *, module_args: dict[str, Any], **_more: Any) -> dict[str, Any]:
        state, self.holder, seconds = module_args["state"], module_args["holder"], module_args["seconds"]
        if state == "taken":
            answer = self.file.take({"holder": self.holder, "operation": module_args["operation"]}, seconds)
            return {"held": answer["taken"], "found": answer["found"]}
        if state == "renewed":
            reached = {"stage": module_args["stage"], "cleared": module_args["cleared"]}
            return {"held": self.file.renew(self.holder, seconds, **reached)}
        if state == "abandoned":
            return {"held": self.file.abandon(self.holder)}
        return {"held": self.file.release(self.holder), "found": self.file.look()}

    def taken_over(self) -> None:
        self.file.take({"holder": "another", "operation": "remove"}, 60, dead=self.holder)


class Cluster:
    """Of one node and one record, both of which it counts the writes to."""

    namespace = operation = name = "n"

    def __init__(self) -> None:
        self.writes: list[str] = []

    @contextmanager
    def client(self, _rights: str) -> Iterator[Cluster]:
        yield self

    def index(self) -> Any:
        return SimpleNamespace(version="2.31.0")

    def get(self, path: str) -> dict[str, Any] | None:
        return {"gitVersion": "v1.35.4"} if path == "/version" else None

    def delete(self, path: str) -> None:
        self.writes.append(path)

    def read(self) -> Record:
        return Record("n")

    def write(self, _record: Record) -> None:
        self.writes.append("record")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(RunFile(str(tmp_path)))


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    one = Cluster()
    monkeypatch.setattr(node_stages, "Store", lambda client, _namespace: client)
    monkeypatch.setattr(node_stages, "until_ready", lambda *_words, **_more: None)
    return one


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def stages(host: Host, cluster: Cluster, said: list[str]) -> Any:
    variables = {"inventory_hostname": "cp1", "groups": {"kube_node": ["w1"]}, "slipway_name": "n", "hostvars": {}}
    one: Any = node_stages.Stages(
        host, variables, masker=Masker(), say=said.append, verbose=False, alive=lambda: True  # type: ignore[arg-type]
    )  # fmt: skip
    one._planner = cluster
    one.lock()
    return one


@pytest.mark.parametrize(
    ("stage", "args"),
    [
        ("reached", {"run": "scale", "hosts": ["w1"], "desired": DESIRED}),
        ("forget", {"hosts": ["w1"], "delete": True}),
        ("forget", {"hosts": ["w1"]}),
        ("cleared", {}),
        ("finish", {}),
    ],
)
def test_who_has_lost_the_claim_writes_nothing(
    stages: Any, host: Host, cluster: Cluster, stage: str, args: dict[str, Any]
) -> None:
    host._task.args.update(args)
    host.taken_over()
    with pytest.raises(NodesError, match="SLW-8309"):
        getattr(stages, stage)()
    assert cluster.writes == []
    assert (host.file.look() or {})["holder"] == "another"


def test_who_has_it_goes_on(stages: Any, host: Host, cluster: Cluster) -> None:
    host._task.args.update({"run": "scale", "hosts": ["w1"], "desired": DESIRED, "delete": True})
    stages.reached()
    assert (host.file.look() or {})["stage"] == "scale"
    stages.forget()
    assert cluster.writes == ["record", "/api/v1/nodes/w1", "record"]
    stages.cleared()
    assert (host.file.look() or {})["cleared"]
    stages.finish()
    assert host.file.look() is None
    # Whose file is gone has nobody beside it.
    stages.finish()


def test_an_end_is_told_where_there_was_a_claim(stages: Any, host: Host, said: list[str]) -> None:
    stages.abandon()
    assert "this run's claim on the nodes has ended with it" in said[-1]
    host.taken_over()
    stages.abandon()
    assert "this run had lost its claim on the nodes" in said[-1]
    assert (host.file.look() or {})["remaining"] > 0


def test_no_further_batch_is_drained_when_the_claim_is_lost(cluster: Cluster) -> None:
    batches = [["w1"], ["w2", "w3"], ["w4"]]
    calls: list[str] = []
    found = drain(cluster, batches, Settings(), lambda *line: None, lambda: calls.append("through"))  # type: ignore[arg-type]
    assert (len(found), len(calls)) == (4, 3)

    def lost() -> None:
        calls.append("lost")
        raise NodesError([Problem("SLW-8309", "lost")])

    with pytest.raises(NodesError):
        drain(cluster, batches, Settings(), lambda *line: None, lost)  # type: ignore[arg-type]
    assert calls.count("lost") == 1
