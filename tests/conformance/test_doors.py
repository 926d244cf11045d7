"""What comes in at the door: every bad value is refused with its place, every honest array gives the same digits.

There are two doors, the function and ``lossctl.compute``; both are held to the same rules.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import lossctl
from lossctl.errors import DataError
from lossctl.model.kinds import Sizes
from lossctl.model.params import value_text

ROWS = 9


def call_text(case: Any) -> str:
    return ":".join([case.entry.name, *(f"{k}={value_text(v, '/')}" for k, v in case.given)])


def through_function(case, arrays):
    return np.asarray(case.call(arrays))


def through_compute(case, arrays, **options):
    return lossctl.compute(call_text(case), *case.arguments(arrays), **options)


def row_values(case, arrays, **options):
    """The values of rows by way of ``compute``; of a data-set loss its value."""
    done = through_compute(case, arrays, **options)
    if case.per == "dataset":
        return np.asarray(done.value)
    return done.per_sample


DOORS = {"function": through_function, "compute": row_values}


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> Any:
    return DOORS[request.param]


def same(one: Any, other: Any) -> bool:
    one, other = np.asarray(one), np.asarray(other)
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind in "fc"))


def refused(way: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        way()
    assert caught.value.exit == 3
    return caught.value


# Bad values.


def test_every_bad_value_is_refused(case, door):
    """With the code that the kind announces, the role, and a row where the value stands."""
    good = case.sample(ROWS)
    if "simplex" in case.forms or not case.counting(good).all():
        pytest.skip("what is bad for labels is good for distributions, and ignored rows are not looked at")
    for i in case.inputs:
        for code, bad in i.kind.spoil(good[i.role], case.params):
            error = refused(lambda r=i.role, b=bad: door(case, {**good, r: b}))
            assert error.code == code
            assert i.role in f"{error.message} {error.where()}"
            assert error.row is not None
            changed = (bad != np.asarray(good[i.role])).reshape(ROWS, -1).any(axis=1)
            verdict = not error.message.startswith(f"{case.spec.name}: {i.role} = ")
            assert verdict or changed[error.row - 1]
            assert 1 <= error.row <= ROWS


def test_bad_distributions_are_refused(plain, door):
    """Rows that are no distribution, where a distribution may stand for a label."""
    good = plain.sample(ROWS)
    for i, form in zip(plain.inputs, plain.forms, strict=True):
        if form == "simplex":
            array = good[i.role]
            negative = np.array(array)
            negative[3, :2] += [-1.0, 1.0]
            light, holed = np.array(array), np.array(array)
            light[3] *= 0.9
            holed[3, 1] = np.nan
            wanted = ((negative, {"negative", "not-a-probability"}), (light, {"not-normalised"}), (holed, {"nan"}))
            for bad, codes in wanted:
                error = refused(lambda r=i.role, b=bad: door(plain, {**good, r: b}))
                assert error.code in codes
                assert error.row == 4


def test_compute_names_the_column(plain):
    good = plain.sample(ROWS)
    if "simplex" in plain.forms:
        pytest.skip("what is bad for labels is good for distributions")
    for i in plain.inputs:
        for _, bad in i.kind.spoil(good[i.role], plain.params):
            error = refused(lambda r=i.role, b=bad: through_compute(plain, {**good, r: b}))
            assert error.column == i.role
            assert error.file


def test_the_row_that_is_named(plain, door):
    """A NaN in any row is found in that row, whatever the chunk."""
    good = plain.sample(ROWS)
    for i in plain.inputs:
        if good[i.role].dtype.kind != "f":
            continue
        for place in (0, 4, ROWS - 1):
            bad = np.array(good[i.role])
            bad.reshape(ROWS, -1)[place, 0] = np.nan  # the first: lengths may take the last away
            ways = [lambda a: door(plain, a), *(lambda a, c=c: through_compute(plain, a, chunk_rows=c) for c in (1, 4))]
            for way in ways:
                error = refused(lambda w=way, r=i.role, b=bad: w({**good, r: b}))
                assert (error.code, error.row) == ("nan", place + 1)
                assert i.role in error.message


def test_dtypes_that_hold_no_numbers(plain, door):
    """Complex numbers, dates, bytes, records and objects are refused by name."""
    good = plain.sample(ROWS)
    for i in plain.inputs:
        if i.kind.decode(plain.params, None) == "text":
            continue
        shape = np.shape(good[i.role])
        for strange in (
            np.zeros(shape, complex),
            np.zeros(shape, "M8[s]"),
            np.zeros(shape, "m8[s]"),
            np.full(shape, b"1", "S1"),
            np.zeros(shape, [("x", "f8")]),
            np.full(shape, object()),
        ):
            error = refused(lambda r=i.role, b=strange: door(plain, {**good, r: b}))
            assert error.code == "dtype"
            assert i.role in f"{error.message} {error.where()}"


def test_text_where_numbers_belong(plain, door):
    good = plain.sample(ROWS)
    for i in plain.inputs:
        if i.kind.decode(plain.params, None) in {"real", "binary"}:
            strange = np.full(np.shape(good[i.role]), "1.5")
            error = refused(lambda r=i.role, b=strange: door(plain, {**good, r: b}))
            assert i.role in f"{error.message} {error.where()}"


def test_integers_beyond_2_53_are_refused(plain, door):
    """float64 cannot tell such neighbours apart, so the row is named instead of rounded."""
    good = plain.sample(ROWS)
    for i in plain.inputs:
        if i.kind.decode(plain.params, None) not in {"real", "binary"}:
            continue
        large = np.zeros(np.shape(good[i.role]), np.int64)
        large.reshape(-1)[-1] = 2**53 + 1
        error = refused(lambda r=i.role, b=large: door(plain, {**good, r: b}))
        assert error.code == "integer-too-large"
        assert i.role in f"{error.message} {error.where()}"


# Shapes.


def test_one_column_is_a_vector(plain, door):
    """(N, 1) is taken as (N,) where a row is not a vector, role by role and all at once."""
    good = plain.sample(ROWS)
    expected = door(plain, good)
    flat = [i.role for i in plain.inputs if good[i.role].ndim == 1 and i.kind.flat]
    flat = [role for role in flat if kind_of(plain, role).decode(plain.params, None) not in {"text", "class", "label"}]
    for roles in [[role] for role in flat] + [flat]:
        column = {role: a[:, None] if role in roles else a for role, a in good.items()}
        assert same(door(plain, column), expected)


def kind_of(case, role):
    return next(i.kind for i in case.inputs if i.role == role)


def test_nothing_is_broadcast(plain, door):
    """Elements against elements: (N, 2) is neither (N,) nor (N, 3), and the error states both shapes."""
    roles = [i.role for i in plain.inputs if i.kind.elementwise(plain.params)]
    good = plain.sample(ROWS)
    for role in roles:
        others = [r for r in roles if r != role]
        if not others:
            continue
        for columns in (2, 4):
            wrong = np.repeat(good[role].reshape(ROWS, -1)[:, :1], columns, axis=1)
            error = refused(lambda r=role, w=wrong: door(plain, {**good, r: w}))
            assert error.code in {"shapes-differ", "shape", "lengths-differ", "dtype"}
            stated = f"{error.message} {error.where()}"
            assert role in stated
            if error.code == "shapes-differ":
                assert f"N x {columns}" in stated
                other = good[others[0]]
                assert (f"N x {other.shape[1]}" if other.ndim > 1 else f"{others[0]} is N") in stated


def test_too_many_columns_beside_scores(plain, door):
    """Arrays of two axes agree in the second, whatever their kinds."""
    good = plain.sample(ROWS)
    rows = {i.role for i in plain.inputs if i.kind.decode(plain.params, None) in {"units", "sequence"}}
    wide = [role for role, a in good.items() if a.ndim == 2 and role not in rows]
    for role in wide if len(wide) > 1 else []:
        wrong = np.concatenate([good[role], good[role][:, :1]], axis=1)
        error = refused(lambda r=role, w=wrong: door(plain, {**good, r: w}))
        assert error.code in {"shapes-differ", "shape"}
        assert f"N x {wrong.shape[1]}" in error.message
        assert any(f"{other} is N x {good[other].shape[1]}" in error.message for other in wide if other != role)


def test_three_axes_are_refused(plain, door):
    good = plain.sample(ROWS)
    for role in [i.role for i in plain.inputs if all(form.count(" ") < 2 for form in i.kind.axes.split(" | "))]:
        cube = np.zeros((ROWS, 2, 3))
        error = refused(lambda r=role, c=cube: door(plain, {**good, r: c}))
        assert error.code in {"shape", "dtype"}
        assert role in f"{error.message} {error.where()}"
        assert error.code == "dtype" or "N x 2 x 3" in error.message


def test_no_axes_are_refused(plain, door):
    good = plain.sample(ROWS)
    if len(good) < 2 or any(i.kind.unpaired for i in plain.inputs):
        pytest.skip("a number that nothing stands beside is one row")
    for role in (i.role for i in plain.inputs):
        error = refused(lambda r=role: door(plain, {**good, r: np.float64(1.0)}))
        assert role in f"{error.message} {error.where()}"


def test_different_lengths_are_refused(plain, door):
    """One row too few or too many in any role: the error states both lengths."""
    good = plain.sample(ROWS)
    if len(good) < 2 or any(i.kind.unpaired for i in plain.inputs):
        pytest.skip("one role has nothing to differ from")
    for role in (i.role for i in plain.inputs):
        for wrong in (good[role][:-1], np.concatenate([good[role], good[role][:1]])):
            error = refused(lambda r=role, w=wrong: door(plain, {**good, r: w}))
            assert error.code in {"lengths-differ", "shapes-differ"}
            assert str(ROWS) in error.message
            assert str(len(wrong)) in error.message


def test_number_of_inputs(plain):
    arrays = plain.arguments(plain.sample(ROWS))
    needed = sum(not i.optional for i in plain.spec.inputs)
    for wrong in (arrays[: needed - 1], [*arrays, arrays[0]]):
        with pytest.raises(TypeError, match=plain.spec.roles[0]):
            plain.door(*wrong)
        with pytest.raises(lossctl.errors.UsageError) as caught:
            lossctl.compute(plain.entry.name, *wrong)
        assert (caught.value.exit, caught.value.code) == (2, "file-count" if wrong else "no-input")


# Honest arrays of every make.


def exact(array: Any, dtype: str) -> Any:
    """A float array whose values the narrow dtype holds exactly."""
    return array if array.dtype.kind != "f" else array.astype(dtype).astype(np.float64)


def makes(array: Any) -> dict[str, Any]:
    """The same numbers in memory otherwise, and in other libraries' hands."""
    array = np.asarray(array)
    spread = np.zeros((2 * len(array), *array.shape[1:]), array.dtype)
    spread[::2] = array
    readonly = np.array(array)
    readonly.flags.writeable = False
    found = {
        "list": array.tolist(),
        "tuple": tuple(array.tolist()),
        "strided": spread[::2],
        "backwards": np.ascontiguousarray(array[::-1])[::-1],
        "read-only": readonly,
        "fortran": np.asfortranarray(array),
        "big-endian": array.astype(array.dtype.newbyteorder(">")),
    }
    if array.ndim == 1:
        found |= {
            "series": pd.Series(array, index=np.arange(len(array)) + 100),
            "arrow": pa.array(array),
            "chunked": pa.chunked_array([pa.array(array[:2]), pa.array(array[2:])]),
        }
    elif array.ndim == 2:
        found |= {
            "frame": pd.DataFrame(array, index=np.arange(len(array)) + 100),
            "sliced": np.concatenate([array, array], axis=1)[:, : array.shape[1]],
        }
    return found


