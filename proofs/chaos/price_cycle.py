"""The load: the price falls by half and comes back, again and again, so that sales are always under way."""

from local.demo.simulators import Simulators

FIRST_FALL_SECONDS, QUIET_SECONDS, LOW_SECONDS, SLOPE_SECONDS = 9.0, 14.0, 8.0, 3.0


class PriceCycle:
    """Call `go_on` often with the seconds that have passed."""

    def __init__(self, world: Simulators) -> None:
        """Begin with quiet trade."""
        self._world = world
        self.rests = False
        """Set by a fault that needs the price to stay as it is, or moves it itself."""
        self._low = False
        self._turns_at = FIRST_FALL_SECONDS

    def go_on(self, elapsed: float) -> None:
        """Turn the price when its time has come. Raises requests.RequestException if a market did not hear."""
        if self.rests or elapsed < self._turns_at:
            return
        self._low = not self._low
        self._turns_at = elapsed + SLOPE_SECONDS + (LOW_SECONDS if self._low else QUIET_SECONDS)
        if self._low:
            self._world.crash(SLOPE_SECONDS)
        else:
            self._world.recover(SLOPE_SECONDS)
