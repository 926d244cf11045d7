"""Means over a corpus, and the mean of samples beside them."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from lossctl.exact import from_int
from lossctl.model.pooled import Pooled, SampleMean
from lossctl.model.reduce import Totals
from lossctl.sums import Sums

OUT = {"row": np.array([0.5, 2.0, 0.1]), "errors": np.array([1.0, 2.0, 1.0]), "units": np.array([2.0, 1.0, 10.0])}


def totals(reduction, out):
    sums = {}
    for name, term in reduction.terms(out, None).items():
        sums[name] = Sums()
        sums[name].add(term)
    n = len(out["row"])
    return Totals({name: s.total() for name, s in sums.items()}, n, from_int(n), 1)


def test_the_mean_is_that_of_the_corpus():
    rate = Pooled(total="errors", parts=("errors",), ratio=("errors", "units"))
    found = totals(rate, OUT)
    assert rate.finish("mean", found, None, {}) == 4 / 13
    assert rate.finish("sum", found, None, {}) == 4.0
    assert rate.sample_mean(found) == float(sum(map(Fraction, [0.5, 2.0, 0.1])) / 3)
    assert rate.parts(found) == {"errors": 4.0}
    divisor = rate.divisor(found, None)
    assert divisor is not None
    assert divisor.to_float() == 13.0


def test_the_mean_of_samples_is_another_number():
    rate = SampleMean(parts=("errors",))
    found = totals(rate, OUT)
    assert rate.finish("mean", found, None, {}) == float(sum(map(Fraction, [0.5, 2.0, 0.1])) / 3)
    assert rate.sample_mean(found) is None
    assert rate.parts(found) == {"errors": 4.0}


def test_nothing_to_divide_by_is_no_divisor():
    """The formula of the loss says what becomes of a corpus without reference units."""
    rate = Pooled(ratio=("errors", "units"))
    found = totals(rate, {**OUT, "units": np.zeros(3)})
    assert rate.divisor(found, None) is None
    assert rate.finish("mean", found, None, {}) == math.inf


@pytest.mark.parametrize("total", [None, "errors"])
def test_views(total):
    views = Pooled(total=total, ratio=("errors", "units")).views
    assert views[0] == "mean"
    assert ("sum" in views) == (total is not None)
    assert {"none", "median", "pNN", "std"} <= set(views)
