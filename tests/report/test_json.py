"""The document lossctl.compute/1, held against its schema and against the contract's own words."""

import json
import math
import subprocess
import sys

import jsonschema
import pytest

from lossctl import __version__
from lossctl.report.jsonout import dumps, schema

KEYS = (
    "loss label slice params resolved reduction group column class n n_elements weight_sum value log_value "
    "nonfinite divisor sample_mean parts like dropped stats ci signature"
)


def refuse(token):
    raise AssertionError(f"{token} is not JSON")


def strict(text):
    def unique(pairs):
        names = [name for name, _ in pairs]
        assert len(set(names)) == len(names), f"a key stands twice: {names}"
        return dict(pairs)

    return json.loads(text, parse_constant=refuse, object_pairs_hook=unique)


@pytest.fixture
def document(text):
    """Render, read strictly and validate."""
    validator = jsonschema.Draft202012Validator(schema("lossctl.compute/1"))

    def read(report):
        found = strict(text(report, "json"))
        validator.validate(found)
        return found

    return read


def test_the_whole_document(make, document) -> None:
    report = make.report(
        make.result(n=9990, weight_sum=9990.0, divisor=9990.0, dropped={"nan": 10}),
        samples=make.samples(make.sample(1, 0.125)),
        read=10000,
        scored=9990,
        dropped={"nan": 10},
        warnings=[make.note("rows-dropped", "10 rows had NaN in y_pred")],
    )
    assert document(report) == {
        "schema": "lossctl.compute/1",
        "lossctl": __version__,
        "inputs": [
            {
                "name": "preds.csv",
                "role": "table",
                "format": "csv",
                "columns": {"pred": ["y_pred"], "target": ["y_true"]},
                "classes": None,
            }
        ],
        "rows": {"read": 10000, "scored": 9990, "dropped": {"nan": 10}},
        "partial": False,
        "results": [
            {
                "loss": "huber",
                "label": "huber",
                "slice": "total",
                "params": {"delta": 1.0},
                "resolved": None,
                "reduction": "mean",
                "group": None,
                "column": None,
                "class": None,
                "n": 9990,
                "n_elements": None,
                "weight_sum": 9990.0,
                "value": 0.137512,
                "log_value": None,
                "nonfinite": None,
                "divisor": 9990.0,
                "sample_mean": None,
                "parts": None,
                "like": None,
                "dropped": {"nan": 10},
                "stats": None,
                "ci": None,
                "signature": "huber:delta=1.0|red:mean|w:none|nan:error|n:442|v:0.1.0",
            }
        ],
        "samples": [{"row": 1, "huber": 0.125}],
        "warnings": [{"code": "rows-dropped", "message": "10 rows had NaN in y_pred"}],
    }


def test_order_of_the_keys(make, document) -> None:
    found = document(make.report(samples=make.samples(make.sample(1, 0.5))))
    assert " ".join(found) == "schema lossctl inputs rows partial results samples warnings"
    assert " ".join(found["results"][0]) == KEYS


def test_one_result_and_one_sample_on_each_line(make, text) -> None:
    samples = make.samples(*(make.sample(i, i / 8) for i in range(1, 4)))
    shown = text(make.report(make.result(), make.result(loss="mse"), samples=samples), "json").splitlines()
    assert [line for line in shown if line.startswith("    ") and '"row":' in line] == [
        '    {"row": 1, "huber": 0.125},',
        '    {"row": 2, "huber": 0.25},',
        '    {"row": 3, "huber": 0.375}',
    ]
    assert sum(line.startswith('    {"loss": ') for line in shown) == 2
    assert shown[0] == "{"
    assert shown[1] == '  "schema": "lossctl.compute/1",'
    assert shown[-1] == "}"


def test_no_samples_no_key(make, document) -> None:
    assert "samples" not in document(make.report(samples=None))
    assert document(make.report(samples=make.samples()))["samples"] == []


@pytest.mark.parametrize("value", [0.1 + 0.2, 5e-324, 1.7976931348623157e308, 1 / 3, 1e22, 442.0])
def test_numbers_read_back_to_the_last_bit(make, document, value) -> None:
    samples = make.samples(make.sample(1, value))
    stats = {**make.stats, "mean": value}
    found = document(make.report(make.result(value, stats=stats, weight_sum=value, divisor=value), samples=samples))
    result = found["results"][0]
    seen = [result["value"], result["weight_sum"], result["divisor"], result["stats"]["mean"]]
    assert [*seen, found["samples"][0]["huber"]] == [value] * 5
    assert all(isinstance(number, float) for number in seen)


@pytest.mark.parametrize(("value", "kind"), [(math.inf, "inf"), (-math.inf, "-inf"), (math.nan, "nan")])
def test_what_is_not_finite(make, document, value, kind) -> None:
    stats = {**make.stats, "max": value}
    result = make.result(value, stats=stats, log_value=value, divisor=value)
    found = document(make.report(result, samples=make.samples(make.sample(7, value))))
    (shown,) = found["results"]
    assert shown["value"] is None
    assert shown["nonfinite"] == kind
    assert shown["log_value"] is None
    assert shown["divisor"] is None
    assert shown["stats"] == {**make.stats, "max": None}
    assert found["samples"] == [{"row": 7, "huber": None, "huber.nonfinite": kind}]


def test_params_and_what_the_data_made_of_them(make, document) -> None:
    params = {"clip": None, "weight": (0.25, 0.75), "full": True, "beta": "auto", "classes": 3, "eps": 1e-12}
    (shown,) = document(make.report(make.result(params=params, resolved={"beta": 0.5})))["results"]
    assert shown["params"] == {**params, "weight": [0.25, 0.75]}
    assert list(shown["params"]) == list(params)
    assert shown["params"]["full"] is True
    assert isinstance(shown["params"]["classes"], int)
    assert shown["resolved"] == {"beta": 0.5}


