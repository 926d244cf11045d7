"""Golden cases of edit distances and error rates: rapidfuzz, jiwer, torchmetrics, and the recursion itself."""

from __future__ import annotations

import numpy as np
from cases import Case, Oracle, Suit
from declare import case, naive, torchmetrics, value
from inputs import Arrays, Rng, weights

WORDS = ("the", "cat", "sat", "on", "a", "mat", "dog,", "dog", "Na\u00efve", "\u65e5\u672c", "no")
FOLD = "{'dog': 'cat', 'the': None, 'sat': 'sit'}"


def sentences(rng: Rng, rows: int) -> Arrays:
    """Sentences and what was heard of them: some words lost, changed, or added."""
    target, pred = [], []
    for _ in range(rows):
        words = list(rng.choice(WORDS, size=rng.integers(3, 9)))
        heard = [str(rng.choice(WORDS)) if rng.random() < 0.2 else word for word in words if rng.random() > 0.2]
        heard += list(rng.choice(WORDS, size=rng.integers(0, 3)))
        target.append(" ".join(words))
        pred.append(" ".join(heard) or "no")
    return {"pred": np.array(pred), "target": np.array(target), "weight": weights(rng, rows)}


def even(rng: Rng, rows: int) -> Arrays:
    target = rng.choice(list("abc\u00e9 "), size=(rows, 9))
    pred = np.where(rng.random(target.shape) < 0.3, rng.choice(list("abc\u00e9 "), size=target.shape), target)
    joined = [np.array(["".join(row) for row in side]) for side in (pred, target)]
    return {"pred": joined[0], "target": joined[1], "weight": weights(rng, rows)}


RANDOM = {"sentences": sentences, "even-texts": even}
EDGES = {
    "spoken": {  # nothing said, nothing heard, white space, an accent in two ways, more heard than said
        "pred": ["", "a b", "", " a  b ", "cafe\u0301", "x y z X", "y x", "THE end."],
        "target": ["", "", "a b", "a b", "caf\u00e9", "x", "x y", "the End"],
        "weight": [1.0, 2.0, 0.5, 1.0, 3.0, 0.0, 1.0, 1.0],
    },
    "typing": {  # neighbours that change places, also around others
        "pred": ["ABC", "AC", "tset", "Catalan", "", "TAGC", "abcd"],
        "target": ["CA", "CA", "test", "aluminum", "", "ATCG", "badc"],
        "weight": [1.0, 2.0, 0.5, 1.0, 3.0, 0.0, 1.0],
    },
    "choices": {
        "pred": ["um yes", "yes sir", "cat", "the cat"],
        "target": ["{ uh / um / @ } yes", "{uh / @} yes (sir)", "(the) cat", "{ a / the big } dog (the)"],
        "weight": [1.0, 2.0, 0.5, 1.0],
    },
    "documented": {
        "pred": ["this is the prediction", "there is an other sample"],
        "target": ["this is the reference", "there is another one"],
        "weight": [1.0, 3.0],
    },
}
PAIR = "target.tolist(), pred.tolist()"


def rapidfuzz(call: str) -> Oracle:
    return Oracle("rapidfuzz", call)


def jiwer(call: str) -> Oracle:
    return Oracle("jiwer", call)


def by_pairs(loss: str, data: str, rows: Oracle, **params: object) -> Case:
    """One value a pair; the mean of the oracle's rows, plain and weighted."""
    reduced = (
        value(naive("rate_mean(rows)")),
        value(naive("sum(map(Fraction, rows)) + 0.0"), reduction="sum"),
        value(naive("rate_mean(rows, weight)"), weight="weight"),
    )
    return Case(loss, data, params, rows, reduced)


