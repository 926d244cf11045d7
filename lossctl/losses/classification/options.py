"""Parameters that several classification losses share, declared once."""

from __future__ import annotations

from lossctl.model.params import Param, When

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
LABEL_INPUT = Param("what the predictions are; never guessed", choices=("labels", "probs", "logits"))
THRESHOLD = Param(
    "a single score is positive from here on; auto is 0.5 for probabilities and 0 for logits",
    choices=("auto",),
    when=When("input", ("probs", "logits"), "auto"),
)
CLASS_WEIGHT = Param("one weight for each class, in class order", ge=0)
