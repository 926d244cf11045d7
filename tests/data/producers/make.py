"""Writes the files in these folders, in the layouts of the tools they are named after.

Run it as ``python tests/data/producers/make.py``; text files come out the same to the byte. The numbers
are made up; what counts is which columns there are, how they are called, and how cells are written.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
SPECIES = ("setosa", "versicolor", "virginica")
TRUTH = (0, 0, 1, 2, 1, 2, 0, 2)
LOGITS = (
    (2.5, 0.25, -1.0),
    (1.0, 1.5, -0.5),
    (-0.75, 1.25, 0.5),
    (-2.0, 0.125, 1.75),
    (0.5, 0.75, 0.625),
    (-1.5, 1.0, 0.875),
    (3.0, -0.25, -2.0),
    (-1.0, -0.5, 2.25),
)


# Rounded, so that the last bit of a system's exp does not matter.
def softmax(row: tuple[float, ...]) -> list[float]:
    powers = [math.exp(x) for x in row]
    return [round(p / math.fsum(powers), 12) for p in powers]


def sigmoid(x: float) -> float:
    return round(1 / (1 + math.exp(-x)), 12)


PROBS = [softmax(row) for row in LOGITS]
GUESS = [max(range(3), key=row.__getitem__) for row in LOGITS]


def put(path: str, lines: list[str]) -> None:
    (HERE / path).write_text("".join(line + "\n" for line in lines), encoding="utf-8", newline="")


def kaggle() -> None:
    """A submission, and the solution that the host keeps: the same columns, and which rows are shown."""
    rows = [(892, 0, 0), (893, 1, 1), (894, 0, 0), (895, 1, 0), (896, 1, 1), (897, 0, 1), (898, 1, 1), (899, 0, 0)]
    put("kaggle/gender_submission.csv", ["PassengerId,Survived", *(f"{key},{guess}" for key, guess, _ in rows)])
    usage = ["Public", "Private"]
    solution = (f"{key},{truth},{usage[key % 2]}" for key, _, truth in rows)
    put("kaggle/solution.csv", ["PassengerId,Survived,Usage", *solution])


def huggingface() -> None:
    """What ``Trainer.predict`` gives, saved with NumPy or one object a row, and what run_glue.py writes."""
    np.savez(
        HERE / "huggingface/predictions.npz",
        predictions=np.array(LOGITS, np.float32),
        label_ids=np.array(TRUTH, np.int64),
    )
    put(
        "huggingface/eval.jsonl",
        [
            json.dumps({"idx": i, "label": y, "logits": row})
            for i, (y, row) in enumerate(zip(TRUTH, LOGITS, strict=True))
        ],
    )
    names = ("entailment", "not_entailment")
    guesses = [0, 1, 1, 0, 1, 0]
    truths = [0, 1, 0, 0, 1, 1]
    lines = (f"{i}\t{names[guess]}" for i, guess in enumerate(guesses))
    put("huggingface/predict_results_rte.txt", ["index\tprediction", *lines])
    lines = (f'{i}\tA sentence, number {i}.\tIt is "one".\t{names[truth]}' for i, truth in enumerate(truths))
    put("huggingface/dev.tsv", ["index\tsentence1\tsentence2\tlabel", *lines])


def spark() -> None:
    """``model.transform(data).write.parquet(...)``: vectors are structs, dense or sparse."""
    vector = pa.struct(
        [
            pa.field("type", pa.int8(), nullable=False),
            pa.field("size", pa.int32()),
            pa.field("indices", pa.list_(pa.field("element", pa.int32(), nullable=False))),
            pa.field("values", pa.list_(pa.field("element", pa.float64(), nullable=False))),
        ]
    )

    def dense(values: list[float]) -> dict[str, object]:
        return {"type": 1, "size": None, "indices": None, "values": values}

    def sparse(size: int, cells: dict[int, float]) -> dict[str, object]:
        return {"type": 0, "size": size, "indices": list(cells), "values": list(cells.values())}

    udt = {"type": "udt", "class": "org.apache.spark.ml.linalg.VectorUDT"}
    kinds = {"label": "double", "features": udt, "rawPrediction": udt, "probability": udt, "prediction": "double"}
    told = [{"name": name, "type": kind, "nullable": True, "metadata": {}} for name, kind in kinds.items()]
    metadata = {"org.apache.spark.version": "3.5.1"}
    metadata["org.apache.spark.sql.parquet.row.metadata"] = json.dumps({"type": "struct", "fields": told})
    features = [sparse(4, {i % 4: 1.5}) if i % 2 else dense([0.5, 1.0, float(i), 2.0]) for i in range(8)]
    # A tree's probability may be exactly 0 or 1: such a vector is stored as a sparse one.
    probability = [dense(row) for row in PROBS]
    probability[6] = sparse(3, {0: 1.0})
    arrays = [
        pa.array([float(y) for y in TRUTH]),
        pa.array(features, vector),
        pa.array([dense(list(row)) for row in LOGITS], vector),
        pa.array(probability, vector),
        pa.array([float(y) for y in GUESS]),
    ]
    schema = pa.schema([pa.field(n, a.type) for n, a in zip(kinds, arrays, strict=True)], metadata=metadata)
    table = pa.Table.from_arrays(arrays, schema=schema)
    pq.write_table(table, HERE / "spark/part-00000-c000.snappy.parquet", compression="snappy", store_schema=False)


def bigquery() -> None:
    """``ML.PREDICT`` results as exported: input columns are kept, scores are sorted by probability."""
    rows = []
    for i, (y, row, guess) in enumerate(zip(TRUTH, PROBS, GUESS, strict=True)):
        order = sorted(range(3), key=lambda c: -row[c])
        scores = [{"label": SPECIES[c], "prob": row[c]} for c in order]
        rows.append(
            {
                "predicted_species": SPECIES[guess],
                "predicted_species_probs": scores,
                "flower": i,
                "note": "width<2" if i % 2 else None,
                "species": SPECIES[y],
            }
        )
    # JSON: INT64 is text, NULL is left out, < > & are escaped.
    lines = []
    for one in rows:
        written = {key: str(cell) if isinstance(cell, int) else cell for key, cell in one.items() if cell is not None}
        lines.append(json.dumps(written, separators=(",", ":")).replace("<", "\\u003c"))
    put("bigquery/iris.jsonl", lines)
    pair = pa.struct([pa.field("label", pa.string()), pa.field("prob", pa.float64())])
    schema = pa.schema(
        {
            "predicted_species": pa.string(),
            "predicted_species_probs": pa.list_(pa.field("element", pair)),
            "flower": pa.int64(),
            "note": pa.string(),
            "species": pa.string(),
        }
    )
    pq.write_table(pa.Table.from_pylist(rows, schema), HERE / "bigquery/iris.parquet", store_schema=False)
    fares = [(11.5, "12.25"), (7.0, "6.5"), (52.0, "49.875"), (9.5, "10.5"), (23.0, "20.0")]
    lines = [f'{{"predicted_fare":{text},"fare":{fare},"trip":"{i}"}}' for i, (fare, text) in enumerate(fares)]
    put("bigquery/fares.jsonl", lines)


def lightgbm() -> None:
    """``task=predict``: values with all digits, tabs between classes, no header; labels as in LightGBM's examples."""
    logits = [row[1] - row[0] for row in LOGITS]
    put("lightgbm/binary/LightGBM_predict_result.txt", [f"{sigmoid(x):.17g}" for x in logits])
    put("lightgbm/binary/labels.txt", [str(int(y > 0)) for y in TRUTH])
    put("lightgbm/multiclass/LightGBM_predict_result.txt", ["\t".join(f"{p:.17g}" for p in row) for row in PROBS])
    put("lightgbm/multiclass/labels.txt", [str(y) for y in TRUTH])


