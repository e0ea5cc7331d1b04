# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The stable codes of images, as hosts and the controller tell them (SLW-875x)."""

from __future__ import annotations

CODES: dict[str, str] = {
    "SLW-8750": "image holds what must not be in it",
    "SLW-8751": "host of this kind cannot be sealed",
    "SLW-8752": "host is still a node of the cluster",
    "SLW-8753": "nodes of this network plugin cannot be made from an image",
    "SLW-8754": "host is not as Kubespray prepares one",
    "SLW-8755": "consent to seal a host is not its name",
    "SLW-8756": "something is mounted where files are to be removed",
    "SLW-8757": "program that sealing needs has failed",
    "SLW-8758": "file of the host cannot be made a template",
    "SLW-8759": "file of the host cannot be read or written",
}
