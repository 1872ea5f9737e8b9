"""The outcome of a cell."""

from dataclasses import dataclass, field

from proofs.kill_matrix.cells import Cell

#: The promise: the work of any killed process is completed within so many seconds.
PROMISED_SECONDS = 60


@dataclass(slots=True)
class Outcome:
    """Who died, and in how many seconds everything was complete after that; None if nobody did."""

    cell: Cell
    victim: str = ""
    seconds: float | None = None
    complaints: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Complain of a failpoint that was not reached, and of a recovery that took too long."""
        if self.seconds is None:
            self.complaints.append("the failpoint was not reached")
        elif self.seconds > PROMISED_SECONDS:
            self.complaints.append(f"not complete within {PROMISED_SECONDS} s")
