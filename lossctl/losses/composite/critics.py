"""Generators against critics: losses of the scores that real and generated samples get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np

from lossctl import numerics
from lossctl.errors import UsageError
from lossctl.losses.types import Rows
from lossctl.losses.types_sides import FakeSide, RealSide
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, Value, When
from lossctl.model.registry import loss
from lossctl.model.sides import Sides
from lossctl.model.spec import Arrays, Equivalent, Paper

NEEDED: Any = np.empty(0)  # behind an input that may be left out, Python wants a default
CRITIC, GENERATOR = ("d",), ("g",)
SIDE = Param("whose loss: d the discriminator's (or critic's), g the generator's", choices=("d", "g"))
NO_HALF = "the means of the two sides are added, as in the papers; pix2pix and CycleGAN halve the discriminator's loss"
APART = "real and generated samples are not paired: each side has its own mean, however many values it has"
ONES, ZEROS = "torch.ones_like(real)", "torch.zeros_like(fake)"
BCE = "F.binary_cross_entropy_with_logits"
TASKS = ("generative models", "adversarial training", "images", "discriminator", "generator")
GOODFELLOW = Paper(
    "I. Goodfellow, J. Pouget-Abadie, M. Mirza, B. Xu, D. Warde-Farley, S. Ozair, A. Courville, Y. Bengio",
    2014,
    "Generative Adversarial Nets",
)


def has_real(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """A discriminator's loss needs both sides."""
    if params["side"] == "d" and "real" not in arrays:
        raise UsageError(
            "side=d is the discriminator's loss, and there are no scores of real samples",
            code="no-input",
            hint="--real COLUMN, or two files: REAL FAKE; the generator's loss needs none: --side g",
        )
    return None


def told_apart(real: Rows, fake: Rows, smoothing: float = 0.0) -> dict[str, Rows]:
    """Cross-entropy of the discriminator's logits: real samples are 1 (less the smoothing), generated ones 0."""
    kept, missed = numerics.softplus_pair(real)
    cost = kept if smoothing == 0 else (1.0 - smoothing) * kept + smoothing * missed
    return {"real": cost, "fake": numerics.softplus_pair(fake)[1]}


@loss(
    title="Minimax loss of a generator and its discriminator",
    reduce=Sides(),
    unit="nats",
    range="-inf to inf",
    aliases=("saturating", "gan"),
    paper=GOODFELLOW,
    see=("gan-non-saturating", "lsgan", "wgan", "gan-hinge", "bce-with-logits"),
    tasks=TASKS,
    align=has_real,
    equivalents=(
        Equivalent("torch", f"{BCE}(real, {ONES} - label_smoothing) + {BCE}(fake, {ZEROS})", "side=d"),
        Equivalent("torch", f"-{BCE}(fake, {ZEROS})", "side=g"),
    ),
    traps=(
        APART,
        NO_HALF,
        "scores are logits: what has been through a sigmoid gives a number that means nothing",
        "label smoothing is that of real samples only, towards 1 - s; TensorFlow's goes to 1 - s / 2",
        "the generator's loss is log(1 - D(fake)), below zero, and flat where it should learn most",
    ),
)
def gan_minimax(
    real: RealSide = None,
    fake: FakeSide = NEEDED,
    *,
    side: Annotated[str, SIDE] = "d",
    label_smoothing: Annotated[
        float, Param("real samples count as 1 less this", ge=0, lt=1, when=When("side", CRITIC, 0.0))
    ] = 0.0,
) -> dict[str, Rows]:
    """How well the discriminator tells real from generated samples, or minus that for the generator.

    With logits r of real and f of generated samples, and D = sigmoid:

        mean(-log(D(r))) + mean(-log(1 - D(f)))    of the discriminator
        mean(log(1 - D(f)))                        of the generator

    >>> gan_minimax([2.0, -0.5], [-1.0, 0.3])
    1.1343109636049147
    """
    if side == "g" or real is None:
        return {"fake": -numerics.softplus_pair(fake)[1]}
    return told_apart(real, fake, label_smoothing)