def catboost() -> None:
    """``catboost calc``: tab-separated, a header, ten significant digits."""
    lines = ["SampleId\tRawFormulaVal\tProbability\tClass\tLabel"]
    for i, (y, row) in enumerate(zip(TRUTH, LOGITS, strict=True)):
        raw = row[1] - row[0]
        lines.append(f"{i}\t{raw:.10g}\t{sigmoid(raw):.10g}\t{int(raw > 0)}\t{int(y > 0)}")
    put("catboost/binary.tsv", lines)
    lines = ["\t".join(["SampleId", *(f"Probability:Class={name}" for name in SPECIES), "Class", "Label"])]
    for i, (y, row, guess) in enumerate(zip(TRUTH, PROBS, GUESS, strict=True)):
        lines.append("\t".join([str(i), *(f"{p:.10g}" for p in row), SPECIES[guess], SPECIES[y]]))
    put("catboost/multiclass.tsv", lines)
    lines = ["\t".join(["SampleId", *(f"RawFormulaVal:Class={name}" for name in SPECIES), "Label"])]
    for i, (y, row) in enumerate(zip(TRUTH, LOGITS, strict=True)):
        lines.append("\t".join([str(i), *(f"{x:.10g}" for x in row), SPECIES[y]]))
    put("catboost/raw.tsv", lines)
    lines = ["SampleId\tRawFormulaVal:Dim=0\tRawFormulaVal:Dim=1\tLabel:Dim=0\tLabel:Dim=1"]
    for i, (a, b, c) in enumerate(LOGITS):
        lines.append(f"{i}\t{a:.10g}\t{b:.10g}\t{a + c / 4:.10g}\t{b - 0.5:.10g}")
    put("catboost/multiregression.tsv", lines)


