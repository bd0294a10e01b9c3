"""Raw tables in, answers out.

Comes in: a path, a URL or a frame, and options.
Goes out: a Table with notes on what was odd.
May touch: files, databases.
Never: change a value silently, look at a target.
"""

from holdgood.connectors.read import name_of, read_table
from holdgood.connectors.write import write_table

__all__ = ["name_of", "read_table", "write_table"]
