# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Keywords of sshd_config and the releases of OpenSSH that brought them: an unknown keyword stops sshd."""

from __future__ import annotations

import re
from typing import Optional

from .errors import TrustError

# Only what the configuration of ours uses. The oldest sshd that is still supported anywhere is 8.0 (RHEL 8).
SINCE: dict[str, tuple[int, int]] = {
    "RevokedKeys": (5, 4),
    "TrustedUserCAKeys": (5, 4),
    "HostCertificate": (5, 4),
    "AuthorizedPrincipalsFile": (5, 6),
    "ExposeAuthInfo": (7, 6),
    "Include": (8, 2),
    "UnusedConnectionTimeout": (9, 2),
    "PerSourcePenaltyExemptList": (9, 8),
}
OLDEST = (7, 6)


def parse_version(text: str) -> tuple[int, int]:
    """The release in what ``sshd -V`` prints, which older ones call an unknown option. Raises ``TrustError``."""
    found = re.search(r"OpenSSH_(\d+)\.(\d+)", text)
    if found is None:
        raise TrustError(
            "SLW-7301", f"sshd does not say which OpenSSH it is: {text.strip()[:200]!r}", "only OpenSSH is supported"
        )
    version = int(found.group(1)), int(found.group(2))
    if version < OLDEST:
        raise TrustError(
            "SLW-7301", f"OpenSSH {version[0]}.{version[1]} is too old for certificates as used here", "7.6 or later"
        )
    return version


def knows(version: tuple[int, int], keyword: str) -> bool:
    """Whether this release of sshd knows the keyword. Raises ``KeyError`` for one that is not in the table."""
    return version >= SINCE[keyword]


def option(version: tuple[int, int], keyword: str, value: str) -> Optional[str]:
    """The line of configuration, or nothing where sshd would refuse it or there is no value."""
    return f"{keyword} {value}" if value and knows(version, keyword) else None
