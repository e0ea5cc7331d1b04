# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The lines that say why a workload is not ready."""

from __future__ import annotations

from ansible_collections.slipway.cluster.plugins.module_utils.kube.reasons import MAX_LINES, explain
from tests.unit.kube.reasons_fakes import BORN, BOUND, NOW, PULL, Api, claim, cond, deployment, event, make, pod, waits


def test_image_pull_error_names_pod_container_reason_message_and_age() -> None:
    lines = explain(Api(pod("web-5d9-abc", PULL), BOUND), deployment(), NOW)
    assert lines == ['pod web-5d9-abc: container web: ImagePullBackOff: Back-off pulling image "x:1" (pod is 5m old)']


def test_crash_shows_exit_restarts_and_the_last_words() -> None:
    last = {"lastState": {"terminated": {"exitCode": 2, "reason": "Error", "message": "oh\nno"}}, "restartCount": 4}
    api = Api(pod("web-5d9-a", waits("CrashLoopBackOff", "x", **last)), BOUND, logs="one\npanic: no file\n\n")
    assert explain(api, deployment(), NOW) == [
        "pod web-5d9-a: container web: CrashLoopBackOff: x, last exit code 2: Error: oh no, 4 restarts (pod is 5m old)",
        "pod web-5d9-a: container web: last log line: panic: no file",
    ]
    query = {"container": "web", "tailLines": "1", "previous": "true"}
    assert ("/api/v1/namespaces/n/pods/web-5d9-a/log", query) in api.calls


def test_missing_configuration() -> None:
    api = Api(pod("web-5d9-a", waits("CreateContainerConfigError", 'secret "s" not found')), BOUND)
    assert 'CreateContainerConfigError: secret "s" not found' in explain(api, deployment(), NOW)[0]


def test_init_container_and_failing_probe() -> None:
    init = pod("web-5d9-a", initContainerStatuses=[{**waits("CrashLoopBackOff", "x"), "name": "wait"}])
    assert "container wait: CrashLoopBackOff" in explain(Api(init, BOUND), deployment(), NOW)[0]
    slow = pod("web-5d9-b", {"name": "web", "state": {"running": {"startedAt": BORN}}, "ready": False}, phase="Running")
    probe = event("web-5d9-b", "Unhealthy", "Readiness probe failed: 503", count=7)
    assert explain(Api(slow, probe), deployment(), NOW) == [
        "pod web-5d9-b: container web: running, not ready (pod is 5m old)",
        "pod web-5d9-b: Unhealthy: Readiness probe failed: 503 (7 times, 1m ago)",
    ]


def test_unschedulable_is_said_once_although_an_event_repeats_it() -> None:
    message = "0/3 nodes are available: 3 Insufficient cpu."
    full = pod("web-5d9-a", conditions=[cond("PodScheduled", "False", "Unschedulable", message)])
    lines = explain(Api(full, BOUND, event("web-5d9-a", "FailedScheduling", message)), deployment(), NOW)
    assert lines == [f"pod web-5d9-a: Unschedulable: {message} (pod is 5m old)"]


def test_only_the_pods_that_are_not_ready_are_named() -> None:
    fine = [pod(f"web-5d9-{i}", ready=True, phase="Running") for i in range(39)]
    lines = explain(Api(*fine, pod("web-5d9-bad", PULL), BOUND), deployment(), NOW)
    assert len(lines) == 1
    assert "web-5d9-bad" in lines[0]


def test_pods_of_a_neighbour_and_of_an_older_revision_are_left_out() -> None:
    foreign = pod("web-2-5d9-x", PULL, owner="web-2")
    bare = pod("web-bare", PULL)
    del bare["metadata"]["ownerReferences"]
    leaving = pod("web-5d9-old", PULL)
    leaving["metadata"]["deletionTimestamp"] = BORN
    assert explain(Api(foreign, bare, leaving, BOUND), deployment(), NOW) == []


def test_three_pods_worst_first_and_eight_lines() -> None:
    dull = [pod(f"web-5d9-{i}", waits("ContainerCreating")) for i in range(5)]
    crash = pod("web-5d9-z", waits("CrashLoopBackOff", "x"))
    events = [event(o["metadata"]["name"], f"R{i}", f"m{i}") for o in [*dull, crash] for i in range(4)]
    lines = explain(Api(*dull, crash, BOUND, *events), deployment(), NOW)
    assert len(lines) == MAX_LINES
    assert "web-5d9-z: container web: CrashLoopBackOff" in lines[0]
    assert len({line.split(":")[0] for line in lines if line.startswith("pod ")}) == 3
    assert lines[-1] == "and 3 more"


def test_events_newest_three_equal_ones_counted() -> None:
    web = deployment()
    events = [event("web", "Old", "a", "03:01:00", kind="Deployment")]
    events += [event("web", "Same", "b", f"03:0{i}:00", 2, kind="Deployment") for i in range(5, 8)]
    events += [
        event("web", "New", "c", "03:09:30", kind="Deployment"),
        event("web", "Mid", "d", "03:08:00", kind="Deployment"),
    ]
    stranger = event("web", "Gone", "of its predecessor", kind="Deployment")
    stranger["involvedObject"]["uid"] = "another"
    assert explain(Api(*events, stranger), web, NOW) == [
        "Deployment web: New: c (30s ago)",
        "Deployment web: Mid: d (2m ago)",
        "Deployment web: Same: b (6 times, 3m ago)",
    ]


def test_quota_keeps_a_deployment_from_having_pods() -> None:
    web = deployment(conditions=[cond("ReplicaFailure", "True", "FailedCreate", "exceeded quota: q")])
    assert explain(Api(), web, NOW) == ["FailedCreate: exceeded quota: q"]


def test_job_names_its_failed_pod_and_reads_the_log_of_its_only_run() -> None:
    ended = {"name": "migrate", "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}
    done = pod("migrate-x", ended, phase="Failed")
    done["metadata"]["ownerReferences"] = [{"kind": "Job", "name": "migrate", "uid": "uid-migrate", "controller": True}]
    failed = cond("Failed", "True", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    job = make(
        "batch/v1",
        "Job",
        "migrate",
        spec={"selector": {"matchLabels": {"app": "web"}}},
        status={"conditions": [failed]},
    )
    api = Api(done, logs="column exists\n")
    assert explain(api, job, NOW) == [
        "BackoffLimitExceeded: Job has reached the specified backoff limit",
        "pod migrate-x: container migrate: exit code 1: Error (pod is 5m old)",
        "pod migrate-x: container migrate: last log line: column exists",
    ]
    assert ("/api/v1/namespaces/n/pods/migrate-x/log", {"container": "migrate", "tailLines": "1"}) in api.calls


def test_rights_for_the_namespace_alone_still_give_reasons() -> None:
    api = Api(pod("web-5d9-a", waits("ContainerCreating")), claim(storageClassName="fast"), refused="storageclasses")
    lines = explain(api, deployment(), NOW)
    assert lines[-1].startswith("no further look: GET /apis/storage.k8s.io")
    assert "403 Forbidden" in lines[-1]
    assert not any("does not exist" in line for line in lines)


def test_nothing_may_be_read_at_all() -> None:
    lines = explain(Api(refused="/"), deployment(), NOW)
    assert len(lines) == 1
    assert "403" in lines[0]
