"""The schemas that ship: they are schemas, and they refuse what is wrong."""

import json

import jsonschema
import pytest

from lossctl.report.jsonout import schema


@pytest.mark.parametrize("name", ["compute-1", "error-1", "score-1"])
def test_schemas_are_schemas(name) -> None:
    found = schema(name)
    jsonschema.Draft202012Validator.check_schema(found)
    assert found["title"] == "lossctl." + name.replace("-", "/")
    assert schema(found["title"]) == found


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.pop("rows"),
        lambda d: d.update(schema="lossctl.compute/2"),
        lambda d: d["rows"].update(read=-1),
        lambda d: d["rows"].update(dropped={"nan": 0.5}),
        lambda d: d["results"][0].pop("signature"),
        lambda d: d["results"][0].update(value="0.5"),
        lambda d: d["results"][0].update(value=None),
        lambda d: d["results"][0].update(nonfinite="inf"),
        lambda d: d["results"][0].update(value=None, nonfinite="Infinity"),
        lambda d: d["results"][0].update(slice="part"),
        lambda d: d["results"][0].update(group={"country": "DE"}),
        lambda d: d["results"][0].update(slice="group"),
        lambda d: d["results"][0].update(params={"x": {"y": 1}}),
        lambda d: d["results"][0].update(stats={"mean": 1.0}),
        lambda d: d["results"][0].update(ci={"level": 0.95}),
        lambda d: d["samples"].append({}),
        lambda d: d["samples"][0].update(huber=[1]),
        lambda d: d["samples"][0].update(status="lost"),
        lambda d: d["warnings"].append("late"),
        lambda d: d["inputs"][0].update(columns={"pred": "y"}),
    ],
)
def test_the_schema_refuses_what_is_wrong(make, text, spoil) -> None:
    found = json.loads(text(make.report(samples=make.samples(make.sample(1, 0.5))), "json"))
    jsonschema.validate(found, schema("compute-1"))
    spoil(found)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found, schema("compute-1"))
