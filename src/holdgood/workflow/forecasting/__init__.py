"""The line of a forecasting task: from a table to a panel, a backtest, paths, a bundle and a planner's report."""
