"""How numbers are distributed: their count, mean, standard deviation and limits."""

import math
from dataclasses import dataclass

__all__ = ["Spread"]


@dataclass(slots=True)
class Spread:
    """Summarises numbers that come one at a time.

    The mean and the squares are updated with each number (Welford 1962,
    doi:10.1080/00401706.1962.10490022), which loses no digits to large sums.

    Attributes
    ----------
    count : int
    mean : float
        0 without any.
    low, high : float
        The least and the most; infinite without any.

    Examples
    --------
    >>> spread = Spread()
    >>> for number in (1.0, 2.0, 6.0):
    ...     spread.add(number)
    >>> spread.count, spread.mean, round(spread.deviation, 3), spread.low, spread.high
    (3, 3.0, 2.646, 1.0, 6.0)
    """

    count: int = 0
    mean: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    _squares: float = 0.0

    def add(self, number: float) -> None:
        """Add a number."""
        self.count += 1
        before = number - self.mean
        self.mean += before / self.count
        self._squares += before * (number - self.mean)
        self.low, self.high = min(self.low, number), max(self.high, number)

    @property
    def deviation(self) -> float:
        """The standard deviation of a sample; 0 for fewer than two numbers."""
        return math.sqrt(self._squares / (self.count - 1)) if self.count > 1 else 0.0
