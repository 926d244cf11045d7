"""Files as the tools of the field write them: each is scored as it is, and the number is right.

The files are in ``producers/``, written by ``producers/make.py``; a test's docstring says where the layout is from.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import lossctl
from lossctl.data.formats import open_source
from lossctl.data.roles.columns import PRED, TARGET, by_name
from lossctl.errors import DataError

HERE = Path(__file__).parent / "producers"


@pytest.fixture
def value(lossctl):
    """``value("mse", "kaggle/x.csv", ...)``: what the command prints; options may stand among the files."""

    def go(loss, *arguments):
        done = lossctl("compute", loss, "-q", "-f", "value", *map(placed, arguments))
        assert done.returncode == 0, done.stderr
        return float(done.stdout)

    return go


@pytest.fixture
def wrong(lossctl):
    """The error of a call: its exit status and code are checked, and what its text must hold."""

    def go(status, code, words, *arguments):
        done = lossctl("compute", *map(placed, arguments), "--error-format", "json")
        assert (done.returncode, done.stdout) == (status, ""), done.stderr
        error = json.loads(done.stderr.splitlines()[-1])["error"]
        assert (error["exit"], error["code"]) == (status, code)
        told = lossctl("compute", *map(placed, arguments)).stderr
        for word in words:
            assert word in told
        return told

    return go


def placed(argument):
    return HERE / argument if (HERE / argument).is_file() else argument


def table(name, mark="\t"):
    with open(HERE / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=mark))


def objects(name):
    return [json.loads(line) for line in (HERE / name).read_text().splitlines()]


def mean(values):
    values = list(values)
    return math.fsum(values) / len(values)


def cross_entropy(rows):
    """Mean of -log p over (scores by class, right class)."""
    return mean(-math.log(scores[label]) for scores, label in rows)


def softmax(logits):
    powers = {c: math.exp(x) for c, x in logits.items()}
    return {c: p / math.fsum(powers.values()) for c, p in powers.items()}


def test_the_files_are_what_the_script_writes(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("make", HERE / "make.py")
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    monkeypatch.setattr(make, "HERE", tmp_path)
    make.main()
    files = [path for path in HERE.rglob("*.*") if path.is_file() and path.suffix not in {".py", ".pyc"}]
    assert len(files) == 26
    for path in files:
        again = tmp_path / path.relative_to(HERE)
        if path.suffix == ".parquet":
            assert pq.read_table(again).equals(pq.read_table(path), check_metadata=True)
        elif path.suffix != ".npz":
            assert again.read_bytes() == path.read_bytes(), path


# Kaggle.


def test_kaggle(value, wrong):
    """A submission and the host's solution: the same columns, and ``Usage`` (Public or Private).

    Layout: the Titanic competition's gender_submission.csv (``PassengerId,Survived``); solutions as Kaggle's
    pages for hosts describe them, with a ``Usage`` column.
    """
    submission, solution = "kaggle/gender_submission.csv", "kaggle/solution.csv"
    truth = {row["PassengerId"]: row for row in table(solution, ",")}
    misses = {
        row["PassengerId"]: row["Survived"] != truth[row["PassengerId"]]["Survived"] for row in table(submission, ",")
    }
    assert value("zero-one", submission, solution) == mean(misses.values())
    report = lossctl.compute("zero-one", HERE / submission, HERE / solution, by="Usage")
    for result in report.results[1:]:
        mine = [miss for key, miss in misses.items() if truth[key]["Usage"] == result.group["Usage"]]
        assert (result.value, result.n) == (mean(mine), len(mine))
    inputs = report.report.inputs
    assert [dict(i.columns) for i in inputs] == [
        {"pred": ["Survived"], "key": ["PassengerId"]},
        {"target": ["Survived"], "by": ["Usage"], "key": ["PassengerId"]},
    ]
    told = wrong(3, "column-not-found", ["PassengerId, Survived, Usage"], "zero-one", solution, submission)
    assert "--pred Survived" in told


def test_kaggle_rows_in_another_order(value, tmp_path):
    lines = (HERE / "kaggle/gender_submission.csv").read_text().splitlines()
    (tmp_path / "mine.csv").write_text("\n".join([lines[0], *sorted(lines[1:], reverse=True)]))
    solution = "kaggle/solution.csv"
    assert value("zero-one", "mine.csv", solution) == value("zero-one", "kaggle/gender_submission.csv", solution)


# Hugging Face.


def test_huggingface_arrays(value, wrong):
    """``predictions`` and ``label_ids`` of ``Trainer.predict``: the fields of transformers' ``PredictionOutput``."""
    arrays = np.load(HERE / "huggingface/predictions.npz")
    rows = [
        (softmax(dict(enumerate(x.tolist()))), y)
        for x, y in zip(arrays["predictions"], arrays["label_ids"], strict=True)
    ]
    assert value("cross-entropy", "huggingface/predictions.npz") == pytest.approx(cross_entropy(rows), rel=1e-14)
    errors = mean(max(scores, key=scores.get) != y for scores, y in rows)
    assert value("zero-one", "--input", "logits", "huggingface/predictions.npz") == errors
    words = ["not a probability", "--input logits", "row 1"]
    wrong(3, "not-a-probability", words, "cross-entropy", "--input", "probs", "huggingface/predictions.npz")


