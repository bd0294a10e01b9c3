"""Units are lost as if by chance: as many as asked, elsewhere in each step, and none because of its neighbour."""

import numpy as np
import pytest
from scipy.stats import binom

from holdgood.models.tabular.lost_units import dropped, keys_of, mixed

jnp = pytest.importorskip("jax.numpy", reason="the extra 'deep' is not installed")
N = 400_000


def kept(epoch, step, share, shape=(N,), layer=0):
    return np.asarray(dropped(jnp.ones(shape), keys_of(jnp.uint32(epoch), jnp.uint32(step), 2)[layer], share))


@pytest.mark.parametrize("share", [1 / 256, 0.1, 0.25, 0.5])
def test_as_many_as_asked_and_the_mean_stays(share):
    exact = round(256 * share) / 256
    for epoch in (0, 1, 4_000_000_000):
        units = kept(epoch, 7, share)
        assert binom.ppf(1e-4, N, exact) <= (units == 0).sum() <= binom.ppf(1 - 1e-4, N, exact)
        assert np.unique(units[units > 0]) == pytest.approx(1 / (1 - exact))


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_layers_steps_epochs_and_neighbours_say_nothing_of_each_other(share):
    one = kept(3, 0, share) > 0
    others = [kept(3, 0, share, layer=1), kept(3, 1, share), kept(4, 0, share)]
    for other in [*(o > 0 for o in others), *(np.roll(one, k) for k in (1, 2, 3, 4, 128, 2048))]:
        assert abs(np.corrcoef(one, other)[0, 1]) < 4.5 / np.sqrt(N)


def test_the_same_key_loses_the_same_and_a_shape_needs_no_multiple_of_four():
    assert (kept(5, 2, 0.1) == kept(5, 2, 0.1)).all()
    assert kept(5, 2, 0.3, (7, 3, 11)).shape == (7, 3, 11)
    assert (kept(5, 2, 0.0) == 1).all()
    assert np.isfinite(kept(5, 2, 1.0)).all()


def test_mixing_loses_nothing():
    words = np.arange(2**20, dtype=np.uint32) * np.uint32(4099)
    assert len(np.unique(mixed(words))) == len(np.unique(words))
