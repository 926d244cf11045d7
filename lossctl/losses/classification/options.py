"""Parameters that several classification losses share, declared once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lossctl.model.params import Param, Value, When
from lossctl.model.spec import Arrays

INPUT = Param("what the predictions are; never guessed", choices=("logits", "probs", "log-probs"))
BINARY_INPUT = Param("what the predictions are; never guessed", choices=("probs", "logits"))
CLIP = Param(
    "clipping of probabilities before the logarithm: torch caps it at -100, keras clips to 1e-7, sklearn to the "
    "float64 eps, a number clips to itself",
    ge=1e-15,
    lt=0.5,
    choices=("torch", "keras", "sklearn", "none"),
    when=When("input", ("probs",), "none"),
)
CLASS_WEIGHT = Param("one weight for each class, in class order", ge=0)
GAMMA = Param("how much less an example counts the better it is: (1 - p)^gamma; 0 is cross-entropy", ge=0)


def one_for_each_class(name: str) -> Callable[[Arrays, Mapping[str, Value]], str | None]:
    """A check of shapes: columns agree, and a list given for ``name`` has as many values as there are classes."""

    def align(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
        pred, target, values = arrays["pred"], arrays["target"], params[name]
        if target.ndim == 2 and target.shape[1] != pred.shape[1]:
            return "the numbers of columns differ"
        if isinstance(values, tuple) and len(values) != pred.shape[1]:
            return f"{name} has {len(values)} values for {pred.shape[1]} classes"
        return None

    return align
