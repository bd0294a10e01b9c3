"""Runs inside Raha's environment: detect wrong cells of one table with 20 labelled rows, the clean twin standing in for the person.

python raha_runner.py NAME DIRTY.csv CLEAN.csv LABELS SEED
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time

import numpy as np
import pandas  # noqa: F401  (before the names below are put back: pandas must see the new numpy)
import scipy.stats  # noqa: F401
import sklearn.ensemble  # noqa: F401

for _name, _kind in (("bool", bool), ("int", int), ("float", float), ("object", object)):
    if _name not in np.__dict__:
        setattr(np, _name, _kind)  # names that its code of 2018 uses and newer numpy took away


def main() -> None:
    import raha

    name, dirty, clean, labels, seed = sys.argv[1:]
    random.seed(int(seed))
    np.random.seed(int(seed))
    tempfile.tempdir = tempfile.mkdtemp()
    data = {"name": name, "path": dirty, "clean_path": clean}
    begun = time.process_time()
    app = raha.detection.Detection()
    app.LABELING_BUDGET, app.SAVE_RESULTS, app.VERBOSE = int(labels), False, False
    found = app.run(data)
    precision, recall, f1 = raha.dataset.Dataset(data).get_data_cleaning_evaluation(found)[:3]
    told = {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4), "told": len(found)}
    print("@@" + json.dumps({**told, "cpu_s": round(time.process_time() - begun, 1)}))


if __name__ == "__main__":
    main()