def test_any_make_gives_the_same_digits(plain, door):
    good = plain.sample(ROWS)
    expected = door(plain, good)
    for make in {name for array in good.values() for name in makes(array)}:
        arrays = {role: makes(a).get(make, a) for role, a in good.items()}
        assert same(door(plain, arrays), expected), make


def test_fixed_size_lists(plain, door):
    """Several numbers a row as Arrow's fixed-size lists."""
    good = plain.sample(ROWS)
    if all(a.ndim == 1 for a in good.values()):
        pytest.skip("one number a row")
    lists = {
        role: pa.FixedSizeListArray.from_arrays(pa.array(a.ravel()), a.shape[1]) if a.ndim == 2 else a
        for role, a in good.items()
    }
    assert same(door(plain, lists), door(plain, good))


def floats_agree(case, door, dtype):
    """Whether the sample is still good in that precision; its values are then the same."""
    narrow = "f8" if np.dtype(dtype).itemsize >= 8 else dtype
    good = {role: exact(a, narrow) for role, a in case.sample(ROWS).items()}
    if not case.accepts(good):
        return False
    expected = door(case, good)
    assert expected.dtype == np.float64
    floats = [role for role, a in good.items() if a.dtype.kind == "f"]
    for roles in [[role] for role in floats] + [floats]:
        arrays = {role: a.astype(dtype) if role in roles else a for role, a in good.items()}
        found = door(case, arrays)
        assert found.dtype == np.float64
        assert same(found, expected), (dtype, roles, np.abs(found - expected).max())
    return True