def test_huggingface_lines(value, wrong):
    """One object a row with a ``label`` and a list of ``logits``, as evaluation scripts dump them."""
    rows = [(softmax(dict(enumerate(row["logits"]))), row["label"]) for row in objects("huggingface/eval.jsonl")]
    assert value("cross-entropy", "huggingface/eval.jsonl") == pytest.approx(cross_entropy(rows), rel=1e-14)
    words = ['the name of "logits" says logits', "leave --input probs out"]
    wrong(2, "input-differs", words, "cross-entropy", "--input", "probs", "huggingface/eval.jsonl")


def test_huggingface_glue(value, wrong):
    """``predict_results_<task>.txt`` of transformers' examples/pytorch/text-classification/run_glue.py.

    It writes ``index<TAB>prediction`` with label names; the labels are those of a GLUE dev.tsv.
    """
    pred, dev = "huggingface/predict_results_rte.txt", "huggingface/dev.tsv"
    pairs = zip(table(pred), table(dev), strict=True)
    assert value("zero-one", pred, dev) == mean(p["prediction"] != y["label"] for p, y in pairs)
    words = ["'entailment' is not a number", 'column "prediction"']
    wrong(3, "not-a-number", words, "mse", pred, dev)


# Spark ML.


def spark_rows(column):
    for row in pq.read_table(HERE / "spark/part-00000-c000.snappy.parquet").to_pylist():
        vector = row[column]
        scores = dict(enumerate(vector["values"]))
        if vector["type"] == 0:
            scores = {
                **dict.fromkeys(range(vector["size"]), 0.0),
                **dict(zip(vector["indices"], vector["values"], strict=True)),
            }
        yield scores, int(row["label"]), int(row["prediction"])


def test_spark(value, wrong):
    """Columns of ``model.transform``: vectors as ``VectorUDT`` stores them in Parquet.

    Layout: apache/spark, mllib VectorUDT.scala (``type`` 0 is sparse, 1 dense). Its documentation calls
    ``rawPrediction`` a measure of confidence that each algorithm defines, so its name says nothing.
    """
    file = "spark/part-00000-c000.snappy.parquet"
    rows = list(spark_rows("probability"))
    assert any(0.0 in scores.values() for scores, _, _ in rows)  # a sparse one is among them
    assert value("cross-entropy", file) == pytest.approx(cross_entropy((s, y) for s, y, _ in rows), rel=1e-14)
    assert value("zero-one", file) == mean(y != guess for _, y, guess in rows)
    raw = [(softmax(scores), y) for scores, y, _ in spark_rows("rawPrediction")]
    logits = ["--pred", "rawPrediction", "--input", "logits"]
    assert value("cross-entropy", *logits, file) == pytest.approx(cross_entropy(raw), rel=1e-14)
    second = mean((scores[1] - y) ** 2 for scores, y, _ in rows)
    assert value("mse", "--pred", "probability.1", file) == pytest.approx(second, rel=1e-14)
    words = ["cross-entropy", "probability", "probs"]
    wrong(2, "input-differs", words, "cross-entropy", "--input", "logits", file)
    words = ["rawPrediction", "not a probability", "row 1"]
    wrong(3, "not-a-probability", words, "cross-entropy", "--input", "probs", "--pred", "rawPrediction", file)
    wrong(3, "column-not-found", ['"probability.3"'], "mse", "--pred", "probability.3", file)


