"""A column that grows part by part is the column of all values at once."""

from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.connectors.python_values import Growing, to_column

value = st.one_of(
    st.none(),
    # beyond 2**53 a whole number beside a float is that float, and as text it ends in .0 where the float came in its part
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=4),
    st.binary(max_size=3),
)
homogeneous = st.sampled_from(
    [
        st.none() | st.integers(-9, 9),
        st.none() | st.text(max_size=3),
        st.floats(allow_nan=False),
        st.none() | st.integers(-(2**70), 2**70),
        st.integers(-(2**70), 2**70) | st.floats(allow_nan=False),
        st.booleans() | st.none(),
    ]
)


@given(
    st.lists(st.lists(value, max_size=6), min_size=1, max_size=5)
    | homogeneous.flatmap(lambda kind: st.lists(st.lists(kind, max_size=6), min_size=1, max_size=5))
)
@settings(max_examples=50, deadline=None)
def test_parts_agree_with_the_whole(parts):
    growing = Growing("c")
    column, notes, unusable = growing.settle([growing.add(p) for p in parts])
    array, whole_notes, whole_unusable = to_column("c", [v for p in parts for v in p])
    assert column.type == array.type
    assert column.to_pylist() == array.to_pylist()
    assert (notes, unusable) == (whole_notes, whole_unusable)