SPOKEN = ("the cat sat on the mat", "it was a bright cold day in april", "", "naïve café")
HEARD = ("the cat sat on a mat", "it was bright cold day in an april", "um", "naive café")


def nemo() -> None:
    """A manifest as ``transcribe_speech.py`` of NeMo writes it: one utterance a line, with what was heard."""
    rows = zip(SPOKEN, HEARD, strict=True)
    lines = [
        {"audio_filepath": f"wavs/{i}.wav", "duration": 1.5 + i, "text": text, "pred_text": heard}
        for i, (text, heard) in enumerate(rows)
    ]
    put("nemo/manifest.json", [json.dumps(line, ensure_ascii=False) for line in lines])


def whisper() -> None:
    """The JSON of openai-whisper's command, and that of whisper.cpp with ``--output-json``."""
    parts = (" The cat sat on a mat.", " It was a bright day.")
    shared = {"seek": 0, "tokens": [50364, 440, 50564], "temperature": 0.0, "avg_logprob": -0.25}
    segments = [
        {"id": i, "start": 2.0 * i, "end": 2.0 * i + 2, "text": part, **shared, "no_speech_prob": 0.0125}
        for i, part in enumerate(parts)
    ]
    put("whisper/talk.json", [json.dumps({"text": "".join(parts), "segments": segments, "language": "en"})])
    pieces = [
        {
            "timestamps": {"from": f"00:00:0{2 * i},000", "to": f"00:00:0{2 * i + 2},000"},
            "offsets": {"from": 2000 * i, "to": 2000 * i + 2000},
            "text": part,
        }
        for i, part in enumerate(parts)
    ]
    whole = {
        "systeminfo": "AVX = 1 | AVX2 = 1",
        "model": {"type": "base", "multilingual": True, "vocab": 51865},
        "params": {"model": "models/ggml-base.bin", "language": "auto", "translate": False},
        "result": {"language": "en"},
        "transcription": pieces,
    }
    put("whisper/talk.cpp.json", [json.dumps(whole, indent="\t")])
    put("whisper/talk.ref", ["The cat sat on the mat. It was a bright cold day."])


def logprobs() -> None:
    """Log-probabilities of tokens: OpenAI's completions and chat, vLLM's of the prompt, lm-eval's samples."""
    words = (("The", " cat", " sat"), ("It", " was"))
    costs = ((None, -1.25, -0.5), (None, -2.0))
    texts = [
        {
            "id": f"cmpl-{i}",
            "object": "text_completion",
            "choices": [
                {
                    "text": "".join(tokens),
                    "index": 0,
                    "logprobs": {"tokens": tokens, "token_logprobs": mine, "top_logprobs": None, "text_offset": [0]},
                }
            ],
        }
        for i, (tokens, mine) in enumerate(zip(words, costs, strict=True))
    ]
    put("logprobs/completions.jsonl", [json.dumps(text) for text in texts])
    chats = []
    for i, (tokens, mine) in enumerate(zip(words, costs, strict=True)):
        pairs = zip(tokens, mine, strict=True)
        content = [{"token": t, "logprob": cost or -0.125, "bytes": None, "top_logprobs": []} for t, cost in pairs]
        message = {"role": "assistant", "content": "".join(tokens)}
        choice = {"index": 0, "message": message, "logprobs": {"content": content}}
        chats.append({"id": f"chatcmpl-{i}", "object": "chat.completion", "choices": [choice]})
    put("logprobs/chat.jsonl", [json.dumps(chat) for chat in chats])
    prompts = []
    for i, (tokens, mine) in enumerate(zip(words, costs, strict=True)):
        seen = [
            None if cost is None else {str(1000 + 7 * i + n): {"logprob": cost, "rank": 1 + n, "decoded_token": token}}
            for n, (token, cost) in enumerate(zip(tokens, mine, strict=True))
        ]
        prompts.append({"choices": [{"index": 0, "text": "", "prompt_logprobs": seen}]})
    put("logprobs/prompt.jsonl", [json.dumps(prompt) for prompt in prompts])
    samples = [
        {"doc_id": i, "target": "", "resps": [[[str(cost), "False"]]], "filtered_resps": [[str(cost), "False"]]}
        for i, cost in enumerate((-12.5, -3.25))
    ]
    put("logprobs/samples.jsonl", [json.dumps(sample) for sample in samples])


def main() -> None:
    for folder in ("lightgbm/binary", "lightgbm/multiclass", "kaggle", "huggingface", "spark", "bigquery", "catboost"):
        (HERE / folder).mkdir(parents=True, exist_ok=True)
    for folder in ("nemo", "whisper", "logprobs"):
        (HERE / folder).mkdir(exist_ok=True)
    for producer in (kaggle, huggingface, spark, bigquery, lightgbm, catboost, nemo, whisper, logprobs):
        producer()


if __name__ == "__main__":
    main()