# BigQuery ML.


@pytest.mark.parametrize("file", ["bigquery/iris.jsonl", "bigquery/iris.parquet"])
def test_bigquery(value, wrong, file):
    """``ML.PREDICT``: ``predicted_<label>`` and ``predicted_<label>_probs`` beside the input columns.

    Layout: BigQuery's reference of ML.PREDICT, and its page on exports (JSON: INT64 as text, < > & escaped).
    """
    rows = objects(file) if file.endswith("jsonl") else pq.read_table(HERE / file).to_pylist()
    scores = [({s["label"]: s["prob"] for s in row["predicted_species_probs"]}, row["species"]) for row in rows]
    assert value("cross-entropy", file) == pytest.approx(cross_entropy(scores), rel=1e-14)
    assert value("zero-one", file) == mean(row["predicted_species"] != row["species"] for row in rows)
    # Class weights go by the order of the classes: as text sorts, or as the caller says.
    weights = {"setosa": 2, "versicolor": 3, "virginica": 1}
    expected = math.fsum(-weights[y] * math.log(p[y]) for p, y in scores) / sum(weights[y] for _, y in scores)
    assert value("cross-entropy", "--class-weight", "2,3,1", file) == pytest.approx(expected, rel=1e-14)
    order = ["--class-weight", "1,2,3", "--classes", "virginica,setosa,versicolor"]
    assert value("cross-entropy", *order, file) == pytest.approx(expected, rel=1e-14)
    words = ["setosa, versicolor, virginica", "leave --classes out"]
    wrong(3, "unknown-class", words, "cross-entropy", "--classes", "setosa,versicolor,rose", file)
    wrong(3, "class-count", words, "cross-entropy", "--classes", "setosa,versicolor", file)
    words = ["cross-entropy", "predicted_species_probs", "probs"]
    wrong(2, "input-differs", words, "cross-entropy", "--input", "logits", file)


def test_bigquery_classes_are_told():
    [info] = lossctl.compute("cross-entropy", HERE / "bigquery/iris.jsonl").report.inputs
    assert list(info.classes) == ["setosa", "versicolor", "virginica"]
    assert dict(info.columns) == {"pred": ["predicted_species_probs"], "target": ["species"]}


def test_bigquery_row_with_another_class(wrong, tmp_path):
    text = (HERE / "bigquery/iris.jsonl").read_text()
    (tmp_path / "x.jsonl").write_text(
        text.replace('"label":"setosa"', '"label":"rose"').replace('"rose"', '"setosa"', 3)
    )
    words = ["row 4", "rose", "expected setosa, versicolor, virginica"]
    wrong(3, "classes-differ", words, "cross-entropy", "x.jsonl")


def test_bigquery_regression(value, wrong):
    rows = objects("bigquery/fares.jsonl")
    expected = mean((row["predicted_fare"] - row["fare"]) ** 2 for row in rows)
    assert value("mse", "bigquery/fares.jsonl") == expected
    told = wrong(3, "column-not-found", ["predicted_fare, fare, trip"], "cross-entropy", "bigquery/fares.jsonl")
    assert "one score for each class" in told


# LightGBM.


