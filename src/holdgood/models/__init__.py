"""Learners: one family, one file, simplest first.

Comes in: a Matrix and coded outcomes.
Goes out: predictions; parts that a bundle can keep.
May touch: the rows it is given.
Never: choose rows, tune itself on others, keep a library's private state.
"""