def test_floats_of_any_width_give_the_digits_of_float64(plain, door):
    """float32 and float16 are widened before any arithmetic, in every role and in all together."""
    held = [floats_agree(plain, door, dtype) for dtype in ("f4", ">f4", "f2", ">f2", ">f8", "g")]
    assert any(held)


def test_float32_gives_the_digits_of_float64(called, door):
    """With every parameter."""
    if not floats_agree(called, door, "f4"):
        pytest.skip("no longer good after rounding")


def test_the_reduced_value_too(called):
    """What ``compute`` sums is float64, not only what it shows."""
    good = {role: exact(a, "f4") for role, a in called.sample(ROWS).items()}
    if not called.accepts(good):
        pytest.skip("no longer good after rounding")
    arrays = {role: a.astype("f4") if a.dtype.kind == "f" else a for role, a in good.items()}
    assert through_compute(called, arrays).value == through_compute(called, good).value


def test_integers_and_booleans_are_numbers(plain, door):
    good = plain.sample(ROWS)
    numbers = {role: array for role, array in good.items() if array.dtype.kind != "O"}
    for dtype, (role, array) in itertools.product(["i1", "i4", "i8", ">i2", "u1", "u8", "?"], numbers.items()):
        whole = np.rint(array).astype(np.float64)
        if np.dtype(dtype).kind in "ub":
            whole = np.abs(whole)
        if dtype == "?":
            whole = np.minimum(whole, 1.0)
        floats = {**good, role: whole}
        if plain.accepts(floats):
            assert same(door(plain, {**good, role: whole.astype(dtype)}), door(plain, floats)), (role, dtype)


