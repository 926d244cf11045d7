"""What the names of columns say about the numbers: probabilities, logits, log-probabilities."""

from __future__ import annotations

from lossctl.data.roles.binding import input_of
from lossctl.data.roles.columns import Found
from lossctl.data.source import Source
from lossctl.errors import UsageError
from lossctl.model.call import LossCall

__all__ = ["settle_form"]


def settle_form(call: LossCall, pred: Found, source: Source) -> LossCall:
    """Let the columns' names settle ``input``; refuse a contradiction."""
    said, spec = pred.form, call.entry.spec
    if said is None:
        return call
    shown = pred.columns[0] if len(pred.columns) == 1 else f"{pred.columns[0]}, ..."
    kind = input_of(call, "pred").kind
    if "input" not in spec.params:
        fixed = getattr(kind, "fixed", None)
        if fixed is not None and fixed != said:
            raise contradiction(call, said, fixed, shown, source)
        return call
    form = call.params["input"]
    if form == said:
        return call
    if "input" in call.given or "input" in call.entry.fixed or said not in spec.params["input"].choices:
        raise contradiction(call, said, str(form), shown, source)
    return call.with_params({"input": said})


def contradiction(call: LossCall, said: str, form: str, shown: str, source: Source) -> UsageError:
    """The name of a column says one thing, the call another."""
    spec = call.entry.spec
    if call.entry.fixed.get("input") == form:
        way = f"lossctl compute {spec.name} {source.name}"
    elif "input" in spec.params and said in spec.params["input"].choices:
        way = f"leave --input {form} out, or rename the column if it holds {form}"
    else:
        way = f"rename the column if it holds {form}"
    return UsageError(
        f'{call.name} takes {form}, and the name of "{shown}" says {said}',
        code="input-differs",
        file=source.name,
        hint=way,
    )
