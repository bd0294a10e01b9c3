"""Orders: a forecast, the state of the stock and declared terms become a plan that people accept, change or reject."""
