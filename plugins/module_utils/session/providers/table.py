# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The certificate authorities that a session can use: one file and one line for each."""

from __future__ import annotations

from ..provider import Kind
from . import local, openbao, step_ca

PROVIDERS: dict[str, Kind] = {kind.name: kind for kind in (openbao.KIND, local.KIND, step_ca.KIND)}