def test_lightgbm(value, wrong):
    """``LightGBM_predict_result.txt`` of ``task=predict``: one value a line, no header.

    Layout: microsoft/LightGBM, src/application/predictor.hpp (values joined by tabs, a line a row).
    """
    pred, labels = "lightgbm/binary/LightGBM_predict_result.txt", "lightgbm/binary/labels.txt"
    p = [float(line) for line in (HERE / pred).read_text().split()]
    y = [int(line) for line in (HERE / labels).read_text().split()]
    expected = mean(-math.log(a if b else 1 - a) for a, b in zip(p, y, strict=True))
    assert value("bce", pred, labels) == pytest.approx(expected, rel=1e-14)
    wrong(3, "lengths-differ", ["8", "6"], "mse", pred, "huggingface/predict_results_rte.txt", "--target", "index")


def test_lightgbm_multiclass(value, wrong):
    """As above: the probabilities of all classes in a line, in order of the class index."""
    pred, labels = "lightgbm/multiclass/LightGBM_predict_result.txt", "lightgbm/multiclass/labels.txt"
    lines = (HERE / pred).read_text().splitlines()
    p = [dict(enumerate(map(float, line.split("\t")))) for line in lines]
    y = [int(line) for line in (HERE / labels).read_text().split()]
    expected = cross_entropy(zip(p, y, strict=True))
    assert value("cross-entropy", "--input", "probs", pred, labels) == pytest.approx(expected, rel=1e-14)
    both = ["--input", "probs", "--pred", "*"]
    assert value("cross-entropy", *both, pred, labels) == pytest.approx(expected, rel=1e-14)
    wrong(3, "column-not-found", ["1, 2, 3", "--pred 1, or --pred '*'"], "cross-entropy", pred)


# CatBoost.


def test_catboost(value, wrong):
    """Output of ``catboost calc``: CatBoost's page on model values (``SampleId``, prediction types, ``Label``).

    Probabilities are the sigmoid of ``RawFormulaVal``.
    """
    file = "catboost/binary.tsv"
    rows = [{key: float(cell) for key, cell in row.items()} for row in table(file)]
    expected = mean(-math.log(row["Probability"] if row["Label"] else 1 - row["Probability"]) for row in rows)
    assert value("bce", file) == pytest.approx(expected, rel=1e-14)
    raw = mean(math.log1p(math.exp(-row["RawFormulaVal"] if row["Label"] else row["RawFormulaVal"])) for row in rows)
    assert value("bce-with-logits", "--pred", "RawFormulaVal", file) == pytest.approx(raw, rel=1e-14)
    assert value("bce", "--pred", "RawFormulaVal", file) == pytest.approx(raw, rel=1e-14)
    assert value("zero-one", file) == mean(row["Class"] != row["Label"] for row in rows)
    words = ['the name of "Probability" says probs', "lossctl compute bce "]
    wrong(2, "input-differs", words, "bce-with-logits", file)


def test_catboost_multiclass(value, wrong):
    """Columns ``Probability:Class=<name>`` and ``RawFormulaVal:Class=<name>``, by the same page."""
    rows = table("catboost/multiclass.tsv")
    names = [key.partition("=")[2] for key in rows[0] if "=" in key]
    scores = [({n: float(row[f"Probability:Class={n}"]) for n in names}, row["Label"]) for row in rows]
    assert value("cross-entropy", "catboost/multiclass.tsv") == pytest.approx(cross_entropy(scores), rel=1e-14)
    assert value("zero-one", "catboost/multiclass.tsv") == mean(row["Class"] != row["Label"] for row in rows)
    [info] = lossctl.compute("cross-entropy", HERE / "catboost/multiclass.tsv").report.inputs
    assert list(info.classes) == names
    [info] = lossctl.compute("cross-entropy", HERE / "catboost/multiclass.tsv", pred="Probability:*").report.inputs
    assert list(info.classes) == names
    raw = table("catboost/raw.tsv")
    logits = [({n: float(row[f"RawFormulaVal:Class={n}"]) for n in names}, row["Label"]) for row in raw]
    expected = cross_entropy((softmax(x), y) for x, y in logits)
    assert value("cross-entropy", "catboost/raw.tsv") == pytest.approx(expected, rel=1e-14)
    words = ['"RawFormulaVal:Class=setosa, ..." says logits', "leave --input probs out"]
    wrong(2, "input-differs", words, "cross-entropy", "--input", "probs", "catboost/raw.tsv")


