"""The cargo and its words: table, task, declaration, protocols, chain, events, errors, plugins, records.

Comes in: nothing.
Goes out: types and records that every room speaks in.
May touch: Arrow, NumPy, DuckDB in memory.
Never: import anything of holdgood outside core.
"""
