# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The typed error of trust on hosts. This room also runs on hosts, on Python 3.8 and without other packages."""

from __future__ import annotations

from ..session.errors import SessionError


class TrustError(SessionError):
    """A host cannot be made to trust, or to stop trusting, what it should (SLW-73xx)."""
