"""Where work runs: this process, local processes, later a cluster.

Comes in: functions and their arguments.
Goes out: results as they come, or the reason why not.
May touch: processes.
Never: know what the work is about.
"""

from holdgood.scale.local import Handle, Pool
from holdgood.scale.machine import cores, memory_available

__all__ = ["Handle", "Pool", "cores", "memory_available"]