def test_catboost_two_families(wrong, tmp_path):
    """Both prediction types in one file, as ``--prediction-type Probability,RawFormulaVal`` writes them."""
    heads = [f"{kind}:Class={c}" for kind in ("Probability", "RawFormulaVal") for c in (0, 1)]
    (tmp_path / "x.tsv").write_text("\t".join(["SampleId", *heads, "Label"]) + "\n0\t0.5\t0.5\t1\t1\t0\n")
    words = ["Probability:Class=* (2 columns)", "RawFormulaVal:Class=*", "--pred 'Probability:Class=*'"]
    wrong(3, "ambiguous-column", words, "cross-entropy", "x.tsv")
    found = lossctl.compute("cross-entropy", tmp_path / "x.tsv", pred="Probability:Class=*")
    assert found.value == pytest.approx(math.log(2), rel=1e-14)


def test_catboost_multiregression(value):
    """``RawFormulaVal:Dim=0`` beside ``Label:Dim=0``, by the same page."""
    rows = table("catboost/multiregression.tsv")
    errors = [float(row[f"RawFormulaVal:Dim={d}"]) - float(row[f"Label:Dim={d}"]) for row in rows for d in (0, 1)]
    assert value("mse", "catboost/multiregression.tsv") == pytest.approx(mean(e * e for e in errors), rel=1e-14)


def strings(name, column, **options):
    """A column of text, as losses that compare text read it."""
    blocks = open_source(HERE / name, **options).blocks([], [], 100, [column])
    return [rows.text(n) for rows in (block.strings(column) for block in blocks) for n in range(len(rows))]


def test_nemo():
    """Manifests of NeMo's ``transcribe_speech.py``: ``text`` is the reference, ``pred_text`` what was heard."""
    name = "nemo/manifest.json"
    rows = [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]
    source = open_source(HERE / name)
    assert by_name(source, "pred", PRED).columns == ("pred_text",)
    assert by_name(source, "target", TARGET).columns == ("text",)
    for column in ("text", "pred_text"):
        assert strings(name, column) == [row[column] for row in rows]


@pytest.mark.parametrize("name", ["whisper/talk.json", "whisper/talk.cpp.json"])
def test_whisper(name):
    """One row a recording, as openai-whisper and whisper.cpp (``--output-json``) write it; segments are no rows."""
    source = open_source(HERE / name)
    assert [(c.name, c.type) for c in source.columns] == [("text", "cell"), ("language", "cell"), ("segments", "other")]
    assert strings(name, "text") == [" The cat sat on a mat. It was a bright day."]
    assert strings(name, "language") == ["en"]
    assert source.find("segments.1.text")
    assert [block.texts("segments.1.text") for block in source.blocks([], ["segments.1.text"], 5)] == [
        [" It was a bright day."]
    ]
    assert strings("whisper/talk.ref", "text", prose=True) == ["The cat sat on the mat. It was a bright cold day."]


@pytest.mark.parametrize("rows", [1, 2])
def test_whisper_files_end_to_end(tmp_path, rows):
    """Transcripts of several recordings in one file, one a line."""
    text = (HERE / "whisper/talk.json").read_text(encoding="utf-8")
    (tmp_path / "x.jsonl").write_text(2 * text, encoding="utf-8")
    source = open_source(tmp_path / "x.jsonl")
    assert [c.name for c in source.columns] == ["text", "language", "segments"]
    assert sum(block.rows for block in source.blocks([], ["text"], rows)) == 2


LOGPROBS = [
    ("completions.jsonl", "choices.0.logprobs.token_logprobs", [[None, -1.25, -0.5], [None, -2.0]]),
    ("chat.jsonl", "choices.0.logprobs.content.logprob", [[-0.125, -1.25, -0.5], [-0.125, -2.0]]),
    ("prompt.jsonl", "choices.0.prompt_logprobs.*.logprob", [[None, -1.25, -0.5], [None, -2.0]]),
]


