# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Bootstrap tokens as ``kubeadm token create`` makes them."""

from __future__ import annotations

import base64
import datetime
import re
import secrets
import string

from lab.api import Api
from lab.errors import LabError
from lab.kubeadm.objects import JOINING

PLACE = "/api/v1/namespaces/kube-system/secrets"
LETTERS = string.ascii_lowercase + string.digits
HOURS = 24


def create(api: Api, token: str = "") -> str:
    """Make a token that lives for a day, or the given one, and return it.

    :raises LabError: when it is none, or there is one of that id.
    """
    token = token or f"{_random(6)}.{_random(16)}"
    if not re.fullmatch(r"[a-z0-9]{6}\.[a-z0-9]{16}", token):
        raise LabError("the bootstrap token is not of the form [a-z0-9]{6}.[a-z0-9]{16}")
    identity, _, secret = token.partition(".")
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=HOURS)
    data = {
        "token-id": identity,
        "token-secret": secret,
        "expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "usage-bootstrap-authentication": "true",
        "usage-bootstrap-signing": "true",
        "auth-extra-groups": JOINING["name"],
    }
    body = {
        "metadata": {"name": f"bootstrap-token-{identity}"},
        "type": "bootstrap.kubernetes.io/token",
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
    }
    api.need("POST", PLACE, body)
    return token


def delete(api: Api, token: str) -> None:
    """Delete a token by itself or its id; it need not exist."""
    api.need("DELETE", f"{PLACE}/bootstrap-token-{token.partition('.')[0]}", None, 404)


def _random(length: int) -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(length))
