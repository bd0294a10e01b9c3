"""Where work runs: this process, local processes, later a cluster.

Comes in: functions and their arguments.
Goes out: results as they come, or the reason why not.
May touch: processes.
Never: know what the work is about.
"""

from holdgood.scale.given_back import give_back
from holdgood.scale.local import Handle, Pool
from holdgood.scale.machine import cores, memory_available
from holdgood.scale.shared import Shared, put

__all__ = ["Handle", "Pool", "Shared", "cores", "give_back", "memory_available", "put"]
