"""Two files paired by key, end to end: the same numbers as of sorted files, and every row accounted for."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lossctl as package
from lossctl.errors import LossctlError

ROWS = 700
LOSSES = "mse,mae,huber,r2,poisson-nll:log_input=true"


@pytest.fixture
def files(tmp_path):
    """Predictions, the same in the order of the targets, and targets in an order of their own."""
    rng = np.random.default_rng(8)
    ids = [f"{i:04d}" for i in range(ROWS)]
    pred = {"id": ids, "y_pred": rng.normal(size=ROWS), "g": rng.choice(["a", "b", "Zoë"], ROWS)}
    target = {"id": ids, "y_true": rng.integers(0, 5, ROWS).astype(float), "w": rng.random(ROWS), "h": pred["g"][::-1]}
    order = rng.permutation(ROWS)

    def put(name, table, rows):
        made = pa.table({key: pa.array([values[i] for i in rows]) for key, values in table.items()})
        if name.endswith("parquet"):
            pq.write_table(made, tmp_path / name, row_group_size=100)
        else:
            cells = made.to_pydict()
            lines = [",".join(cells), *(",".join(map(str, row)) for row in zip(*cells.values(), strict=True))]
            (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")

    for kind in ("parquet", "csv"):
        put(f"p.{kind}", pred, range(ROWS))
        put(f"t.{kind}", target, range(ROWS))
        put(f"mixed.{kind}", target, order)
        put(f"most.{kind}", target, [i for i in order if i % 7])
    put("some.csv", pred, [i for i in range(ROWS) if i % 5])
    put("other.csv", {"id": [*ids[1:], "none"], "y_true": target["y_true"]}, range(ROWS))
    return tmp_path


def compute(files, losses, pred, target, **options):
    return package.compute(losses, files / pred, files / target, **options)


def shown(found):
    return [(r.label, r.slice, r.group, r.value, r.n, r.weight_sum) for r in found.results]


@pytest.mark.parametrize("memory", ["2G", 1])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(
    "options", [{}, {"weight": "w"}, {"by": "g"}, {"by": "g,h", "weight": "w", "ci": 0.9}], ids=str
)
def test_any_order_gives_the_same_bits(files, kind, options, memory):
    straight = compute(files, LOSSES, f"p.{kind}", f"t.{kind}", **options)
    mixed = compute(files, LOSSES, f"p.{kind}", f"mixed.{kind}", memory=memory, **({} if memory == 1 else options))
    if memory == 1:
        straight = compute(files, LOSSES, f"p.{kind}", f"t.{kind}")
    assert shown(mixed) == shown(straight)
    assert len(mixed.results) >= 5


@pytest.mark.parametrize("chunk_rows", [1, 64, 10_000])
def test_samples_stand_in_the_order_of_the_predictions(files, chunk_rows):
    straight = compute(files, "mae", "p.csv", "t.csv", rows="all")
    mixed = compute(files, "mae", "p.csv", "mixed.csv", rows="all", chunk_rows=chunk_rows)
    assert list(mixed.report.samples) == list(straight.report.samples)
    assert [sample.key for sample in mixed.report.samples] == [(f"{i:04d}",) for i in range(ROWS)]
    assert np.array_equal(mixed.per_sample, straight.per_sample)


def test_formats_may_differ(files):
    assert shown(compute(files, LOSSES, "p.csv", "mixed.parquet")) == shown(compute(files, LOSSES, "p.csv", "t.csv"))


def test_rows_without_a_partner(files, lossctl):
    with pytest.raises(LossctlError) as caught:
        compute(files, "mae", "some.csv", "most.csv")
    assert (caught.value.exit, caught.value.code) == (3, "unmatched-keys")
    assert f"80 in {files / 'some.csv'}, 120 in {files / 'most.csv'}" in caught.value.message
    both = [i for i in range(ROWS) if i % 5 and i % 7]
    found = compute(files, "mae", "some.csv", "most.csv", unmatched="drop", by="h", weight="w")
    report = found.report
    assert (report.read, report.scored, report.dropped) == (len(both) + 200, len(both), {"unmatched": 200})
    rows = compute(files, "mae", "p.csv", "t.csv").per_sample[both]
    assert np.array_equal(compute(files, "mae", "some.csv", "most.csv", unmatched="drop").per_sample, rows)
    notes = [note.message.split(": ", 1)[1] for note in found.warnings if note.code == "unmatched"]
    assert notes == [
        "80 left out that have no partner: '0007', '0014', '0021', ...",
        f"120 left out that have no partner: {', '.join(map(repr, first_lone(files)))}, ...",
    ]
    done = lossctl("compute", "mae", "some.csv", "most.csv", "--unmatched", "drop", "-f", "json")
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert told["rows"]["dropped"]["unmatched"] == 200
    assert told["rows"]["read"] == told["rows"]["scored"] + 200


def first_lone(files):
    ids = [line[:4] for line in (files / "most.csv").read_text().splitlines()[1:]]
    return [key for key in ids if not int(key) % 5][:3]


def test_weights_from_a_third_file(files, tmp_path):
    """A file of a role stands beside the predictions; it loses the rows that they lose."""
    order = np.random.default_rng(0).permutation(ROWS)
    y = np.arange(ROWS) % 7
    (tmp_path / "l.csv").write_text("id,logits\n" + "".join(f"{i},{i / 9}\n" for i in range(ROWS)))
    (tmp_path / "var.csv").write_text("v\n" + "".join(f"{i / ROWS + 1}\n" for i in range(ROWS)))
    (tmp_path / "y.csv").write_text("id,y_true\n" + "".join(f"{i},{y[i]}\n" for i in order))
    (tmp_path / "few.csv").write_text("id,y_true\n" + "".join(f"{i},{y[i]}\n" for i in order if i % 3))
    (tmp_path / "straight.csv").write_text("id,y_true\n" + "".join(f"{i},{y[i]}\n" for i in range(ROWS)))
    given = {"pred": "logits", "var": f"{tmp_path}/var.csv:v"}
    every = [
        package.compute("gaussian-nll", tmp_path / "l.csv", tmp_path / name, unmatched=unmatched, **given)
        for name, unmatched in (("straight.csv", None), ("y.csv", None), ("few.csv", "drop"))
    ]
    assert every[0].value == every[1].value
    kept = np.flatnonzero(np.arange(ROWS) % 3)
    assert np.array_equal(every[2].per_sample, every[0].per_sample[kept])


def test_a_bad_value_is_named_by_its_own_row(files):
    lines = (files / "mixed.csv").read_text().splitlines()
    lines[5] = lines[5].split(",", 1)[0] + ",inf,1,a"
    (files / "bad.csv").write_text("\n".join(lines))
    with pytest.raises(LossctlError) as caught:
        compute(files, "mae", "p.csv", "bad.csv")
    assert caught.value.row == 5
    assert str(caught.value.file).endswith("bad.csv")


@pytest.mark.parametrize("chunk_rows", [1, 3, 1000])
def test_keys_are_settled_first(files, chunk_rows):
    """Whatever else is wrong, and however the rows are cut."""
    lines = (files / "other.csv").read_text().splitlines()
    lines[1] = lines[1].split(",", 1)[0] + ",x"
    (files / "bad.csv").write_text("\n".join(lines))
    with pytest.raises(LossctlError) as caught:
        compute(files, "mae", "p.csv", "bad.csv", chunk_rows=chunk_rows)
    assert (caught.value.code, caught.value.row) == ("unmatched-keys", 1)


def test_unmatched_needs_a_key(files):
    (files / "a.csv").write_text("y_pred\n1\n")
    (files / "b.csv").write_text("y_true\n1\n")
    for pred, target in (("a.csv", "b.csv"), ("p.csv", "b.csv")):
        with pytest.raises(LossctlError) as caught:
            compute(files, "mae", pred, target, unmatched="drop")
        assert (caught.value.exit, caught.value.code) == (2, "bad-option")
        assert "--key" in caught.value.hint
    with pytest.raises(LossctlError) as caught:
        package.compute("mae", [1.0], [1.0], unmatched="drop")
    assert (caught.value.exit, caught.value.code) == (2, "bad-option")


def test_drop_where_nothing_is_left_out(files):
    found = compute(files, "mae", "p.csv", "mixed.csv", unmatched="drop")
    assert (found.value, found.report.dropped) == (compute(files, "mae", "p.csv", "t.csv").value, {})


def test_nothing_in_common(files):
    (files / "z.csv").write_text("id,y_true\nz,1\n")
    with pytest.raises(LossctlError) as caught:
        compute(files, "mae", "p.csv", "z.csv", unmatched="drop")
    assert caught.value.exit == 3


def test_labels_tokens_and_texts_are_paired(tmp_path):
    """What is no number is held as well: class names, token ids, sentences."""
    rows = [{"id": f"k{i}", "tokens": list(range(i % 4 + 1)), "text": f"wörd {i} here"} for i in range(40)]
    other = [
        {"id": row["id"], "tokens": [*row["tokens"], 9], "text": row["text"].replace("here", "there")} for row in rows
    ]
    for name, table in (("a", rows), ("b", other), ("c", other[::-1])):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, table)))
    for column in ("tokens", "text"):
        given = {"pred": column, "target": column}
        straight, mixed = (package.compute("wer", tmp_path / "a.jsonl", tmp_path / f"{x}.jsonl", **given) for x in "bc")
        assert straight.value == mixed.value
        assert 0 < straight.value < 1
        assert np.array_equal(straight.per_sample, mixed.per_sample)
    scores = "id,prob_a,prob_b\n" + "".join(f"{i},0.{i % 9 + 1},{1 - (i % 9 + 1) / 10:.1f}\n" for i in range(30))
    (tmp_path / "s.csv").write_text(scores)
    labels = [f"{i},{'ab'[i % 2]}\n" for i in range(30)]
    (tmp_path / "l.csv").write_text("id,label\n" + "".join(labels))
    (tmp_path / "m.csv").write_text("id,label\n" + "".join(reversed(labels)))
    found = [package.compute("cross-entropy", tmp_path / "s.csv", tmp_path / f"{x}.csv") for x in "lm"]
    assert found[0].value == found[1].value
