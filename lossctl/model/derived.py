"""A loss made of another one: the call ``structural-risk:loss=huber:delta=2`` has inputs and parameters of both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossctl.errors import UsageError
from lossctl.model.call import LossCall
from lossctl.model.params import Value
from lossctl.model.penalised import Penalised
from lossctl.model.reduce import Switch
from lossctl.model.registry import Entry
from lossctl.model.spec import Arrays, LossSpec, same_shapes

__all__ = ["derived"]


def derived(entry: Entry, given: Mapping[str, Any]) -> tuple[Entry, dict[str, Value]]:
    """The entry over the loss that ``given`` calls, and the parameters of both.

    Raises ``UsageError`` for a loss that it cannot be made of.
    """
    outer, call = entry.spec, LossCall.parse(str(entry.spec.params[BASE].check(given[BASE])))
    base = call.entry.spec
    check(entry, call)
    inner = {i.role for i in base.inputs}

    def kernel(**inputs: Any) -> Any:
        return base.kernel(**{name: value for name, value in inputs.items() if name not in extra})

    def align(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
        own = {role: array for role, array in arrays.items() if role in inner}
        return (base.align or same_shapes(base))(own, params)

    extra = [i.role.replace("-", "_") for i in outer.inputs if i.role not in inner]
    price = outer.derive
    if price is None:
        raise TypeError(f"{outer.name} is not made of another loss")
    switch = base.switch and Switch(
        base.switch.param, {case: Penalised(reduce, price) for case, reduce in base.switch.cases.items()}
    )
    own = outer.params[BASE]._replace(default=call.name)
    spec: LossSpec = outer._replace(
        kernel=kernel,
        inputs=(*base.inputs, *(i for i in outer.inputs if i.role not in inner)),
        params={**outer.params, BASE: own, **base.params},
        kernel_params=base.kernel_params,
        reduce=Penalised(base.reduce, price),
        switch=switch,
        unit=base.unit,
        units=base.units,
        range=base.range,
        laws=frozenset(),
        like=base.like,
        prelude=base.prelude,
        align=align,
        checks=base.checks,
        derive=None,
    )
    return entry._replace(spec=spec, fixed=call.entry.fixed), {**call.given, **given, BASE: call.name}


BASE = "loss"


def check(entry: Entry, call: LossCall) -> None:
    """Raise for a loss that has other inputs, that is no mean, or whose parameters have the same names."""
    base, outer = call.entry.spec, entry.spec
    twice = sorted(set(base.params) & set(outer.params))
    why = None
    if base.scope != "row" or base.roles != ("pred", "target"):
        why = f"its inputs are {', '.join(base.roles)}" if base.roles != ("pred", "target") else "no row has a value"
    elif "mean" not in base.reduction(call.params).views or base.reduction(call.params).batchwise:
        why = "it is no mean of rows"
    elif base.direction == "maximise":
        why = "it is to be maximised"
    elif twice:
        why = f"both have a parameter {twice[0]}"
    if why is not None:
        raise UsageError(
            f"{entry.name} cannot take {call.name} as its loss: {why}",
            code="bad-parameter",
            hint="it takes losses of rows with a prediction and a target, such as mse, huber, bce and cross-entropy",
        )
