"""What goes out to workers is plain JSON, and means the same there."""

from __future__ import annotations

import json

import pytest

from lossctl import index
from lossctl.data.inputs import Inputs
from lossctl.data.roles.binding import Request
from lossctl.engine.cluster import recipe as recipes
from lossctl.engine.cluster.recipe import Listed, Recipe, call_in, call_out, digest
from lossctl.engine.options import Options, Plan
from lossctl.errors import UsageError
from lossctl.model.call import LossCall, parse_calls

OTHERS = [
    "structural-risk:loss=huber:delta=2.5:lam=0.1",
    "pinball:quantile=0.1/0.5/0.9",
    "cross-entropy:class_weight=1/2/0.25:label_smoothing=0.1",
    "bce:pos_weight=3:clip=none",
    "box-iou:boxes=cxcywh",
]


def there_and_back(call: LossCall) -> LossCall:
    return call_in(json.loads(json.dumps(call_out(call, "label", {}))))


@pytest.mark.parametrize("name", index.names())
def test_every_loss_means_the_same(name):
    call = LossCall.make(name, {})
    again = there_and_back(call)
    assert (again.name, again.signature(), again.params) == (call.name, call.signature(), call.params)
    given = {key: value for key, value in call.params.items() if value is not None}
    try:
        spelled_out = LossCall.make(name, given)
    except UsageError:  # of parameters that cannot be given together
        return
    assert there_and_back(spelled_out).signature() == spelled_out.signature()


@pytest.mark.parametrize("text", OTHERS)
def test_parameters_of_every_sort(text):
    (call,) = parse_calls(text)
    again = there_and_back(call)
    assert again.signature() == call.signature()
    assert again.given == call.given
    assert again._replace(of_set="@auto").of_set == "@auto"


def made(**options) -> Recipe:
    return Recipe(
        aim="score",
        inputs=Inputs(("s3://bucket/p/", "t.parquet"), {"pred": "a,b"}, reader={"null_values": ("-", "?")}),
        listed={"s3://bucket/p/": Listed(1_000_000, {0: "s3://bucket/p/a.parquet", 17: "s3://bucket/p/x.parquet"})},
        calls=[call_out(call, call.name, {"beta": 0.5}) for call in parse_calls("mse,huber:delta=2")],
        request=Request(roles={"pred": "a,b"}, by=("g", "h"), classes=("x", "y")),
        options=Options(**options),
        chunk_rows=4096,
    )


@pytest.mark.parametrize("options", [{}, {"ci": Plan(0.9, "bootstrap", 7, 3), "by": None}, {"stats": True, "rows": 0}])
def test_a_recipe_comes_back_whole(options):
    options.pop("by", None)
    recipe = made(**options)
    again = Recipe.load(recipe.dump())
    assert again.dump() == recipe.dump()
    assert again.options == recipe.options
    assert again.request == recipe.request
    assert again.inputs.paths == recipe.inputs.paths
    assert list(again.inputs.reader["null_values"]) == ["-", "?"]
    assert again.listed == recipe.listed
    assert digest(again.dump()) == digest(recipe.dump())
    assert len(recipe.dump()) < 4000  # whatever the number of files


def test_two_runs_have_two_digests():
    assert digest(made().dump()) != digest(made(stats=True).dump())


def test_another_version_is_named(monkeypatch):
    text = made().dump()
    monkeypatch.setattr(recipes, "__version__", "9.9.9")
    with pytest.raises(UsageError, match=r"a worker has lossctl 9\.9\.9, and this is lossctl") as caught:
        Recipe.load(text)
    assert caught.value.code == "versions-differ"
