"""What binds many orders together: budgets and capacities, joint minimums of a supplier, floors, closed suppliers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from holdgood.core.errors import DataError, DeclarationError


@dataclass(frozen=True, eq=False)
class Limit:
    """All orders together take at most ``most``: money, volume, weight, pallets. weight (n,): what a unit of each item takes."""

    name: str
    weight: np.ndarray
    most: float


@dataclass(frozen=True, eq=False)
class JointMinimum:
    """A supplier delivers from ``least`` on, all its items together.

    items (n,) bool: its items. weight (n,): what a unit counts. fixed: cost of ordering from it at all. obliged: True where an
    agreement says that it must be ordered from now; else nothing may be ordered instead.
    """

    name: str
    items: np.ndarray
    weight: np.ndarray
    least: float
    fixed: float = 0.0
    obliged: bool = False


@dataclass(frozen=True, eq=False)
class Constraints:
    """All of them, for n items. at_least (n,): units that must be ordered. closed (n,) bool: no order can be given now."""

    limits: tuple[Limit, ...] = ()
    joint: tuple[JointMinimum, ...] = ()
    at_least: np.ndarray | None = None
    closed: np.ndarray | None = field(default=None)

    def checked(self, n: int) -> None:
        """Refuse what has another number of items, negative or missing numbers, and names that are used twice."""
        numbers = [(f"weight of {x.name!r}", x.weight) for x in self.limits]
        numbers += [(f"weight of {x.name!r}", x.weight) for x in self.joint]
        numbers += [(f"items of {x.name!r}", x.items) for x in self.joint]
        if self.at_least is not None:
            numbers.append(("at_least", self.at_least))
        if self.closed is not None:
            numbers.append(("closed", self.closed))
        for what, values in numbers:
            if np.shape(values) != (n,):
                raise DataError(
                    f"{what} of shape {np.shape(values)}", f"one number for each of {n} items", "pass as many"
                )
            wrong = ~(np.asarray(values, float) >= 0) | np.isinf(np.asarray(values, float))
            if wrong.any():
                at = int(np.flatnonzero(wrong)[0])
                raise DataError(
                    f"{what} of item {at} is {values[at]}",
                    "a number of zero or more",
                    "an item without a price or size has to be left out",
                )
        for what, amount in [(x.name, x.most) for x in self.limits] + [(x.name, x.least) for x in self.joint]:
            if not amount >= 0:
                raise DeclarationError(f"{what!r} is {amount}", "an amount of zero or more", "correct it")
        names = [x.name for x in self.limits] + [x.name for x in self.joint]
        if len(set(names)) < len(names):
            twice = next(x for x in names if names.count(x) > 1)
            raise DeclarationError(f"two constraints named {twice!r}", "a name of its own for each", "rename one")


class ConflictError(DeclarationError):
    """Constraints that cannot all be kept. conflict: names of a smallest set that excludes each other. nearest: new amounts by name that
    can be kept, with the least change in shares of the old ones. floors: items whose floor is too high. quantity (n,): orders that keep those.
    """

    def __init__(self, came: str, expected: str, do: str) -> None:
        super().__init__(came, expected, do)
        self.conflict: tuple[str, ...] = ()
        self.nearest: dict[str, float] = {}
        self.floors: np.ndarray = np.zeros(0, np.int64)
        self.quantity: np.ndarray = np.zeros(0)
