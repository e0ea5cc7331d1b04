# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The stable codes of credentials.

SLW-70xx: settings; 71xx: authorities; 72xx: hosts; 73xx: trust on hosts; 74xx: tokens of Kubernetes.
"""

from __future__ import annotations

CODES: dict[str, str] = {
    "SLW-7001": "settings of the session cannot be used",
    "SLW-7010": "Python package for the session is missing",
    "SLW-7011": "session's agent did not start",
    "SLW-7012": "session's agent does not answer",
    "SLW-7041": "secret for the authority is missing",
    "SLW-7042": "secret for the authority cannot be used",
    "SLW-7043": "authority file for TLS cannot be used",
    "SLW-7044": "CA key cannot be used",
    "SLW-7045": "CA key is not protected",
    "SLW-7101": "authority does not answer",
    "SLW-7102": "certificate of the authority is not trusted",
    "SLW-7103": "authority is sealed or not ready",
    "SLW-7104": "authority has a fault",
    "SLW-7105": "answer is not that of an authority",
    "SLW-7110": "login is refused",
    "SLW-7111": "token is not accepted",
    "SLW-7112": "wrapping token was used before",
    "SLW-7113": "wrapping token holds something else",
    "SLW-7114": "token for the login cannot be read",
    "SLW-7120": "policy does not allow signing",
    "SLW-7121": "principal is not allowed",
    "SLW-7122": "certificate would live too long",
    "SLW-7123": "role, mount or namespace does not exist",
    "SLW-7124": "role refuses the request",
    "SLW-7130": "host authority cannot be used",
    "SLW-7151": "certificate had ended when it came",
    "SLW-7152": "certificate is not what was asked for",
    "SLW-7201": "host is not certified",
    "SLW-7202": "nobody says who certifies hosts",
    "SLW-7203": "ssh does not say which host it talks to",
    "SLW-7401": "access by a control plane host is not possible as set",
    "SLW-7402": "kubeconfig on the host cannot be used",
    "SLW-7403": "control plane host cannot be asked",
    "SLW-7404": "what a reader may see cannot be told",
    "SLW-7405": "forward to the API server does not work",
    "SLW-7406": "rights of a run were not taken back",
    "SLW-7407": "life of a token is out of bounds",
    "SLW-7408": "group of a join token is no bootstrappers' group",
    "SLW-7409": "API server cannot be reached from the controller",
}
