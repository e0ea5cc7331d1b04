# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Why a pod is not ready: its place, its volumes, its containers, the events on it."""

from __future__ import annotations

from urllib.parse import quote

from .readiness_model import Context, Object, State, condition, items, number, section, told, words
from .readiness_workloads import container_states
from .readiness_workloads import pod as judge_pod
from .reasons_look import Look, one_line, warnings

MAX_PODS = 3
STARTING = frozenset({"", "ContainerCreating", "PodInitializing"})
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def pods_of(look: Look, workload: Object) -> list[Object]:
    """The pods of a workload that are not ready, worst first, at most three."""
    namespace = words(section(workload, "metadata"), "namespace")
    selector = _selector(section(workload, "spec", "selector"))
    if not namespace or not selector:
        return []
    found = look.many(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector)
    mine = [pod for pod in found if _belongs(pod, workload) and not _fine(pod)]
    return sorted(mine, key=lambda pod: (_rank(pod), words(section(pod, "metadata"), "name")))[:MAX_PODS]


def why_pod(look: Look, pod: Object) -> list[str]:
    """Lines on one pod that is not ready, the most telling first."""
    name = words(section(pod, "metadata"), "name")
    lines = [f"pod {name}: {line}" for line in [*_whole(pod), *_containers(look, pod)]]
    lines += _claims(look, pod)
    lines += warnings(look, {"kind": "Pod", **pod}, lines)
    if not lines:
        lines.append(
            f"pod {name}: {told(condition(pod, 'Ready'), words(section(pod, 'status'), 'phase') or 'no status')}"
        )
    age = look.age(pod)
    return [f"{lines[0]} (pod is {age} old)" if age else lines[0], *lines[1:]]


def why_claim(look: Look, namespace: str, name: str) -> list[str]:
    """Why a PersistentVolumeClaim has no volume; nothing when it has one."""
    claim = look.one(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{quote(name)}")
    if claim is None:
        return [f"PVC {name}: does not exist"]
    phase = words(section(claim, "status"), "phase") or "Pending"
    if not claim or phase == "Bound":
        return []
    events = warnings(look, {"kind": "PersistentVolumeClaim", **claim}, limit=1)
    return [f"PVC {name}: {phase}: {_class_trouble(look, claim)}", *events]


def _class_trouble(look: Look, claim: Object) -> str:
    wanted = section(claim, "spec").get("storageClassName")
    classes = "/apis/storage.k8s.io/v1/storageclasses"
    if wanted == "":
        return "asks for no storage class, and no volume fits"
    if not wanted:
        known = look.many(classes)
        default = [c for c in known if section(c, "metadata", "annotations").get(DEFAULT_CLASS) == "true"]
        return "names no storage class" + ("" if default or look.refused else ", and the cluster has no default one")
    found = look.one(f"{classes}/{quote(str(wanted))}")
    if found is None:
        return f"storage class {wanted} does not exist"
    if words(found, "volumeBindingMode") == "WaitForFirstConsumer":
        return f"storage class {wanted} binds when a pod that uses it is scheduled"
    return f"waits for provisioner {words(found, 'provisioner') or '(unknown)'} of storage class {wanted}"


def _selector(selector: Object) -> str:
    """A label selector as the API takes it in a query; empty selects nothing here."""
    parts = [f"{key}={value}" for key, value in sorted(section(selector, "matchLabels").items())]
    for rule in items(selector, "matchExpressions"):
        key, values = words(rule, "key"), ",".join(rule.get("values") or [])
        form = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "DoesNotExist": f"!{key}"}
        parts.append(form.get(words(rule, "operator"), key))
    return ",".join(parts)


def _belongs(pod: Object, workload: Object) -> bool:
    """Labels may select pods of a neighbour, the controller reference does not."""
    owner = next((o for o in items(pod, "metadata", "ownerReferences") if o.get("controller")), None)
    if owner is None:
        return False
    metadata = section(workload, "metadata")
    if workload.get("kind") == "Deployment":
        template = section(pod, "metadata", "labels").get("pod-template-hash")
        return owner.get("kind") == "ReplicaSet" and owner.get("name") == f"{metadata.get('name')}-{template}"
    if metadata.get("uid") and owner.get("uid"):
        return bool(owner["uid"] == metadata["uid"])
    return (owner.get("kind"), owner.get("name")) == (workload.get("kind"), metadata.get("name"))


def _fine(pod: Object) -> bool:
    if section(pod, "metadata").get("deletionTimestamp"):
        return True
    ready = condition(pod, "Ready").get("status") == "True"
    return ready or words(section(pod, "status"), "phase") == "Succeeded"


def _rank(pod: Object) -> int:
    """Pods that cannot start before pods that have not started yet."""
    if judge_pod(pod, Context()).state is State.FAILED:
        return 0
    return 1 if any(_trouble(entry) for entry in container_states(pod)) else 2


def _trouble(entry: Object) -> bool:
    waiting = words(section(entry, "state", "waiting"), "reason")
    return waiting not in STARTING or number(section(entry, "state", "terminated"), "exitCode") != 0


def _whole(pod: Object) -> list[str]:
    """What concerns the pod as a whole: eviction, no node."""
    status = section(pod, "status")
    lines = []
    if words(status, "phase") == "Failed" and words(status, "reason"):
        lines.append(one_line(told(status, "")))
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        lines.append(one_line(told(scheduled, "not scheduled")))
    elif not scheduled and not section(pod, "spec").get("nodeName"):
        lines.append("no scheduler has looked at it yet")
    return lines


def _containers(look: Look, pod: Object) -> list[str]:
    metadata = section(pod, "metadata")
    namespace, name = words(metadata, "namespace"), words(metadata, "name")
    lines: list[str] = []
    for entry in container_states(pod):
        what = _container(entry)
        if not what:
            continue
        container = words(entry, "name")
        lines.append(f"container {container}: {what}")
        if _has_run(entry):
            # Once restarted, the words that matter were written by the run before.
            restarted = "waiting" in section(entry, "state") or "running" in section(entry, "state")
            said = look.last_line(namespace, name, container, previous=restarted)
            lines += [f"container {container}: last log line: {one_line(said)}"] if said else []
    return lines


def _container(entry: Object) -> str:
    """One container's trouble in one line; empty when it has none, or none that it knows of."""
    restarts = number(entry, "restartCount")
    again = f", {restarts} restarts" if restarts else ""
    waiting = section(entry, "state", "waiting")
    if words(waiting, "reason") not in STARTING:
        return one_line(told(waiting, "")) + _ended(section(entry, "lastState", "terminated"), ", last ") + again
    terminated = section(entry, "state", "terminated")
    if number(terminated, "exitCode"):
        return _ended(terminated, "") + again
    if section(entry, "state", "running") and entry.get("ready") is False:
        return "running, not ready" + _ended(section(entry, "lastState", "terminated"), ", last ") + again
    return ""


def _ended(terminated: Object, lead: str) -> str:
    if not terminated:
        return ""
    text = one_line(told(terminated, "Error"))
    return f"{lead}exit code {number(terminated, 'exitCode')}: {text}"


def _has_run(entry: Object) -> bool:
    return bool(section(entry, "lastState", "terminated") or section(entry, "state", "terminated"))


def _claims(look: Look, pod: Object) -> list[str]:
    namespace = words(section(pod, "metadata"), "namespace")
    lines: list[str] = []
    if words(section(pod, "status"), "phase") != "Pending":
        return lines
    for volume in items(pod, "spec", "volumes"):
        name = words(section(volume, "persistentVolumeClaim"), "claimName")
        lines += why_claim(look, namespace, name) if name else []
    return lines