@pytest.mark.parametrize(("name", "path", "expected"), LOGPROBS)
@pytest.mark.parametrize("rows", [1, 100])
def test_logprobs(name, path, expected, rows):
    """OpenAI's completions and chat, and vLLM's prompt: lists of numbers, and lists of objects that hold one each."""
    source = open_source(HERE / "logprobs" / name)
    assert any(column.name == path for column in source.columns) or source.find(path)
    found = []
    for block in source.blocks([], [], rows, [path]):
        part = block.sequences(path)
        assert part.dtype == np.float64
        found += [[None if np.isnan(x) else float(x) for x in part.row(n)] for n in range(len(part))]
    assert found == expected


@pytest.mark.parametrize(("name", "path", "expected"), LOGPROBS)
def test_perplexity_of_logprobs(value, name, path, expected):
    """A token without a log-probability, the first one, is no token."""
    costs = [-x for row in expected for x in row if x is not None]
    assert value("perplexity", f"logprobs/{name}", "--pred", path) == pytest.approx(math.exp(mean(costs)), rel=1e-14)


def test_tokens_of_a_chat():
    """The words beside the log-probabilities, by the same kind of path."""
    source, path = open_source(HERE / "logprobs/chat.jsonl"), "choices.0.logprobs.content.token"
    assert source.find(path)
    (block,) = source.blocks([], [], 10, [path])
    rows = block.strings(path)
    assert [[rows.words[code] for code in rows.row(n)] for n in range(2)] == [["The", " cat", " sat"], ["It", " was"]]


def test_several_alternatives_are_not_one(tmp_path):
    """With ``prompt_logprobs`` above 0 an object holds others too, and which one was meant only its writer knows."""
    one, two = {"7": {"logprob": -1.0}}, {"8": {"logprob": -2.0}, "9": {"logprob": -3.0}}
    (tmp_path / "x.jsonl").write_text("\n".join(json.dumps({"prompt_logprobs": [None, x]}) for x in (one, two)))
    source = open_source(tmp_path / "x.jsonl")
    assert source.find("prompt_logprobs.*.logprob")
    (block,) = source.blocks([], [], 5, ["prompt_logprobs.*.logprob"])
    with pytest.raises(DataError) as caught:
        block.sequences("prompt_logprobs.*.logprob")
    assert (caught.value.code, caught.value.row) == ("not-a-number", 2)


def test_lm_eval():
    """Samples of lm-evaluation-harness: the log-likelihood of an answer, text in a list of lists."""
    source = open_source(HERE / "logprobs/samples.jsonl")
    assert source.find("filtered_resps.0.0")
    assert source.find("resps.0.0.0")
    (block,) = source.blocks(["filtered_resps.0.0", "resps.0.0.0"], [], 5)
    assert block.numbers("filtered_resps.0.0").tolist() == block.numbers("resps.0.0.0").tolist() == [-12.5, -3.25]


def test_bits_of_whole_answers(value, wrong, tmp_path):
    """The log-likelihood of an answer over the bytes of it; it says nothing of tokens."""
    texts, logs = ["Paris is", "né"], [-12.5, -3.25]
    file = tmp_path / "samples.jsonl"
    rows = [{"doc": {"page": t}, "filtered_resps": [[str(x), "False"]]} for t, x in zip(texts, logs, strict=True)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    said = (str(file), "--pred", "filtered_resps.0.0", "--input", "log-probs")
    found = value("bits-per-byte", *said, "--text", "doc.page")
    assert found == pytest.approx((12.5 + 3.25) / math.log(2) / sum(len(text.encode()) for text in texts), rel=1e-15)
    wrong(3, "shape", ["filtered_resps.0.0", "each token"], "perplexity", *said)


def test_word_errors(value):
    """NeMo's manifest by its own names; Whisper's file against lines of references."""
    assert value("wer", "nemo/manifest.json") == 5 / 16
    for name in ("whisper/talk.json", "whisper/talk.cpp.json"):
        assert value("wer", name, "whisper/talk.ref") == 2 / 12
