"""Inputs that stand beside all rows: prototypes, biases and layers, from wherever they come."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

import lossctl
from lossctl.cli.main import main

LOSS = "linear-cross-entropy"
ROWS, WIDE, CLASSES = 23, 4, 3
RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(ROWS, WIDE))
WEIGHTS = RNG.normal(size=(CLASSES, WIDE))
BIAS = RNG.normal(size=CLASSES)
TARGET = RNG.integers(0, CLASSES, ROWS)
TABLE = {"features": FEATURES, "target": TARGET, "prototypes": WEIGHTS}


def by_hand(bias: Any = None) -> float:
    """The mean cross-entropy, row by row in plain Python."""
    total = []
    for x, y in zip(FEATURES.tolist(), TARGET.tolist(), strict=True):
        scores = [math.fsum(a * b for a, b in zip(x, w, strict=True)) for w in WEIGHTS.tolist()]
        scores = scores if bias is None else [s + b for s, b in zip(scores, bias.tolist(), strict=True)]
        total.append(math.log(math.fsum(math.exp(s) for s in scores)) - scores[y])
    return math.fsum(total) / len(total)


PLAIN = lossctl.compute(LOSS, FEATURES, TARGET, WEIGHTS).value
BIASED = lossctl.compute(LOSS, FEATURES, TARGET, WEIGHTS, BIAS).value


def test_the_values_that_everything_here_is_held_against():
    assert pytest.approx(by_hand(), rel=1e-14) == PLAIN
    assert pytest.approx(by_hand(BIAS), rel=1e-14) == BIASED
    assert PLAIN != BIASED


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Any:
    """The same arrays in every sort of file, in the working directory."""
    np.savez(tmp_path / "all.npz", **TABLE)
    np.savez(tmp_path / "biased.npz", **TABLE, bias=BIAS)
    np.savez(tmp_path / "layer.npz", weight=WEIGHTS, bias=BIAS)
    np.savez(tmp_path / "rows.npz", features=FEATURES, target=TARGET)
    for name, array in (("x", FEATURES), ("y", TARGET), ("w", WEIGHTS), ("b", BIAS), ("wt", WEIGHTS.T.copy())):
        np.save(tmp_path / f"{name}.npy", array)
    lines = [f"{','.join(map(repr, row))},{'abc'[t]}" for row, t in zip(FEATURES.tolist(), TARGET, strict=True)]
    (tmp_path / "x.csv").write_text("\n".join(["features_0,features_1,features_2,features_3,label", *lines]) + "\n")
    lines = [",".join(map(repr, row)) for row in WEIGHTS.tolist()]
    (tmp_path / "w.csv").write_text("\n".join(["p_0,p_1,p_2,p_3", *lines]) + "\n")
    (tmp_path / "b.csv").write_text("\n".join(["bias", *map(repr, BIAS.tolist())]) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(folder, capsys) -> Any:
    def go(line: str, loss: str = LOSS) -> tuple[int, Any, str]:
        status = main(["compute", loss, *line.split()])
        found = capsys.readouterr()
        return status, found.out, found.err

    return go


@pytest.mark.parametrize(
    ("files", "value"),
    [
        ("all.npz", PLAIN),
        ("biased.npz", BIASED),
        ("x.npy y.npy w.npy", PLAIN),
        ("x.npy y.npy w.npy b.npy", BIASED),
        ("rows.npz --prototypes layer.npz:weight", PLAIN),
        ("rows.npz --prototypes layer.npz:weight --bias layer.npz:bias", BIASED),
        ("all.npz --bias layer.npz:bias", BIASED),
        ("biased.npz --prototypes w.npy:array", BIASED),
        ("x.npy y.npy --prototypes layer.npz:weight", PLAIN),
        ("x.npy y.npy --prototypes w.npy:array --bias b.npy:array", BIASED),
        ("x.npy y.npy b.npy --prototypes layer.npz:weight", BIASED),
        ("x.npy w.npy --target y.npy:array", PLAIN),
        ("x.npy y.npy w.npy --prototypes w.npy:array", PLAIN),
        ("x.npy y.npy w.npy b.npy --bias b.npy:array --target y.npy:array", BIASED),
        ("y.npy w.npy b.npy --features x.npy:array", BIASED),
        ("x.npy y.npy w.npy --bias b.csv:bias", BIASED),
        ("x.csv --classes a,b,c --prototypes w.csv:p_*", PLAIN),
        ("x.csv --classes a,b,c --prototypes w.csv:p_0,p_1,p_2,p_3 --bias b.csv:bias", BIASED),
        ("x.csv --classes a,b,c --features features_* --target label --prototypes w.npy:array", PLAIN),
    ],
)
def test_from_every_sort_of_file(command, files, value):
    status, out, err = command(f"{files} -f json")
    assert status == 0, err
    result = json.loads(out)["results"][0]
    assert (result["value"], result["n"]) == (value, ROWS)


def test_what_was_chosen_is_said(command):
    _, out, err = command("x.csv --classes a,b,c --prototypes w.csv:p_* -f json")
    found = json.loads(out)["inputs"]
    assert [item["role"] for item in found] == ["features,target", "prototypes"]
    assert found[1]["columns"] == {"prototypes": ["p_0", "p_1", "p_2", "p_3"]}
    assert found[0]["classes"] == ["a", "b", "c"]
    assert "features=features_0" in err


def test_features_alone_make_one_score_each(folder, score):
    """Prototypes of one column are a column, not a row."""
    (folder / "one.csv").write_text("features,y\n1.0,0\n-2.0,1\n")
    (folder / "proto.csv").write_text("prototypes\n0.5\n-1.0\n")
    found = score(LOSS, "one.csv", roles={"prototypes": "proto.csv:prototypes"})
    assert found.results[0].value == lossctl.compute(LOSS, [[1.0], [-2.0]], [0, 1], [[0.5], [-1.0]]).value


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_chunks_change_nothing(score, rows):
    whole = score(LOSS, {**TABLE, "bias": BIAS, "g": list("abc" * 7 + "ab")}, by=("g",), rows=-1)
    cut = score(LOSS, {**TABLE, "bias": BIAS, "g": list("abc" * 7 + "ab")}, by=("g",), rows=-1, chunk_rows=rows)
    assert [r.value for r in cut.results] == [r.value for r in whole.results]
    assert [s.values for s in cut.samples] == [s.values for s in whole.samples]


def test_more_prototypes_than_are_read_at_a_time(score):
    rng = np.random.default_rng(1)
    weights, features = rng.normal(size=(2500, 2)), rng.normal(size=(9, 2))
    table = {"features": features, "target": rng.integers(0, 2500, 9), "prototypes": weights}
    values = lossctl.compute("cross-entropy", features @ weights.T, table["target"]).value
    assert score(LOSS, table).results[0].value == pytest.approx(values, rel=1e-12)


def test_fewer_rows_than_prototypes_and_none(score, fails):
    table = {"features": [[1.0, 2.0]], "target": [1], "prototypes": [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]}
    assert score(LOSS, table).read == 1
    table = {"features": np.zeros((0, 2)), "target": np.zeros(0), "prototypes": [[0.0, 1.0]]}
    fails(3, "empty", LOSS, table)


def test_slices_classes_weights_and_limits(score):
    """Prototypes are not rows: no option about rows touches them."""
    table = {**TABLE, "w": np.arange(ROWS, dtype=float), "m": (np.arange(ROWS) % 2 == 0).astype(float)}
    found = score(LOSS, table, weight="w", mask="m", limit=9, per_class=True)
    kept = np.arange(0, 9, 2)
    alone = lossctl.compute(LOSS, FEATURES[kept], TARGET[kept], WEIGHTS, weight=kept.astype(float), per_class=True)
    assert [(r.of_class, r.value, r.n) for r in found.results] == [(r.of_class, r.value, r.n) for r in alone.results]
    assert (found.read, found.scored, found.partial) == (9, 5, True)


# Words for classes.


def test_words_for_classes(command):
    status, _, err = command("x.csv --prototypes w.csv:p_*")
    assert status == 3
    assert "--classes" in err
    status, _, err = command("x.csv --prototypes w.csv:p_* --classes a,b,x")
    assert status == 3
    assert "'c'" in err
    for classes in ("a,b,c,d", "a,b"):
        status, _, err = command(f"x.csv --prototypes w.csv:p_* --classes {classes}")
        assert status == 3
        assert f"names {classes.count(',') + 1} classes, and there are 3 scores" in err or "'c'" in err
    _, out, _ = command("x.csv --prototypes w.csv:p_* --classes a,b,c --per-class -f json")
    assert [r["class"] for r in json.loads(out)["results"]] == [None, "a", "b", "c"]


def test_a_class_that_has_no_prototype(fails):
    error = fails(3, "unknown-class", LOSS, {**TABLE, "target": np.where(TARGET == 2, 3, TARGET)})
    assert "0 to 2" in error.message
    assert error.row == int(np.flatnonzero(TARGET == 2)[0]) + 1


# Shapes, values and sizes that do not go.


@pytest.mark.parametrize(
    ("role", "array", "code", "words"),
    [
        (
            "prototypes",
            WEIGHTS.T,
            "shapes-differ",
            ["features and prototypes differ in columns", "features is N x 4", "prototypes is 4 x 3"],
        ),
        ("prototypes", WEIGHTS[0], "shapes-differ", ["features and prototypes differ in columns"]),
        ("prototypes", np.zeros((2, 2, 2)), "shape", ["prototypes is 2 x 2 x 2", "C D"]),
        ("bias", BIAS[:2], "shapes-differ", ["one bias for each prototype"]),
        ("bias", np.zeros((3, 2)), "shape", ["bias is 3 x 2"]),
        ("features", FEATURES[:, :2], "shapes-differ", ["features and prototypes differ in columns"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_shapes_that_do_not_fit(fails, role, array, code, words):
    error = fails(3, code, LOSS, {**TABLE, role: array})
    assert all(word in error.message for word in words)
    assert error.file == "table 0"


def test_class_weights_of_another_number(fails):
    error = fails(3, "shapes-differ", f"{LOSS}:class_weight=1/2", TABLE)
    assert "class_weight has 2 values for 3 prototypes" in error.message


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("nan", ["error", "skip", "propagate"])
def test_numbers_that_are_not_finite_are_errors_whatever_is_done_with_rows(fails, bad, nan):
    """A row may be dropped; a prototype cannot. Its row is told, and whose it is."""
    weights = WEIGHTS.copy()
    weights[1, 2] = bad
    error = fails(3, "nan", LOSS, {**TABLE, "prototypes": weights}, nan=nan)
    assert error.message.startswith(f"{LOSS}: prototypes = {bad}")
    assert (error.row, error.column, error.hint) == (2, "prototypes", None)
    biases = BIAS.copy()
    biases[2] = bad
    error = fails(3, "nan", LOSS, {**TABLE, "bias": biases}, nan=nan)
    assert (error.row, error.column) == (3, "bias")


def test_a_prototype_that_is_no_number(folder, fails):
    (folder / "bad.csv").write_text("p_0,p_1,p_2,p_3\n1,2,3,4\n1,x,3,4\n1,2,3,4\n")
    error = fails(3, "not-a-number", LOSS, "x.csv", roles={"prototypes": "bad.csv:p_*"}, classes=("a", "b", "c"))
    assert (error.file, error.row) == ("bad.csv", 2)


def test_integers_beyond_what_floats_hold(fails):
    fails(3, "integer-too-large", LOSS, {**TABLE, "prototypes": np.full((3, 4), 2**60)})


def test_no_prototypes(fails):
    error = fails(3, "empty", LOSS, {**TABLE, "prototypes": np.zeros((0, 4))})
    assert "prototypes has no rows" in error.message


def test_more_than_memory_allows(fails, score):
    error = fails(2, "memory", LOSS, TABLE, memory=95)  # 96 bytes
    assert "prototypes" in error.message
    assert "95" in error.message
    assert score(LOSS, TABLE, memory=96).results[0].value == PLAIN
    fails(2, "memory", LOSS, {**TABLE, "bias": BIAS}, memory=96 + 23)
    assert score(LOSS, {**TABLE, "bias": BIAS}, memory=96 + 24).results[0].value == BIASED


# Files in the wrong number or the wrong place.


@pytest.mark.parametrize(
    ("files", "status", "words"),
    [
        ("x.npy", 2, "cannot hold"),
        ("x.npy y.npy", 2, "PROTOTYPES.npy"),
        ("x.npy y.npy w.npy b.npy x.npy", 2, "5 files"),
        ("x.npy y.npy w.npy b.npy --prototypes layer.npz:weight", 2, "4 files"),
        ("x.npy y.npy wt.npy", 3, "differ in columns"),
        ("y.npy x.npy w.npy", 3, "target"),
        ("rows.npz", 3, "prototypes"),
        ("rows.npz --prototypes layer.npz:weights", 3, "weights"),
        ("rows.npz --prototypes nowhere.npz:weight", 3, "nowhere.npz:weight"),
        ("x.npy y.npy w.npy x.csv", 3, "bias"),
    ],
)
def test_files_that_are_not_the_inputs(command, files, status, words):
    found, out, err = command(files)
    assert (found, out) == (status, "")
    assert words in err


def test_no_file_stands_there_for_nothing(command):
    """A file for an optional input is that input, whatever its array is called: it is never left unread."""
    _, with_bias, _ = command("x.npy y.npy w.npy b.npy -f value")
    _, without, _ = command("x.npy y.npy w.npy -f value")
    assert (float(with_bias), float(without)) == (BIASED, PLAIN)
    status, _, err = command("x.npy y.npy --target rows.npz:target", "mse")
    assert status == 2
    assert "2 files for the inputs pred" in err
    status, _, err = command("x.csv w.csv --target x.csv:features_0 --pred features_1", "mse")
    assert status == 2
    assert "w.csv holds no input" in err
    status, out, err = command("x.csv w.csv --target w.csv:p_0 --pred features_1 --limit 3 -f value", "mse")
    assert status == 0, err
    assert float(out) == pytest.approx(float(np.mean((FEATURES[:3, 1] - WEIGHTS[:, 0]) ** 2)), rel=1e-13)


def test_optional_inputs_as_arrays():
    assert lossctl.compute(LOSS, FEATURES, TARGET, WEIGHTS, None).value == PLAIN
    assert lossctl.compute(LOSS, FEATURES.tolist(), TARGET.tolist(), WEIGHTS.tolist(), BIAS.tolist()).value == BIASED
    assert lossctl.compute(LOSS, FEATURES, TARGET, WEIGHTS, BIAS[:, None]).value == BIASED


# The layers of an adaptive softmax, several arrays by name.


ADAPTIVE = "adaptive-log-softmax"
LAYERS = {
    "head.weight": RNG.normal(size=(4, WIDE)),  # two classes of its own, two tails
    "head.bias": RNG.normal(size=4),
    "tail.0.0.weight": RNG.normal(size=(2, WIDE)),
    "tail.0.1.weight": RNG.normal(size=(3, 2)),
    "tail.1.0.weight": RNG.normal(size=(1, WIDE)),
    "tail.1.1.weight": RNG.normal(size=(2, 1)),
}
WORDS = RNG.integers(0, 7, ROWS)


def log_softmax(scores: list[float]) -> list[float]:
    whole = math.log(math.fsum(map(math.exp, scores)))
    return [s - whole for s in scores]


def dot(x: Any, rows: Any) -> list[float]:
    return [math.fsum(a * b for a, b in zip(x, row, strict=True)) for row in np.asarray(rows).tolist()]


def adaptive(layers: Any) -> list[float]:
    """Row by row, by the definition."""
    found = []
    for x, y in zip(FEATURES.tolist(), WORDS.tolist(), strict=True):
        head = dot(x, layers["head.weight"])
        if "head.bias" in layers:
            head = [a + b for a, b in zip(head, layers["head.bias"].tolist(), strict=True)]
        head = log_softmax(head)
        if y < 2:
            found.append(-head[y])
            continue
        tail, first = (0, 2) if y < 5 else (1, 5)
        inner = dot(dot(x, layers[f"tail.{tail}.0.weight"]), layers[f"tail.{tail}.1.weight"])
        found.append(-head[2 + tail] - log_softmax(inner)[y - first])
    return found


@pytest.mark.parametrize("biased", [True, False])
def test_layers_from_a_state_dict(tmp_path, score, chunk, biased):
    """As ``np.savez(file, features=..., target=..., **module.state_dict())`` writes them."""
    layers = {name: array for name, array in LAYERS.items() if biased or name != "head.bias"}
    np.savez(tmp_path / "words.npz", features=FEATURES, target=WORDS, **layers)
    found = score(ADAPTIVE, tmp_path / "words.npz", rows=-1, chunk_rows=chunk)
    assert [s.values[0] for s in found.samples] == pytest.approx(adaptive(layers), rel=1e-13)
    assert found.results[0].value == lossctl.compute(ADAPTIVE, FEATURES, WORDS, layers).value
    assert set(found.inputs[0].columns["clusters"]) == set(layers)


def test_layers_from_a_file_of_their_own(tmp_path, score):
    np.savez(tmp_path / "rows.npz", features=FEATURES, target=WORDS)
    np.savez(tmp_path / "module.npz", **LAYERS)
    roles = {"clusters": f"{tmp_path / 'module.npz'}:*"}
    value = lossctl.compute(ADAPTIVE, FEATURES, WORDS, LAYERS).value
    assert score(ADAPTIVE, tmp_path / "rows.npz", roles=roles).results[0].value == value
    for name, array in (("x", FEATURES), ("y", WORDS)):
        np.save(tmp_path / f"{name}.npy", array)
    files = [tmp_path / name for name in ("x.npy", "y.npy", "module.npz")]
    assert score(ADAPTIVE, *files).results[0].value == value


def test_layers_that_do_not_fit(fails):
    table = {"features": FEATURES, "target": WORDS, **LAYERS}
    for name, array, words in (
        ("head.weight", np.zeros((4, 3)), "do not take 4 features"),
        ("tail.1.0.weight", np.zeros((1, 3)), "do not take 4 features"),
        ("tail.0.1.weight", np.zeros((3, 5)), "two layers of a tail"),
        ("head.weight", np.zeros((2, WIDE)), "no class of its own"),
    ):
        error = fails(3, "shapes-differ", ADAPTIVE, {**table, name: array})
        assert words in error.message
    some = {name: array for name, array in table.items() if name != "tail.0.1.weight"}
    assert "tail.0.1.weight" in fails(3, "shapes-differ", ADAPTIVE, some).message
    assert "head.weight" in fails(3, "column-not-found", ADAPTIVE, {"features": FEATURES, "target": WORDS}).message


def test_layers_with_a_missing_number(fails):
    worse = {name: array.copy() for name, array in LAYERS.items()}
    worse["tail.1.1.weight"][1, 0] = math.nan
    error = fails(3, "nan", ADAPTIVE, {"features": FEATURES, "target": WORDS, **worse})
    assert "clusters = nan in tail.1.1.weight is missing" in error.message
    assert error.row == 2


def test_words_beyond_the_last_cluster(fails):
    error = fails(3, "unknown-class", ADAPTIVE, {"features": FEATURES, "target": np.full(ROWS, 7), **LAYERS})
    assert "7 classes" in error.message


def test_layers_are_read_within_memory(fails):
    table = {"features": FEATURES, "target": WORDS, **LAYERS}
    assert "clusters" in fails(2, "memory", ADAPTIVE, table, memory=100).message
