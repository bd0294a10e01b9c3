"""A mixed integer linear program and HiGHS, which solves it: the only place that knows the solver."""

from __future__ import annotations

from dataclasses import dataclass, replace

import highspy
import numpy as np
from scipy import sparse


@dataclass(frozen=True, eq=False)
class Program:
    """Least ``money @ x`` with ``least <= x <= most``, ``low <= rows @ x <= high``, and x whole where ``whole``.

    money, whole (bool), least, most: (columns,). rows: (r, columns); low, high: (r,). named: the rows of each name that a user knows.
    """

    money: np.ndarray
    whole: np.ndarray
    least: np.ndarray
    most: np.ndarray
    rows: sparse.csr_array
    low: np.ndarray
    high: np.ndarray
    named: dict[str, np.ndarray]

    def relaxed(self) -> Program:
        """The same without whole numbers."""
        return replace(self, whole=np.zeros_like(self.whole))

    def whole_at(self, columns: np.ndarray) -> Program:
        """The same with whole numbers in these columns alone."""
        whole = np.zeros_like(self.whole)
        whole[columns] = True
        return replace(self, whole=whole)

    def fixed(self, columns: np.ndarray, values: np.ndarray) -> Program:
        """The same with some columns set."""
        least, most = self.least.copy(), self.most.copy()
        least[columns] = most[columns] = values
        return replace(self, least=least, most=most)

    def without(self, names: set[str]) -> Program:
        """The same with the rows of some names open."""
        low, high = self.low.copy(), self.high.copy()
        for name in names:
            low[self.named[name]], high[self.named[name]] = -np.inf, np.inf
        return replace(self, low=low, high=high)

    def solved(self, *, gap: float = 0.0, seconds: float = 60.0, start: np.ndarray | None = None) -> Solution:
        """Solve it to a share ``gap`` of the best, or as well as the seconds allow; start: a point that keeps every row."""
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", 1)
        solver.setOptionValue("mip_rel_gap", gap)
        solver.setOptionValue("time_limit", seconds)
        task = highspy.HighsLp()
        task.num_col_, task.num_row_ = len(self.money), len(self.low)
        task.col_cost_, task.col_lower_, task.col_upper_ = self.money, self.least, self.most
        task.row_lower_, task.row_upper_ = self.low, self.high
        task.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        task.a_matrix_.start_, task.a_matrix_.index_ = self.rows.indptr, self.rows.indices
        task.a_matrix_.value_ = self.rows.data
        if self.whole.any():
            kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
            task.integrality_ = [kinds[int(w)] for w in self.whole]
        solver.passModel(task)
        if start is not None:
            solver.setSolution(len(start), np.arange(len(start), dtype=np.int32), start)
        solver.run()
        info, status = solver.getInfo(), solver.getModelStatus()
        found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        impossible = status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)
        point = solver.getSolution()
        bound = info.mip_dual_bound if self.whole.any() else info.objective_function_value
        return Solution(
            np.array(point.col_value) if found and not impossible else None,
            info.objective_function_value,
            bound,
            np.array(point.row_dual) if point.dual_valid else np.zeros(len(self.low)),
            impossible,
        )


@dataclass(frozen=True, eq=False)
class Solution:
    """x: the point found, or None. money: its cost. bound: nothing costs less. worth (r,): what one more of each row's amount changes in the
    cost (of a program without whole numbers). impossible: it is proved that no point keeps every row.
    """

    x: np.ndarray | None
    money: float
    bound: float
    worth: np.ndarray
    impossible: bool