def test_a_param_that_is_not_finite_is_text(make, document) -> None:
    (shown,) = document(make.report(make.result(params={"alpha": -math.inf, "c": 1.0})))["results"]
    assert shown["params"] == {"alpha": "-inf", "c": 1.0}


def test_groups_are_text_and_a_missing_one_is_null(make, document) -> None:
    results = [
        make.result(2.0),
        make.group(1.0, {"country": "DE", "year": "2024"}),
        make.group(3.0, {"country": None, "year": ""}),
    ]
    found = document(make.report(*results, by=("country", "year")))["results"]
    assert [r["slice"] for r in found] == ["total", "group", "group"]
    assert [r["group"] for r in found] == [
        None,
        {"country": "DE", "year": "2024"},
        {"country": None, "year": ""},
    ]


def test_samples_by_key_and_samples_that_were_not_scored(make, document) -> None:
    samples = make.samples(
        make.sample(1, 0.5, 2.0, key=("u1", "007")),
        make.sample(2, None, None, key=("u2", None), status="nan"),
        make.sample(3, None, 1.0, key=("u3", "x")),
        labels=("mae", "huber:delta=2.0"),
        key_names=("user", "item"),
    )
    assert document(make.report(samples=samples))["samples"] == [
        {"user": "u1", "item": "007", "mae": 0.5, "huber:delta=2.0": 2.0},
        {"user": "u2", "item": None, "status": "nan", "mae": None, "huber:delta=2.0": None},
        {"user": "u3", "item": "x", "mae": None, "huber:delta=2.0": 1.0},
    ]


def test_samples_of_groups(make, document) -> None:
    samples = make.samples(make.sample(None, 0.5, key=("q1",)), per="group", key_names=("query_id",))
    assert document(make.report(samples=samples))["samples"] == [{"query_id": "q1", "huber": 0.5}]
    nameless = make.samples(make.sample(None, 0.5, key=("q1",)), per="group")
    assert document(make.report(samples=nameless))["samples"] == [{"group": "q1", "huber": 0.5}]


def test_a_key_column_never_hides_a_loss(make, document) -> None:
    samples = make.samples(
        make.sample(1, math.inf, key=("a", "b", "c"), status="nan"),
        key_names=("huber", "status", "huber.nonfinite"),
    )
    assert document(make.report(samples=samples))["samples"] == [
        {
            "key.huber": "a",
            "key.status": "b",
            "key.huber.nonfinite": "c",
            "status": "nan",
            "huber": None,
            "huber.nonfinite": "inf",
        }
    ]


def test_nothing_reduced(make, document) -> None:
    samples = make.samples(make.sample(1, 0.5), make.sample(2, None, status="ignored"), order="all", total=2)
    found = document(make.report(make.result(None, reduction="none", divisor=None), samples=samples))
    assert found["results"][0]["value"] is None
    assert found["results"][0]["nonfinite"] is None
    assert found["samples"] == [{"row": 1, "huber": 0.5}, {"row": 2, "status": "ignored", "huber": None}]


def test_classes_and_partial(make, document) -> None:
    source = make.input("p.npz", "pred", "npz", {"pred": ("logits",)}, ("cat", "dog"))
    found = document(make.report(inputs=[source], partial=True))
    assert found["inputs"][0]["classes"] == ["cat", "dog"]
    assert found["inputs"][0]["columns"] == {"pred": ["logits"]}
    assert found["partial"] is True


HOSTILE = '[red]x[/red]\x1b[2J\x9b\x7f\u202e\u2028"\\\n\ud800'


def test_text_is_kept_but_inert(make, text, document) -> None:
    samples = make.samples(make.sample(1, 0.5, key=(HOSTILE,)), key_names=(HOSTILE,))
    report = make.report(
        make.result(),
        make.group(1.0, {HOSTILE: HOSTILE}),
        samples=samples,
        by=(HOSTILE,),
        warnings=[make.note("x", HOSTILE)],
    )
    found = document(report)
    assert found["samples"] == [{HOSTILE: HOSTILE, "huber": 0.5}]
    assert found["results"][1]["group"] == {HOSTILE: HOSTILE}
    assert found["warnings"][0]["message"] == HOSTILE
    raw = text(report, "json").replace("\n", "")
    assert raw.isprintable()


def test_letters_stay_readable() -> None:
    assert dumps({"東京": "naïve"}) == '{"東京": "naïve"}'


def test_the_same_bytes_again(make, text) -> None:
    report = make.report(samples=make.samples(*(make.sample(i, i / 3) for i in range(2500))))
    assert text(report, "json") == text(report, "json")


def test_samples_are_streamed(make) -> None:
    from lossctl.report.jsonout import document, lines

    samples = make.samples(*(make.sample(i, i / 3) for i in range(20_000)), order="all")
    report = make.report(make.result(None, reduction="none"), samples=samples)
    for form in (document, lines):
        samples.taken = 0
        chunks = form(report)
        next(chunks)
        assert samples.taken < 3000
        assert sum(1 for _ in chunks) > 5
        assert samples.taken == 20_000


def test_json_needs_nothing_but_the_standard_library() -> None:
    code = (
        "import sys; import lossctl.report.render, lossctl.report.jsonout, lossctl.report.problem;"
        "print(sorted(sys.modules.keys() & {'numpy', 'rich', 'pandas', 'pyarrow', 'click', 'jsonschema'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
