"""Golden cases of generators against critics."""

from __future__ import annotations

from typing import Any

from cases import Case, Suit
from declare import case, exact, torch, value
from inputs import Arrays, Rng, weights

BCE = "F.binary_cross_entropy_with_logits"
TERMS = {
    "gan-minimax": ("F.softplus(-real)", "F.softplus(fake)", "-F.softplus(fake)"),
    "gan-non-saturating": ("F.softplus(-real)", "F.softplus(fake)", "F.softplus(-fake)"),
    "lsgan": ("(real - 1) ** 2 / 2", "fake ** 2 / 2", "(fake - 1) ** 2 / 2"),
    "wgan": ("-real", "fake", "-fake"),
    "gan-hinge": ("F.relu(1 - real)", "F.relu(1 + fake)", "-fake"),
}


def critic(rng: Rng, rows: int) -> Arrays:
    """Of both sides alike, with weights of rows."""
    return {"real": 1.0 + rng.normal(size=rows), "fake": rng.normal(size=rows) - 1.0, "weight": weights(rng, rows)}


def critic_apart(rng: Rng, rows: int) -> Arrays:
    return {"real": 1.0 + rng.normal(size=max(rows // 2, 1)), "fake": rng.normal(size=rows) - 1.0}


RANDOM = {"critic": critic, "critic-apart": critic_apart}

EDGES: dict[str, dict[str, Any]] = {
    "critic-edges": {  # far beyond the range of exp, zero, on the margins; one side is longer
        "real": [1e4, -1e4, 0.0, 1.0, -1.0, 1e-300, 800.0],
        "fake": [-1e4, 1e4, -0.0, -1.0, 40.0, -40.0, 1e-17, 709.0, -745.0],
    },
    "one-score": {"real": [0.25], "fake": [-0.75]},
}


def parts(loss: str, real: str, fake: str, made: str, **params: Any) -> list[Case]:
    found = []
    weigh = "((weight * ({0})).sum() / weight.sum())"
    for data in ("critic", "critic-apart", "one-score"):
        both = [value(torch(f"({real}).mean() + ({fake}).mean()"))]
        alone = [value(torch(f"({made}).mean()"))]
        if data == "critic":
            both.append(value(torch(f"{weigh.format(real)} + {weigh.format(fake)}"), weight="weight"))
            alone.append(value(torch(weigh.format(made)), weight="weight"))
        if "c" not in params:
            found.append(case(loss, data, *both, rows=None, **params))
        if not {"a", "b", "margin", "label_smoothing"} & set(params):
            found.append(case(loss, data, *alone, rows=None, side="g", **params))
    return found


def cases() -> list[Case]:
    found = [one for loss, terms in TERMS.items() for one in parts(loss, *terms)]
    for loss, mode in (("gan-minimax", "minimax"), ("gan-non-saturating", "ns")):
        loop = exact("critic_loss(real, fake)")
        found.append(case(loss, "critic-edges", value(loop), rows=None))
        loop = exact(f"generator_loss(fake, {mode!r})")
        found.append(case(loss, "critic-edges", value(loop), rows=None, side="g"))
    smooth = "0.9 * F.softplus(-real) + 0.1 * F.softplus(real)"
    return [
        *found,
        *parts("gan-minimax", smooth, "F.softplus(fake)", "", label_smoothing=0.1),
        *parts("lsgan", "(real - 1) ** 2", "fake ** 2", "(fake - 1) ** 2", half=False),
        *parts("lsgan", "(real - 0.5) ** 2 / 2", "(fake + 1) ** 2 / 2", "", a=-1.0, b=0.5),
        *parts("lsgan", "", "", "(fake - 0.9) ** 2 / 2", c=0.9),
        *parts("gan-hinge", "F.relu(0.5 - real)", "F.relu(0.5 + fake)", "", margin=0.5),
    ]


BOTH = [Suit("critic"), Suit("critic-apart")]
ALONE = [Suit("critic", {"side": "g"}), Suit("critic-apart", {"side": "g"})]

SUITS = {
    ("gan-minimax", "torch"): [[*BOTH, Suit("critic-apart", {"label_smoothing": 0.1})], ALONE],
    ("gan-non-saturating", "torch"): [BOTH, ALONE],
    ("lsgan", "torch"): [
        [*BOTH, Suit("critic-apart", {"a": -1.0, "b": 0.5})],
        [*ALONE, Suit("critic-apart", {"side": "g", "c": 0.5})],
        [Suit("critic-apart", {"half": False})],
    ],
    ("wgan", "torch"): [BOTH, ALONE],
    ("gan-hinge", "torch"): [[*BOTH, Suit("critic-apart", {"margin": 0.5})], ALONE],
}
