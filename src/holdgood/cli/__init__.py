"""The command line: parse, call workflow, draw.

Comes in: arguments.
Goes out: text, JSON, exit codes.
May touch: the terminal.
Never: do arithmetic or know the order of steps.
"""
