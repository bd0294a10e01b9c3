from typing import ClassVar

import numpy as np
import pytest

from holdgood.core.records import Alarm
from holdgood.testing.detector import check_detector


class Means:
    """A detector in a dozen lines: a shift of any number's mean, Bonferroni."""

    code: ClassVar[str] = "TST001"
    title: ClassVar[str] = "A mean has moved"
    bound: ClassVar[float] = 3.2

    def look(self, reference, current, *, alpha, seed):
        found = []
        for feature, a, b in zip(reference.features, reference.arrays, current.arrays, strict=True):
            if feature.type != "number" or len(b) < 20 or np.isnan(a).all() or np.isnan(b).all():
                continue
            error = np.sqrt(np.nanvar(a) / len(a) + np.nanvar(b) / len(b))
            z = abs(np.nanmean(a) - np.nanmean(b)) / error if error > 0 else 0.0
            if z > self.bound:
                sizes = {"n_reference": len(a), "n_current": len(b)}
                found.append(
                    Alarm(
                        code=self.code, title=self.title, subject=feature.name, severity="low", message="moved",
                        statistic=z, alpha=alpha, **sizes,
                    )
                )  # fmt: skip
        return sorted(found, key=lambda alarm: -alarm.statistic)


class Deaf(Means):
    bound: ClassVar[float] = 1e9


class Nervous(Means):
    bound: ClassVar[float] = 1.5


class Changing(Means):
    def look(self, reference, current, *, alpha, seed):
        found = super().look(reference, current, alpha=alpha, seed=seed)
        current.arrays[0][:] = 0.0
        return found


class ByName(Means):
    def look(self, reference, current, *, alpha, seed):
        found = super().look(reference, current, alpha=alpha, seed=seed)
        return sorted(found, key=lambda alarm: alarm.subject)


def test_a_sound_detector_passes():
    check_detector(Means())


@pytest.mark.parametrize(
    ("detector", "said"),
    [
        (Deaf(), "there was no alarm"),
        (Nervous(), "looks at unchanged rows"),
        (Changing(), "changed the rows|two looks"),
        (ByName(), "other column names"),
        (object(), "a detector has a code"),
    ],
)
def test_faults_are_found(detector, said):
    with pytest.raises(AssertionError, match=said):
        check_detector(detector)
