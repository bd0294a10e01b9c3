"""How much to order: textbook models, and orders from joint sample paths with what is on hand and on the way.

Comes in: sample paths or parameters of demand, stock, terms.
Goes out: quantities, levels, and what they cost on average.
May touch: declared costs.
Never: see demand that has not happened.
"""
