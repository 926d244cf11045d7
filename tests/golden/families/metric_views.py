"""Golden cases of losses that see a batch at once: paired embeddings, two views, proxies as anchors."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import Case, Oracle, Suit
from declare import by_rows, case, exact, naive, torch, value
from inputs import CLASSES, Rng, weights

WIDTH = 4
NEAR = "F.normalize(x1) @ F.normalize(x2).T"
ANCHORS = (
    "torch.func.functional_call(losses.ProxyAnchorLoss(len(prototypes), features.shape[1]{}), "
    "{{'proxies': prototypes}}, (features, target))"
)


def partners(rng: Rng, rows: int) -> dict[str, Any]:
    x1 = rng.normal(size=(rows, WIDTH))
    x2 = x1 + 0.5 * rng.normal(size=(rows, WIDTH))
    return {"x1": x1, "x2": x2, "weight": weights(rng, rows)}


def views(rng: Rng, rows: int) -> dict[str, Any]:
    x1 = rng.normal(size=(rows, WIDTH)) * np.array([0.1, 1.0, 2.0, 0.5])
    return {"x1": x1, "x2": x1 + 0.3 * rng.normal(size=(rows, WIDTH)), "weight": np.full(rows, 2.5)}


def anchored(rng: Rng, rows: int) -> dict[str, Any]:
    return {
        "features": rng.normal(size=(rows, WIDTH)),
        "target": rng.integers(0, CLASSES - 1, size=rows),  # the last class never occurs
        "prototypes": rng.normal(size=(CLASSES, WIDTH)),
        "weight": np.full(rows, 2.5),
    }


RANDOM = {"partners": partners, "views": views, "anchored": anchored}
EDGES = {
    "partner-edges": {  # equal, opposite, zero, huge and tiny
        "x1": [[1.0, 0.0], [0.0, 2.0], [0.0, 0.0], [1e140, 1e140], [1e-140, 0.0]],
        "x2": [[2.0, 0.0], [0.0, -1.0], [1.0, 1.0], [1.0, 2.0], [1e140, 1e-140]],
        "weight": [1.0, 2.0, 0.5, 1.0, 3.0],
    },
    "lone-partner": {"x1": [[1.0, 2.0]], "x2": [[-1.0, 1.0]], "weight": [2.0]},
    "view-edges": {  # a constant column, one that says what another says, one far from 0
        "x1": [[1.0, 0.5, 1e8], [1.0, 1.5, 1e8 + 2.0], [1.0, -0.5, 1e8 - 1.0], [1.0, 3.0, 1e8 + 0.5]],
        "x2": [[0.5, 0.5, 1e8], [1.5, 1.5, 1e8 + 2.0], [-0.5, -0.5, 1e8 - 1.0], [3.0, 3.0, 1e8 + 1.5]],
        "weight": [1.5, 1.5, 1.5, 1.5],
    },
    "anchor-edges": {  # on its proxy, opposite, zero; one class only
        "features": [[2.0, 0.0], [-1.0, 0.0], [0.0, 0.0], [1.0, 1e-9]],
        "target": [0, 0, 0, 0],
        "prototypes": [[1.0, 0.0], [0.0, 3.0], [0.0, 0.0]],
        "weight": [1.0, 1.0, 1.0, 1.0],
    },
}


def split(call: str, roles: tuple[str, str], library: str) -> Oracle:
    """The mean over batches of five rows of a call that speaks of two roles."""
    a, b = roles
    return Oracle(library, f"sum({call} for {a}, {b} in zip({a}.split(5), {b}.split(5))) / 2")


def softmaxes() -> list[Case]:
    found = []
    for loss, sides in (("info-nce", (False, True)), ("clip", (True,))):
        for symmetric in sides:
            for size, normal in ((0.07, True), (0.5, True), (2.0, False)):
                near = f"({NEAR if normal else 'x1 @ x2.T'}) / {size}"
                call = f"F.cross_entropy({near}, torch.arange(len(x1)), reduction='none')"
                back = f"F.cross_entropy(({near}).T, torch.arange(len(x1)), reduction='none')"
                params: dict[str, Any] = {} if size == 0.07 else {"temperature": size}
                params |= {} if normal else {"l2_normalize": False}
                params |= {"symmetric": True} if symmetric and loss == "info-nce" else {}
                rows = torch(f"({call} + {back}) / 2" if symmetric else call)
                found.append(by_rows(loss, "partners", rows, **params))
        said = f", symmetric={loss == 'clip'}"
        edges = naive(f"paired_rows(x1, x2, 0.07{said})")
        found += [by_rows(loss, "partner-edges", edges), by_rows(loss, "lone-partner", edges)]
    batches = split(f"F.cross_entropy({NEAR} / 0.07, torch.arange(5), reduction='sum')", ("x1", "x2"), "torch").call
    parts = Oracle("torch", f"{batches} / 5")
    found.append(case("info-nce", "partners", value(parts, batch_size=5), rows=None, temperature=0.07))
    return found


def sigmoids() -> list[Case]:
    found = []
    for params in ({}, {"t": 2.0}, {"b": -1.0}, {"t": 0.5, "b": 3.0, "l2_normalize": False}):
        near = "x1 @ x2.T" if "l2_normalize" in params else NEAR
        t, b = params.get("t", 10.0), params.get("b", -10.0)
        rows = torch(f"-F.logsigmoid((2 * torch.eye(len(x1)) - 1) * ({t} * ({near}) + {b})).sum(1)")
        found.append(by_rows("siglip", "partners", rows, **params))
        said = "".join(f", {key}={item}" for key, item in params.items())
        if "l2_normalize" not in params:
            found.append(by_rows("siglip", "partner-edges", naive(f"siglip_rows(x1, x2{said})"), **params))
    return [*found, by_rows("siglip", "lone-partner", exact("siglip_rows(x1, x2)"))]


def npairs() -> list[Case]:
    rows = "F.cross_entropy(x1 @ x2.T, torch.arange(len(x1)), reduction='none')"
    squares = "((x1 ** 2).sum(1) + (x2 ** 2).sum(1))"
    return [
        by_rows("n-pairs", "partners", torch(rows)),
        by_rows("n-pairs", "partners", torch(f"{rows} + 0.02 * {squares}"), l2reg=0.02),
        by_rows("n-pairs", "lone-partner", torch(f"0.5 * {squares}"), l2reg=0.5),
        by_rows("n-pairs", "partner-edges", naive("paired_rows(x1, x2, normalize=False)")),
    ]


def of_batches(loss: str, data: str, rows: Oracle, *more: Any, **params: Any) -> Case:
    """One value a batch: all rows are one, whatever their weights are."""
    reduced = [value(torch("rows.sum()")), value(torch("rows.sum()"), weight="weight")]
    return case(loss, data, *reduced, *more, rows=rows, **params)


def spread() -> list[Case]:
    found = []
    names = {"invariance": "invariance_lambda", "variance": "variance_mu", "covariance": "covariance_v", "eps": "eps"}
    for params in ({}, {"invariance": 0.0}, {"variance": 3.0}, {"covariance": 0.0}, {"eps": 0.1}):
        said = ", ".join(f"{names[key]}={item}" for key, item in params.items())
        call = f"losses.VICRegLoss({said})(x1, ref_emb=x2)"
        more = [] if params else [value(split(call, ("x1", "x2"), "pml"), batch_size=5)]
        found.append(of_batches("vicreg", "views", Oracle("pml", f"{call}[None]"), *more, **params))
    found.append(of_batches("vicreg", "view-edges", naive("vicreg_value(x1, x2)")))
    found.append(of_batches("vicreg", "view-edges", naive("vicreg_value(x1, x2, eps=0.0)"), eps=0.0))
    for params in ({}, {"lam": 0.0}, {"lam": 0.5}):
        call = f"losses.BarlowTwinsLoss({''.join(f'lambd={item}' for item in params.values())})(x1, x2)"
        more = [] if params else [value(split(call, ("x1", "x2"), "monai"), batch_size=5)]
        found.append(of_batches("barlow-twins", "views", Oracle("monai", f"{call}[None]"), *more, **params))
    for params in ({}, {"eps": 0.0}, {"eps": 0.5, "lam": 2.0}):
        said = "".join(f", {key}={item}" for key, item in params.items())
        found.append(of_batches("barlow-twins", "view-edges", naive(f"barlow_value(x1, x2{said})"), **params))
    return found


def anchors() -> list[Case]:
    found = []
    for params in ({}, {"margin": 0.5}, {"alpha": 4.0}):
        said = "".join(f", {key}={item}" for key, item in params.items())
        rows = Oracle("pml", f"{ANCHORS.format(said)}[None]")
        more = [value(split(ANCHORS.format(said), ("features", "target"), "pml"), batch_size=5)]
        found.append(of_batches("proxy-anchor", "anchored", rows, *more, **params))
    for data, params in (("anchor-edges", {}), ("anchor-edges", {"alpha": 500.0}), ("anchored", {"ignore_index": 1})):
        target = "[y if y != 1 else -100 for y in target]" if "ignore_index" in params else "target"
        said = "".join(f", {key}={item}" for key, item in params.items() if key != "ignore_index")
        rows = naive(f"proxy_anchor_value(features, {target}, prototypes{said})")
        found.append(of_batches("proxy-anchor", data, rows, **params))
    return found


def cases() -> list[Case]:
    return [*softmaxes(), *sigmoids(), *npairs(), *spread(), *anchors()]


BOTH = {"symmetric": True}
SUITS = {
    ("info-nce", "torch"): [
        [Suit("partners"), Suit("partners", {"l2_normalize": False}), Suit("partners", BOTH, differs=True)],
        [Suit("partners", BOTH), Suit("partners", {**BOTH, "temperature": 0.5}), Suit("partners", differs=True)],
    ],
    ("siglip", "torch"): [[Suit("partners"), Suit("partners", {"t": 2.0, "l2_normalize": False})]],
    ("n-pairs", "torch"): [[Suit("partners"), Suit("partners", {"l2reg": 0.02})]],
    ("n-pairs", "pml"): [[Suit("partners"), Suit("partners", {"l2reg": 0.02}, differs=True)]],
    ("vicreg", "pml"): [[Suit("views"), Suit("views", {"variance": 3.0})]],
    ("barlow-twins", "monai"): [[Suit("views"), Suit("views", {"lam": 0.5})]],
    ("proxy-anchor", "pml"): [[Suit("anchored"), Suit("anchored", {"alpha": 4.0, "margin": 0.5})]],
}