def test_text_labels(plain, door):
    """Where labels are only compared, and for the names of lists, any text will do."""
    good = plain.sample(ROWS)
    roles = [i.role for i in plain.inputs if i.kind.decode(plain.params, None) in {"text", "label"}]
    if not roles:
        pytest.skip("numbers only")
    expected = door(plain, good)
    if any(good[role].ndim > 1 for role in roles):
        pytest.skip("text in one column only")
    words = {role: np.array([f"name {int(v)}" for v in good[role]]) for role in roles}
    assert same(door(plain, {**good, **words}), expected)
    assert same(door(plain, {**good, **{role: list(w) for role, w in words.items()}}), expected)
    assert same(door(plain, {**good, **{role: pd.Series(w) for role, w in words.items()}}), expected)
    assert same(door(plain, {**good, **{role: pa.array(list(w)) for role, w in words.items()}}), expected)


def test_inputs_are_left_alone(called, door):
    good = called.sample(ROWS)
    before = {role: np.array(a) for role, a in good.items()}
    found = door(called, good)
    assert all(same(good[role], before[role]) for role in good)
    assert all(a.flags.writeable for a in good.values())
    assert not any(np.shares_memory(found, a) for a in good.values())


# Few rows.


def test_no_rows(called):
    empty = {role: a[:0] for role, a in called.sample(4).items()}
    if called.reduction.views == ("set",):
        assert refused(lambda: called.call(empty)).code == "empty"
    else:
        values = called.call(empty)
        assert values.shape == (0,)
        assert values.dtype == np.float64
    assert refused(lambda: through_compute(called, empty)).code == "empty"
    nan, zero = through_compute(called, empty, empty="nan"), through_compute(called, empty, empty="zero")
    assert math.isnan(nan.value)
    assert zero.value == 0.0
    assert nan.n == zero.n == nan.report.read == 0


def test_one_row(called, door):
    """A row's value does not depend on its neighbours."""
    good = called.sample(ROWS)
    if not called.counting(good)[0]:
        pytest.skip("the first row does not count")
    one = {role: a[:1] for role, a in good.items()}
    try:
        first = door(called, one)
    except DataError as error:  # alone in its batch, a row has nothing to be held against
        if called.spec.scope != "batch" or error.code not in {"empty", "batch-of-one"}:
            raise
        return
    if called.reduction.views == ("set",):
        assert first.shape == ()
    else:
        assert first.shape == (1,)
        if called.spec.scope == "row" and called.spec.prelude is None:
            assert same(first, door(called, good)[:1])


def test_large_values_bring_no_warnings(called, door):
    """Squares and exponentials of large numbers overflow to an infinity without a word from NumPy."""
    good = called.sample(ROWS)
    for role, array in good.items():
        for size in (1e3, 1e200, -1e200):
            arrays = {**good, role: array * size if array.dtype.kind == "f" else array}
            if called.accepts(arrays):
                door(called, arrays)


def test_single_precision_of_many_classes(plain):
    """Where speed counts, float32 scores may lose what float32 loses, and no more: 1e-6 of a row's value."""
    scores = [i for i in plain.inputs if i.kind.columns == "classes"]
    if not scores or "simplex" in plain.forms:
        pytest.skip("no scores of classes")
    rng, sizes = plain.rng(), Sizes(ROWS, 0, 300)
    good = {i.role: exact(i.kind.sample(rng, sizes, plain.params), "f4") for i in plain.inputs}
    narrow = {role: a.astype("f4") if a.dtype.kind == "f" else a for role, a in good.items()}
    for way in DOORS.values():
        found, expected = way(plain, narrow), way(plain, good)
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, expected, rtol=1e-6)
