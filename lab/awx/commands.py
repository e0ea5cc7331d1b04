# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Programs that a run starts: stopped when it is canceled or takes too long."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from lab.awx.outcome import CanceledError

POLL = 0.05


class TimeoutPassedError(Exception):
    """The run's own timeout has passed."""


def run(
    command: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str],
    canceled: threading.Event,
    output: Path,
    *,
    seconds: float = 0.0,
) -> int:
    """The exit status; output goes to a file. ``seconds``: how long it may take, 0 for ever.

    :raises CanceledError: when the run was canceled meanwhile; the program is dead then, and all that it started.
    :raises TimeoutPassedError: likewise.
    """
    deadline = time.monotonic() + seconds if seconds else None
    with output.open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                if canceled.wait(POLL):
                    raise CanceledError
                if deadline is not None and time.monotonic() > deadline:
                    raise TimeoutPassedError
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return process.returncode
