# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Tokens that others renew in a file: read whenever one is needed, while the session lasts."""

from __future__ import annotations

from pathlib import Path

from ..errors import ProviderError
from .http import LIMIT, reason


def read_token(path: Path) -> str:
    """Raises ``ProviderError`` that names the file and quotes nothing of it."""
    advice = "it has to hold one JSON web token, and this user has to be allowed to read it"
    try:
        with path.open("rb") as file:
            text = file.read(LIMIT).decode("ascii", "replace").strip()
    except OSError as exc:
        raise ProviderError(
            "SLW-7114", f"the token for the login cannot be read: {path}: {reason(exc)}", advice
        ) from exc
    if len(text.split()) != 1 or not text.isascii():
        raise ProviderError("SLW-7114", f"{path} holds no token for the login", advice)
    return text
