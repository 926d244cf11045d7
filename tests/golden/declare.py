"""Words in which the cases of this folder are written."""

from __future__ import annotations

from typing import Any

from cases import Case, Oracle, Reduced

NONE = "reduction='none'"


def torch(call: str) -> Oracle:
    return Oracle("torch", call)


def keras(call: str) -> Oracle:
    return Oracle("keras", call)


def optax(call: str) -> Oracle:
    return Oracle("optax", call)


def sklearn(call: str) -> Oracle:
    return Oracle("sklearn", call)


def torchmetrics(call: str) -> Oracle:
    return Oracle("torchmetrics", call)


def scipy(call: str) -> Oracle:
    return Oracle("scipy", call)


def naive(call: str) -> Oracle:
    return Oracle("naive", call)


def exact(call: str) -> Oracle:
    """A loop that keeps every digit: lossctl is held to relative differences, however small the value."""
    return Oracle("mpmath", call)


def value(oracle: Oracle, **options: Any) -> Reduced:
    """A reduced value under lossctl's options (``weight`` names the weights among the inputs)."""
    return Reduced(oracle, options)


def case(loss: str, data: str, *reduced: Reduced, rows: Oracle | None, **params: Any) -> Case:
    return Case(loss, data, params, rows, reduced)


def like(library: str, oracle: Oracle, **options: Any) -> Reduced:
    return Reduced(oracle, {"like": library, **options})


def pointwise(loss: str, data: str, call: str, *more: Reduced, wide: bool = False, **params: Any) -> Case:
    """Cases of a torch function with ``reduction='none'``: rows, mean, sum, and weighted by arithmetic on its rows.

    ``wide``: rows have several elements.
    """
    rows = f"{call}.mean(1)" if wide else call
    reduced = [
        value(torch(call.replace(NONE, "reduction='mean'"))),
        value(torch(call.replace(NONE, "reduction='sum'")), reduction="sum"),
        value(torch("(weight * rows).sum() / weight.sum()"), weight="weight"),
        value(torch("(weight * rows).sum() / len(weight)"), weight="weight", weight_norm="n"),
    ]
    if wide:
        reduced += [
            value(torch(f"(weight * {call}.sum(1)).sum()"), weight="weight", reduction="sum"),
            value(torch(f"{call}.sum(1).mean()"), row="sum"),
            value(torch(f"{call}.sum(1).max()"), row="sum", reduction="max"),
            value(torch(f"(weight * {call}.sum(1)).sum() / weight.sum()"), row="sum", weight="weight"),
        ]
    else:
        reduced.append(value(torch("(weight * rows).sum()"), weight="weight", reduction="sum"))
    return Case(loss, data, params, torch(rows), (*reduced, *more))


def by_rows(loss: str, data: str, rows: Oracle, *more: Reduced, **params: Any) -> Case:
    """Cases of one value a row: reduced by arithmetic on the oracle's rows, plain and weighted."""
    reduced = [
        value(torch("rows.mean()")),
        value(torch("rows.sum()"), reduction="sum"),
        value(torch("rows.max()"), reduction="max"),
        value(torch("(weight * rows).sum() / weight.sum()"), weight="weight"),
        value(torch("(weight * rows).sum() / len(weight)"), weight="weight", weight_norm="n"),
        value(torch("(weight * rows).sum()"), weight="weight", reduction="sum"),
    ]
    return Case(loss, data, params, rows, (*reduced, *more))


def by_elements(loss: str, data: str, call: str, *more: Reduced, **params: Any) -> Case:
    """Cases of a torch expression of elements (N, K): rows are their means, and everything is reduced from them."""
    summed = f"({call}).sum(1)"
    reduced = [
        value(torch(f"({call}).mean()")),
        value(torch(f"({call}).sum()"), reduction="sum"),
        value(torch("(weight * rows).sum() / weight.sum()"), weight="weight"),
        value(torch("(weight * rows).sum() / len(weight)"), weight="weight", weight_norm="n"),
        value(torch(f"(weight * {summed}).sum()"), weight="weight", reduction="sum"),
        value(torch(f"{summed}.mean()"), row="sum"),
        value(torch(f"{summed}.max()"), row="sum", reduction="max"),
        value(torch(f"(weight * {summed}).sum() / weight.sum()"), row="sum", weight="weight"),
    ]
    return Case(loss, data, params, torch(f"({call}).mean(1)"), (*reduced, *more))
