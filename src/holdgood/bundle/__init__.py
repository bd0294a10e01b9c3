"""One folder on disk that is the model: saved, hashed, verified, loaded.

Comes in: persistable parts and records.
Goes out: a folder and its Bundle manifest.
May touch: arrays, JSON, native booster files.
Never: write or run executable content.
"""

from holdgood.bundle.load import LoadedBundle, load
from holdgood.bundle.save import save
from holdgood.bundle.verify import verify

__all__ = ["LoadedBundle", "load", "save", "verify"]
