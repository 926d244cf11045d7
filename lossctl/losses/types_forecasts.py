"""Annotations of kernels: measures, counts, spreads, ensembles."""

from __future__ import annotations

from typing import Annotated

from lossctl.losses.types import Rows
from lossctl.model import domains, ensembles

Measure = Annotated[
    Rows,
    domains.HalfLine(
        domains.Domain("a number >= 0", "is not a measure (>= 0)", hint="are these logarithms?  exponentiate them")
    ),
]
Count = Annotated[
    Rows,
    domains.HalfLine(
        domains.Domain("a count, or any number >= 0", "is not a count (>= 0)", hint="were the targets standardised?"),
        sparse=True,
    ),
]
Variance = Annotated[
    Rows,
    domains.HalfLine(
        domains.Domain(
            "a variance: a number >= 0",
            "is not a variance (>= 0)",
            hint="it takes variances: square standard deviations, exponentiate log-variances",
        )
    ),
]
Deviation = Annotated[
    Rows,
    domains.HalfLine(
        domains.Domain(
            "a standard deviation: a number > 0",
            "is not a standard deviation (> 0)",
            hint="it takes standard deviations: the root of variances, exp of log-deviations; at 0 the score is mae's",
            zero=False,
        )
    ),
]
Ensemble = Annotated[Rows, ensembles.Ensemble()]
Outcome = Annotated[Rows, ensembles.Outcome()]
