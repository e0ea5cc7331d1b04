# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The stable codes of nodes.

SLW-83xx: plan of nodes, record and lock; 84xx: removal, drain and guards; 85xx: upgrade; 86xx: labels and taints.
"""

from __future__ import annotations

CODES: dict[str, str] = {
    "SLW-8301": "there is no cluster yet",
    "SLW-8302": "cluster was built by somebody else",
    "SLW-8303": "scale adds workers only",
    "SLW-8304": "somebody works on the nodes",
    "SLW-8305": "another version of Kubernetes is an upgrade",
    "SLW-8306": "lock of node operations cannot be used",
    "SLW-8307": "hosts of a run could not be chosen",
    "SLW-8308": "node is not ready in time",
    "SLW-8309": "another run has taken over the nodes",
    "SLW-8310": "cluster record cannot be read",
    "SLW-8311": "API of a cluster does not answer",
    "SLW-8312": "cluster is another one than the inventory says",
    "SLW-8313": "node is still in the cluster",
    "SLW-8314": "run leaves out hosts or plays",
    "SLW-8401": "node to remove is not known",
    "SLW-8402": "consent for a node that is not removed",
    "SLW-8403": "node to remove is not in the cluster",
    "SLW-8404": "first of a group cannot be removed",
    "SLW-8405": "last node of a role",
    "SLW-8406": "node to remove cannot be reached",
    "SLW-8407": "node that is called unreachable is ready",
    "SLW-8408": "etcd would lose its quorum",
    "SLW-8409": "even number of etcd members",
    "SLW-8410": "volume would be lost with its node",
    "SLW-8411": "pod would be lost with its node",
    "SLW-8412": "pod would have nowhere to go",
    "SLW-8413": "add-on calls fewer nodes unsafe",
    "SLW-8414": "PodDisruptionBudget holds up a drain",
    "SLW-8420": "size of a batch is not valid",
    "SLW-8421": "node was not drained",
    "SLW-8430": "consent to remove the cluster is not its name",
    "SLW-8431": "something stays outside of the cluster",
    "SLW-8432": "something outside of the cluster does not go",
    "SLW-8501": "version of Kubernetes is none",
    "SLW-8502": "version of Kubernetes that Kubespray cannot install",
    "SLW-8503": "Kubernetes does not go back",
    "SLW-8504": "minor version of Kubernetes left out",
    "SLW-8505": "kubelet is too far from the API server",
    "SLW-8506": "API servers are too far from each other",
    "SLW-8507": "version of an API is no longer served",
    "SLW-8508": "version of Kubespray left out",
    "SLW-8510": "etcd does not answer its tools",
    "SLW-8511": "snapshot of etcd was not taken",
    "SLW-8512": "snapshot of etcd is no good",
    "SLW-8601": "labels, taints or annotations are of the wrong form",
    "SLW-8602": "label or annotation is not text",
    "SLW-8603": "label or annotation is not valid",
    "SLW-8604": "taint is not valid",
    "SLW-8605": "two taints of one key and effect",
    "SLW-8606": "label, taint or annotation is kept by Kubernetes",
    "SLW-8607": "what a node remembers of its marks cannot be read",
    "SLW-8608": "marks of a node were not written",
}
