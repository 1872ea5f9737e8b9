"""What a check of the doctor raises."""


class Trouble(Exception):
    """Something is wrong: what was `found`, and the `remedy`, both in sentences.

    Trouble that matters `only_with_real_money` is accepted while DEMO or DEBUG is true.
    """

    def __init__(self, found: str, remedy: str, *, only_with_real_money: bool = False) -> None:
        """All that whoever runs the doctor is told."""
        super().__init__(found)
        self.found, self.remedy, self.only_with_real_money = found, remedy, only_with_real_money