def distances() -> list[Case]:
    found = []
    for data in ("sentences", "spoken", "typing", "even-texts"):
        found += [
            by_pairs("edit-distance", data, rapidfuzz(f"cpdist({PAIR}, scorer=Levenshtein.distance, dtype=np.int64)")),
            by_pairs("damerau-levenshtein", data, rapidfuzz(f"cpdist({PAIR}, scorer=OSA.distance, dtype=np.int64)")),
            by_pairs("lcs", data, rapidfuzz(f"cpdist({PAIR}, scorer=LCSseq.distance, dtype=np.int64)")),
            by_pairs("indel", data, rapidfuzz(f"cpdist({PAIR}, scorer=Indel.distance, dtype=np.int64)")),
            by_pairs("jaro", data, rapidfuzz(f"1 - cpdist({PAIR}, scorer=Jaro.similarity, dtype=np.float64)")),
            by_pairs(
                "jaro-winkler", data, rapidfuzz(f"1 - cpdist({PAIR}, scorer=JaroWinkler.similarity, dtype=np.float64)")
            ),
            by_pairs(
                "damerau-levenshtein",
                data,
                rapidfuzz(f"cpdist({PAIR}, scorer=DamerauLevenshtein.distance, dtype=np.int64)"),
                osa=False,
            ),
            by_pairs(
                "jaro-winkler",
                data,
                rapidfuzz(
                    f"1 - cpdist({PAIR}, scorer=JaroWinkler.similarity, dtype=np.float64, "
                    "scorer_kwargs={'prefix_weight': 0.2})"
                ),
                prefix_weight=0.2,
            ),
            by_pairs(
                "hamming-string", data, rapidfuzz(f"cpdist({PAIR}, scorer=Hamming.distance, dtype=np.int64)"), pad=True
            ),
        ]
        for costs in ((2.0, 1.0, 1.0), (1.0, 1.0, 3.0), (1.0, 4.0, 2.0), (0.5, 0.3, 0.7)):
            names = ("insertion_cost", "deletion_cost", "substitution_cost")
            call = naive(f"edit_costs(pred, target, *{costs})")
            found.append(by_pairs("edit-distance", data, call, **dict(zip(names, costs, strict=True))))
        for norm in ("max", "ref", "sum", "yb") if data != "spoken" else ("max", "yb"):
            given = {} if norm == "max" else {"norm": norm}
            found.append(by_pairs("normalized-edit-distance", data, naive(f"normed(pred, target, {norm!r})"), **given))
    found.append(
        by_pairs("hamming-string", "even-texts", rapidfuzz(f"cpdist({PAIR}, scorer=Hamming.distance, dtype=np.int64)"))
    )
    mean = torchmetrics("edit_distance(pred.tolist(), target.tolist(), substitution_cost=2)")
    found.append(case("edit-distance", "typing", value(mean), rows=None, substitution_cost=2.0))
    return found + of_words() + of_steps()


SCORERS = {
    "edit-distance": "Levenshtein.distance",
    "normalized-edit-distance": "Levenshtein.normalized_distance",
    "damerau-levenshtein": "OSA.distance",
    "hamming-string": "Hamming.distance",
    "lcs": "LCSseq.distance",
    "indel": "Indel.distance",
    "jaro": "Jaro.distance",
    "jaro-winkler": "JaroWinkler.distance",
}


def of_words() -> list[Case]:
    """The same over lists of words."""
    found = []
    for loss, scorer in SCORERS.items():
        call = f"[{scorer}(t.split(), p.split()) for t, p in zip({PAIR})]"
        params = {"unit": "word", **({"pad": True} if loss == "hamming-string" else {})}
        found.append(by_pairs(loss, "sentences", rapidfuzz(call), **params))
    return found


def of_steps() -> list[Case]:
    found = []
    for loss, scorer in SCORERS.items():
        call = f"[{scorer}(nfc(t).lower(), nfc(p).lower()) for t, p in zip({PAIR})]"
        params = {"normalize": ("nfc", "lower"), **({"pad": True} if loss == "hamming-string" else {})}
        found.append(by_pairs(loss, "spoken", rapidfuzz(call), **params))
    return found


RATES = {  # loss: the rate it is, the unit it has, and whether this is fixed
    "edit-rate": ("wer", "word", False),
    "wer": ("wer", "word", True),
    "cer": ("wer", "char", True),
    "phone-error-rate": ("wer", "token", True),
    "mer": ("mer", "word", False),
    "wil": ("wil", "word", False),
    "wip": ("wip", "word", False),
}
SETTINGS: tuple[tuple[str, dict[str, object], str], ...] = (  # data, parameters, what the loops are told
    ("sentences", {}, ""),
    ("spoken", {}, ""),
    ("sentences", {"split": "sclite"}, ", split='sclite'"),
    ("spoken", {"normalize": ("nfc", "lower", "punct")}, ", steps=('nfc', 'lower', 'punct')"),
    ("choices", {"alternatives": True}, ", choices=True"),
)


def pooled(loss: str, data: str, told: str, unit: str, params: dict[str, object]) -> Case:
    """Rows, and the rate of all counts, plain and weighted."""
    name = RATES[loss][0]
    counted = f"tallies(pred, target, {unit!r}{told})"
    return case(
        loss,
        data,
        value(naive(f"rate_all({name!r}, {counted})")),
        value(naive(f"rate_all({name!r}, {counted}, weight)"), weight="weight"),
        rows=naive(f"rate_rows({name!r}, {counted})"),
        **params,
    )


