"""Parameters that losses of masks share, declared once."""

from __future__ import annotations

from lossctl.model.params import Param, When

INPUT = Param("what the predictions are; never guessed", choices=("probs", "logits"))
ACTIVATION = Param(
    "what makes probabilities of logits; auto: the sigmoid for one class, softmax for several",
    choices=("auto", "sigmoid", "softmax"),
    when=When("input", ("logits",), "auto"),
)
BACKGROUND = Param("class 0 counts like the others")
POOL = Param(
    "what is one region: a class of each image, a class over all images, or everything",
    choices=("sample", "batch", "all"),
)
ON_EMPTY = Param(
    "a class without a pixel in the target: the formula decides, it costs nothing, or it is refused",
    choices=("smooth", "zero", "error"),
)
SMOOTH = Param("added above and below the fraction", ge=0)
SMOOTH_NR = Param("added above the fraction", ge=0)
SMOOTH_DR = Param("added below the fraction", ge=0)
FALSE_POSITIVES = Param("weight of false positives: predicted and not there", ge=0)
FALSE_NEGATIVES = Param("weight of false negatives: there and not predicted", ge=0)

OF_CLASSES = "four axes are N x C x Y x X, three N x Y x X: a volume of one class needs --class-axis none"
ABSENT = "a class that an image lacks costs nearly 1 for any trace of it (MONAI); segmentation_models counts it as 0"
EMPTY_TWICE = "nothing there and nothing predicted is 0 where both smoothing terms are equal, 1 in Keras (none above)"
