"""The live view of one moment as an SVG image, for the README."""

import os
import re
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console, RenderableType

from local.demo.view import ViewState, render

WIDTH, HEIGHT = 104, 40
# Rich's frame asks the web for its font; an image in a repository should load nothing.
FRAME = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


class Screenshot:
    """Keeps the view of the busiest moment: the one with the most sales under way and done."""

    def __init__(self) -> None:
        """Nothing has been seen yet."""
        self._busiest = -1
        self._view: RenderableType = ""

    def look(self, state: ViewState) -> None:
        """Keep this moment if it is the busiest so far."""
        loans = state.figures.loans
        busy = loans.get("liquidating", 0) * (1 + loans.get("liquidated", 0))
        if busy >= self._busiest:
            self._busiest = busy
            self._view = render(state, HEIGHT)

    def write(self, path: Path) -> None:
        """Write the kept moment as SVG."""
        with Path(os.devnull).open("w") as nowhere:
            console = Console(record=True, width=WIDTH, height=HEIGHT, file=nowhere, force_terminal=True)
            console.print(self._view)
            path.write_text(console.export_svg(title="make demo", code_format=FRAME))