def rates() -> list[Case]:
    found = []
    for loss, (name, unit, fixed) in RATES.items():
        found += [pooled(loss, data, told, unit, params) for data, params, told in SETTINGS]
        if not fixed:
            found.append(pooled(loss, "sentences", "", "char", {"unit": "char"}))
            found.append(pooled(loss, "sentences", "", "byte", {"unit": "byte"}))
        if unit == "char" or not fixed:
            given = {"ignore_space": True, **({} if fixed else {"unit": "char"})}
            found.append(pooled(loss, "sentences", ", spaceless=True", "char", given))
        else:
            found.append(pooled(loss, "sentences", "", unit, {"ignore_space": True}))
        if name == "wer":
            told = f", fold={FOLD}" if unit != "char" else ""
            found.append(pooled(loss, "sentences", told, unit, {"mapping": "fold.map"}))
        rows = f"rate_rows({name!r}, tallies(pred, target, {unit!r}))"
        found.append(
            case(
                loss,
                "sentences",
                value(naive("rate_mean(rows)")),
                value(naive("rate_mean(rows, weight)"), weight="weight"),
                rows=naive(rows),
                average="sample",
            )
        )
        kept = "[(p, t) for p, t in zip(pred, target) if t.strip()]"
        counted = f"tallies([p for p, _ in {kept}], [t for _, t in {kept}], {unit!r})"
        found.append(case(loss, "spoken", value(naive(f"rate_all({name!r}, {counted})")), rows=None, empty_ref="skip"))
        found.append(as_jiwer(loss, "sentences"))
        if unit != "char":
            found.append(as_jiwer(loss, "spoken"))
    return found


def as_jiwer(loss: str, data: str) -> Case:
    name, unit, _ = RATES[loss]
    function = "cer" if unit == "char" else name
    rows = jiwer(f"[float({function}(t, p)) for t, p in zip({PAIR})]")
    return case(loss, data, value(jiwer(f"float({function}({PAIR}))")), rows=rows, split="jiwer")


def sentence_errors() -> list[Case]:
    found = []
    for data, params, changed in (
        ("sentences", {}, "{}.split()"),
        ("spoken", {}, "{}.split()"),
        ("spoken", {"unit": "char"}, "{}"),
        ("spoken", {"normalize": ("lower", "punct")}, "cut({}, 'word', ('lower', 'punct'))"),
    ):
        rows = f"[float({changed.format('p')} != {changed.format('t')}) for p, t in zip(pred, target)]"
        found.append(by_pairs("ser", data, naive(rows), **params))
    return found


def cases() -> list[Case]:
    return [*distances(), *rates(), *sentence_errors()]


BOTH = [Suit("sentences"), Suit("typing")]
SUITS = {
    ("edit-distance", "torchmetrics"): [[*BOTH, Suit("typing", {"substitution_cost": 2.0})]],
    ("edit-distance", "rapidfuzz"): [[*BOTH, Suit("typing", {"insertion_cost": 2.0, "substitution_cost": 4.0})]],
    ("normalized-edit-distance", "rapidfuzz"): [BOTH],
    ("damerau-levenshtein", "rapidfuzz"): [[*BOTH, Suit("typing", {"osa": False})]],
    ("hamming-string", "rapidfuzz"): [[Suit("even-texts"), Suit("typing", {"pad": True})]],
    ("lcs", "rapidfuzz"): [BOTH],
    ("indel", "rapidfuzz"): [BOTH],
    ("jaro", "rapidfuzz"): [BOTH],
    ("jaro-winkler", "rapidfuzz"): [[*BOTH, Suit("typing", {"prefix_weight": 0.2})]],
    ("edit-rate", "jiwer"): [[Suit("sentences"), Suit("spoken")], [Suit("sentences", {"unit": "char"})]],
    ("edit-rate", "torchmetrics"): [[Suit("documented")]],
    ("mer", "jiwer"): [[Suit("sentences", {"split": "jiwer"}), Suit("documented")]],
    ("wil", "jiwer"): [[Suit("sentences", {"split": "jiwer"}), Suit("documented")]],
    ("wip", "jiwer"): [[Suit("sentences", {"split": "jiwer"}), Suit("documented")]],
    ("ser", "jiwer"): [[Suit("sentences"), Suit("documented")]],
}
