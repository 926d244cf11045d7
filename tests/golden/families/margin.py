"""Golden cases of margins."""

from __future__ import annotations

from cases import Case, Suit
from declare import case, keras, like, optax, pointwise, sklearn, value


def margin() -> list[Case]:
    """hinge; torch's margin_ranking_loss against zero has the margin free."""
    found = []
    hinge = "F.margin_ranking_loss(pred, torch.zeros_like(pred), {y}, margin={m}, reduction='none')"
    flat = [
        like("keras", keras("losses.Hinge()(target[:, None], pred[:, None])")),
        like("keras", keras("losses.Hinge()(target[:, None], pred[:, None], sample_weight=weight)"), weight="weight"),
    ]
    plus_minus = "(1.0 * (target > 0) - 1.0 * (target <= 0))"
    for data, signs, extra in (
        ("signed", "target", [like("optax", optax("hinge_loss(pred, target).mean()")), *flat]),
        ("signed-edges", "target", [like("optax", optax("hinge_loss(pred, target).mean()")), *flat]),
        ("zero-one-signed", plus_minus, flat),
        ("all-positive", "target", flat),
    ):
        found.append(pointwise("hinge", data, hinge.format(y=signs, m=1.0), *extra))
        for level in (0.5, 0.0):
            found.append(pointwise("hinge", data, hinge.format(y=signs, m=level), margin=level))
    found += [
        pointwise("hinge", "signed", hinge.format(y="target", m=1.0), labels="pm1"),
        pointwise("hinge", "zero-one-signed", hinge.format(y=plus_minus, m=1.0), labels="01"),
        pointwise("hinge", "all-positive", hinge.format(y="target", m=2.0), labels="01", margin=2.0),
        pointwise(
            "hinge",
            "signed-columns",
            hinge.format(y="target", m=1.0),
            like("keras", keras("losses.Hinge()(target, pred, sample_weight=weight)"), weight="weight"),
            wide=True,
        ),
        case(
            "hinge",
            "signed",
            value(sklearn("hinge_loss(target, pred)")),
            value(sklearn("hinge_loss(target, pred, sample_weight=weight)"), weight="weight"),
            rows=optax("hinge_loss(pred, target)"),
            margin=1.0,
        ),
    ]
    return found


def cases() -> list[Case]:
    return margin()


SUITS = {
    ("hinge", "keras"): [[Suit("signed-columns"), Suit("zero-one-signed"), Suit("all-positive")]],
    ("hinge", "optax"): [[Suit("signed-columns"), Suit("zero-one-signed", differs=True)]],
    ("hinge", "sklearn"): [[Suit("signed"), Suit("zero-one-signed"), Suit("all-positive", differs=True)]],
}
