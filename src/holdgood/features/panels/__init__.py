"""From a table to a panel: series, grid, covariates by what is known when."""
