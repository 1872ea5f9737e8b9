"""Who notices one mutant: the simulation, played until a schedule breaks a promise, then tests."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass

from proofs.mutants.catalogue import named
from proofs.mutants.planting import Mutant, plant
from proofs.simulation.processes import TEMPLATE, play_here, set_up

_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+::.+?)(?: - .*)?$", re.MULTILINE)
#: Of pytest: every test passed, or some failed. Others mean that it could not run.
_RAN = {0, 1}


@dataclass(frozen=True, slots=True)
class Detection:
    """Who noticed a mutant, or that nobody did; `schedules` is how many were played, 0 if it is not simulated."""

    name: str
    schedules: int
    #: The promise that the simulation found broken; empty if it found none.
    promise: str = ""
    #: The test that failed; empty if none did, or none had to be asked.
    test: str = ""

    @property
    def survived(self) -> bool:
        """Whether nobody noticed."""
        return not (self.promise or self.test)

    @property
    def noticed_by(self) -> str:
        """For the table."""
        if self.survived:
            return "NOBODY"
        return "simulation" if self.promise else "test"


def detect(name: str, url: str, schedules: int, *, template: str = TEMPLATE) -> Detection:
    """Look for a mutant in this process, which must be a fresh one; `url` is the superuser's. Raises StaleMutant."""
    mutant = named(name)
    played, promise = simulate(mutant, url, schedules, template) if mutant.simulated else (0, "")
    if promise:
        return Detection(name, played, promise=promise)
    return Detection(name, played, test=ask_tests(mutant))


def simulate(mutant: Mutant, url: str, schedules: int, template: str) -> tuple[int, str]:
    """Play until a promise is broken; returns how many schedules that took, and the promise, or no text."""
    plant(mutant)
    set_up()
    from proofs.simulation.schedule import NoEnd  # noqa: PLC0415
    from proofs.simulation.scheduler import Hung  # noqa: PLC0415  (after the mutant is planted and Django set up)

    played = 0
    results = play_here(url, range(1, schedules + 1), f"mutant_{os.getpid()}", template=template, change=mutant.sql)
    try:
        for played, result in enumerate(results, 1):
            if result.violations:
                return played, result.violations[0]
    except (NoEnd, Hung) as error:
        return played + 1, str(error)
    return played, ""


def ask_tests(mutant: Mutant) -> str:
    """Run a mutant's tests until one fails; returns it as pytest names it, or no text. Raises RuntimeError."""
    if not mutant.tests:
        return ""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [*command, "-p", "proofs.mutants.plugin", *mutant.tests],
        env=os.environ | {"MUTANT": mutant.name},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode not in _RAN:
        raise RuntimeError(f"pytest could not run for {mutant.name}:\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    found = _FAILED.search(run.stdout)
    return found[1] if found else ""
