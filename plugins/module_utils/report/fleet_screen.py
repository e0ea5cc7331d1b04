# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The table of a fleet for whoever sits at a terminal: the same cells and lines, with colours."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress

with suppress(ImportError):  # the shell names what is missing
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

from ..fleet.cluster import Fleet
from .fleet_text import HEADINGS, NUMBERS, detail_lines, head_line, row, sign

_COLOURS = {"?": "red", "!": "red", "~": "yellow", "=": "green"}


def screen_lines(fleet: Fleet, width: int, *, verbose: bool = False) -> Iterator[str]:
    """``width``: columns of the terminal."""
    table = Table(box=box.SIMPLE, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("")
    for heading in HEADINGS:
        table.add_column(heading, justify="right" if heading in NUMBERS else "left", overflow="fold")
    for one in fleet.clusters:
        if one.answered:
            mark = sign(one)
            table.add_row(Text(mark, _COLOURS[mark]), *(Text(cell) for cell in row(one)))
    paper = io.StringIO()
    console = Console(file=paper, force_terminal=True, width=width)
    console.print(Text(head_line(fleet), "bold"), soft_wrap=True)
    if table.row_count:
        console.print(table)
    for one in fleet.clusters:
        for line in detail_lines(one, verbose=verbose):
            console.print(Text(line, _COLOURS[sign(one)]), soft_wrap=True)
    yield from paper.getvalue().splitlines()
