# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Starting the programs that sources need, with an environment of our own making."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence

from ..errors import RenderError
from .codes import TOOL_MISSING, TOOL_TIMEOUT

DEFAULT_TIMEOUT = 120.0
"""Seconds. Rendering takes well below one; this bound is for what hangs."""

_PASSED_ON = ("PATH", "TMPDIR", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR")
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


class ProgramError(Exception):
    """The program ended with an error. ``text`` is what it said."""

    def __init__(self, returncode: int, text: str) -> None:
        super().__init__(text)
        self.returncode = returncode
        self.text = text


def clean_environment(extra: Mapping[str, str], also: Sequence[str] = ()) -> dict[str, str]:
    """An environment without the user's clusters: no kubeconfig, no in-cluster address, nothing of Helm's."""
    inherited = {name: os.environ[name] for name in (*_PASSED_ON, *also) if name in os.environ}
    return {**inherited, "KUBECONFIG": os.devnull, **extra}


def run(
    argv: Sequence[str],
    env: Mapping[str, str],
    stdin: bytes = b"",
    descriptors: Sequence[int] = (),
    timeout: float = DEFAULT_TIMEOUT,
    with_stderr: bool = False,
) -> str:
    """What the program prints. ``descriptors`` stay open in it; ``timeout`` in seconds.

    Raises ProgramError, or RenderError SLW-2008 and SLW-2009.
    """
    try:
        done = subprocess.run(
            list(argv),
            input=stdin,
            env=dict(env),
            capture_output=True,
            pass_fds=tuple(descriptors),
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RenderError(TOOL_TIMEOUT, f"{argv[0]} {argv[1]} was stopped after {timeout:.0f} s") from None
    except OSError as err:
        raise RenderError(
            TOOL_MISSING, f"{argv[0]} cannot be started: {err.strerror}", "install it or name another path"
        ) from None
    if done.returncode:
        raise ProgramError(done.returncode, done.stderr.decode("utf-8", "replace").strip())
    printed = done.stderr + done.stdout if with_stderr else done.stdout
    return printed.decode("utf-8", "replace")