@loss(
    title="Non-saturating loss of a generator and its discriminator",
    reduce=Sides(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("ns-gan",),
    paper=GOODFELLOW,
    see=("gan-minimax", "lsgan", "bce-with-logits"),
    tasks=TASKS,
    align=has_real,
    equivalents=(
        Equivalent("torch", f"{BCE}(real, {ONES}) + {BCE}(fake, {ZEROS})", "side=d"),
        Equivalent("torch", f"{BCE}(fake, torch.ones_like(fake))", "side=g"),
    ),
    traps=(APART, NO_HALF, "scores are logits", "for the discriminator it is the minimax loss"),
)
def gan_non_saturating(
    real: RealSide = None, fake: FakeSide = NEEDED, *, side: Annotated[str, SIDE] = "d"
) -> dict[str, Rows]:
    """How well the discriminator tells real from generated samples; for the generator, how little it is taken in.

    With logits r of real and f of generated samples, and D = sigmoid:

        mean(-log(D(r))) + mean(-log(1 - D(f)))    of the discriminator
        mean(-log(D(f)))                           of the generator

    >>> gan_non_saturating(fake=[-1.0, 0.3], side="g")
    0.933808465993375
    """
    if side == "g" or real is None:
        return {"fake": numerics.softplus_pair(fake)[0]}
    return told_apart(real, fake)


@loss(
    title="Least squares loss of a generator and its discriminator",
    reduce=Sides(),
    unit="score^2",
    range="0 to inf",
    laws={NONNEGATIVE},
    paper=Paper(
        "X. Mao, Q. Li, H. Xie, R. Y. K. Lau, Z. Wang, S. P. Smolley",
        2017,
        "Least Squares Generative Adversarial Networks",
        doi="10.1109/ICCV.2017.304",
    ),
    see=("gan-minimax", "wgan", "mse"),
    tasks=TASKS,
    align=has_real,
    equivalents=(
        Equivalent("torch", "((real - b) ** 2).mean() / 2 + ((fake - a) ** 2).mean() / 2", "side=d"),
        Equivalent("torch", "((fake - c) ** 2).mean() / 2", "side=g"),
        Equivalent("torch", f"F.mse_loss(real, {ONES}) + F.mse_loss(fake, {ZEROS})", "half=false"),
    ),
    traps=(
        APART,
        "the paper halves the squares; CycleGAN takes them whole and halves the discriminator's sum instead, "
        "so that its generator's loss is twice as large: half=false",
        "scores go through no sigmoid",
    ),
)
def lsgan(
    real: RealSide = None,
    fake: FakeSide = NEEDED,
    *,
    side: Annotated[str, SIDE] = "d",
    a: Annotated[float, Param("what generated samples should score", when=When("side", CRITIC, 0.0))] = 0.0,
    b: Annotated[float, Param("what real samples should score", when=When("side", CRITIC, 1.0))] = 1.0,
    c: Annotated[
        float, Param("what the generator wants its samples to score", when=When("side", GENERATOR, 1.0))
    ] = 1.0,
    half: Annotated[bool, Param("half the squares, as in the paper")] = True,
) -> dict[str, Rows]:
    """Squared distance of the scores from what they should be.

    With scores r of real and f of generated samples (half=false: without the 1/2):

        mean((r - b)^2) / 2 + mean((f - a)^2) / 2    of the discriminator
        mean((f - c)^2) / 2                          of the generator

    >>> lsgan([2.0, -0.5], [-1.0, 0.3])
    1.085
    """
    factor = 0.5 if half else 1.0
    if side == "g" or real is None:
        return {"fake": factor * (fake - c) ** 2}
    return {"real": factor * (real - b) ** 2, "fake": factor * (fake - a) ** 2}


@loss(
    title="Wasserstein loss of a generator and its critic",
    reduce=Sides(),
    unit="score",
    range="-inf to inf",
    aliases=("critic", "wasserstein-gan"),
    paper=Paper("M. Arjovsky, S. Chintala, L. Bottou", 2017, "Wasserstein GAN"),
    see=("gan-hinge", "gan-minimax"),
    tasks=TASKS,
    align=has_real,
    equivalents=(
        Equivalent("torch", "fake.mean() - real.mean()", "side=d"),
        Equivalent("torch", "-fake.mean()", "side=g"),
    ),
    traps=(
        APART,
        "signs differ: this is minimised, and minus it, mean(real) - mean(fake), is the estimate of the distance",
        "a gradient penalty is a term of its own, and needs gradients that no file of scores has",
        "it means something only while the critic is held Lipschitz",
    ),
)
def wgan(real: RealSide = None, fake: FakeSide = NEEDED, *, side: Annotated[str, SIDE] = "d") -> dict[str, Rows]:
    """How much higher the critic scores generated samples than real ones.

    With scores r of real and f of generated samples:

        mean(f) - mean(r)    of the critic
        -mean(f)             of the generator

    >>> wgan([2.0, -0.5], [-1.0, 0.3])
    -1.1
    """
    if side == "g" or real is None:
        return {"fake": -fake}
    return {"real": -real, "fake": fake + 0.0}


@loss(
    title="Hinge loss of a generator and its discriminator",
    reduce=Sides(),
    unit="score",
    range="-inf to inf",
    aliases=("geometric-gan",),
    paper=Paper("J. H. Lim, J. C. Ye", 2017, "Geometric GAN"),
    see=("wgan", "gan-minimax", "hinge"),
    tasks=TASKS,
    align=has_real,
    equivalents=(
        Equivalent("torch", "F.relu(margin - real).mean() + F.relu(margin + fake).mean()", "side=d"),
        Equivalent("torch", "-fake.mean()", "side=g"),
    ),
    traps=(
        APART,
        "SNGAN, SAGAN and BigGAN add the two means; some code halves the sum",
        "the generator has no hinge: its loss is below zero where it does well",
    ),
)
def gan_hinge(
    real: RealSide = None,
    fake: FakeSide = NEEDED,
    *,
    side: Annotated[str, SIDE] = "d",
    margin: Annotated[
        float, Param("how far from 0 a score need not be further", gt=0, when=When("side", CRITIC, 1.0))
    ] = 1.0,
) -> dict[str, Rows]:
    """How far the scores are from being on their side of the margin; minus the score for the generator.

    With scores r of real and f of generated samples, and m the margin:

        mean(max(0, m - r)) + mean(max(0, m + f))    of the discriminator
        -mean(f)                                     of the generator

    >>> gan_hinge([2.0, -0.5], [-1.0, 0.3])
    1.4
    """
    if side == "g" or real is None:
        return {"fake": -fake}
    return {"real": np.maximum(0.0, margin - real), "fake": np.maximum(0.0, margin + fake)}
