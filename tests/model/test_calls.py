"""Calls as people type them, and what is wrong with them, all at once."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pytest

from lossctl import index
from lossctl.errors import UsageError
from lossctl.losses.types import Real
from lossctl.model import registry
from lossctl.model.call import LossCall, labels, parse_calls
from lossctl.model.params import Param
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Paper, Prelude


def refused(code, way):
    with pytest.raises(UsageError) as caught:
        way()
    assert (caught.value.exit, caught.value.code) == (2, code)
    return caught.value


@pytest.mark.parametrize(
    ("text", "name", "given"),
    [
        ("huber", "huber", {}),
        ("Huber_Loss", "huber", {}),
        ("huber:delta=0.5", "huber", {"delta": 0.5}),
        ("huber: delta = 2 ", "huber", {"delta": 2.0}),
        ("l1", "mae", {}),
        ("bce-with-logits:pos-weight=2", "bce-with-logits", {"pos_weight": 2.0}),
        ("bce-with-logits:input=logits", "bce-with-logits", {"input": "logits"}),
        ("ndcg-loss:ignore_ties", "ndcg-loss", {"ignore_ties": True}),
        ("ndcg-loss:ignore-ties=false:k=3", "ndcg-loss", {"ignore_ties": False, "k": 3}),
        ("nll:class_weight=1/2/0.5", "nll", {"class_weight": (1.0, 2.0, 0.5)}),
        ("pinball:quantile=0.1/0.9", "pinball", {"quantile": (0.1, 0.9)}),
        ("triplet-margin:p=none", "triplet-margin", {"p": None}),
    ],
)
def test_parse(text, name, given):
    call = LossCall.parse(text)
    assert (call.name, dict(call.given)) == (name, given)
    assert LossCall.parse(call.text()) == call


def test_text_and_signature():
    call = LossCall.parse("bce-with-logits:pos_weight=2")
    assert call.text() == "bce-with-logits:pos_weight=2.0"
    assert call.signature() == "bce:input=logits:pos_weight=2.0:clip=none"
    assert LossCall.parse("mse").signature() == "mse"
    assert LossCall.parse("ndcg-loss:k=5:ignore_ties").text() == "ndcg-loss:k=5:ignore_ties=true"


def test_given_parameters_stand_in_the_order_of_the_declaration():
    assert LossCall.parse("ndcg-loss:ignore_ties:k=5").text() == "ndcg-loss:k=5:ignore_ties=true"


def test_what_is_wrong():
    error = refused("unknown-parameter", lambda: LossCall.parse("huber:dleta=1"))
    assert "dleta" in error.message
    assert "delta" in error.hint
    assert "none" in refused("unknown-parameter", lambda: LossCall.parse("mse:delta=1")).hint
    assert refused("bad-parameter", lambda: LossCall.parse("huber:delta=0")).message.startswith("huber: delta = 0")
    refused("bad-parameter", lambda: LossCall.parse("huber:delta"))
    refused("bad-parameter", lambda: LossCall.parse("huber:delta="))
    refused("unknown-parameter", lambda: LossCall.parse("huber:"))
    refused("unknown-loss", lambda: LossCall.parse(""))
    assert "mse" in refused("ambiguous-loss", lambda: LossCall.parse("l2")).hint
    refused("ambiguous-loss", lambda: LossCall.parse("L2_loss"))
    error = refused("preset-parameter", lambda: LossCall.parse("bce-with-logits:input=probs"))
    assert "bce" in error.message


def test_all_that_is_wrong_is_said_at_once():
    error = refused("unknown-loss", lambda: parse_calls("mse,hubr,mea,huber:delta=-1"))
    for word in ("hubr", "mea", "delta"):
        assert word in error.message
    assert "huber" in error.hint
    assert refused("unknown-loss", lambda: parse_calls("mse,hubr")).message == "there is no loss called hubr"


def test_options_apply_where_the_loss_has_them():
    calls = parse_calls("mse,huber,smooth-l1,huber:delta=3", {"delta": "2"})
    assert [dict(c.given) for c in calls] == [{}, {"delta": 2.0}, {}, {"delta": 3.0}]
    error = refused("unknown-parameter", lambda: parse_calls("mse,mae", {"delta": "2"}))
    assert "--delta" in error.message
    assert "mse, mae" in error.message
    error = refused("bad-parameter", lambda: parse_calls("mse,huber", {"delta": "x"}))
    assert error.message.startswith("huber: ")


def test_an_option_is_read_by_each_loss_in_its_own_way():
    calls = parse_calls("balanced-sigmoid-ce,smooth-l1", {"beta": "0.5"})
    assert [c.params["beta"] for c in calls] == [0.5, 0.5]
    assert (
        "smooth-l1"
        in refused("bad-parameter", lambda: parse_calls("balanced-sigmoid-ce,smooth-l1", {"beta": "auto"})).message
    )


def test_equal_calls():
    for text in ("mse,mse", "mae,l1", "huber,huber:delta=1", "nll,nll:ignore_index=-100"):
        refused("equal-calls", lambda t=text: parse_calls(t))
    assert len(parse_calls("huber,huber:delta=2")) == 2
    assert len(parse_calls("bce-with-logits,bce")) == 2


def test_labels():
    assert labels(parse_calls("mse,huber")) == ["mse", "huber"]
    assert labels(parse_calls("huber,mse,huber:delta=2")) == ["huber", "mse", "huber:delta=2.0"]


def test_conditional_parameters_stand_off():
    assert LossCall.parse("cross-entropy").params["clip"] == "none"
    assert LossCall.parse("bce:input=logits").params["clip"] == "none"
    assert LossCall.parse("bce").params["clip"] == "torch"
    call = LossCall.parse("bce:input=logits:clip=keras")
    refused("idle-parameter", call.refuse_idle)
    LossCall.parse("bce:input=logits:clip=none").refuse_idle()


def test_soft_and_settled_parameters():
    """What was given beats what the columns say, which beats a convention."""
    call = LossCall.parse("bce").with_params(soft={"clip": "keras"})
    assert call.params["clip"] == "keras"
    settled = call.with_params({"input": "logits"})
    assert (settled.params["input"], settled.params["clip"]) == ("logits", "none")
    assert settled.text() == "bce"
    assert LossCall.parse("bce:clip=sklearn").with_params(soft={"clip": "keras"}).params["clip"] == "sklearn"


# Declarations.


@pytest.fixture
def shelf(monkeypatch):
    monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    monkeypatch.setattr(registry, "_owner", dict(registry._owner))


def test_a_declaration_is_read_off_the_function(shelf):
    @loss(title="Half", reduce=Mean(), unit="1", range="0 to inf", aliases=("demi",))
    def half_of_it(pred: Real, target: Real, *, by: Annotated[float, Param("by how much", gt=0)] = 2.0) -> np.ndarray:
        """Half the difference.

        With e the difference:

            e / by

        >>> half_of_it([2.0], [1.0])
        array([0.5])
        """
        return np.abs(pred - target) / by

    spec = half_of_it.spec
    assert (spec.name, spec.summary) == ("half-of-it", "Half the difference.")
    assert spec.formula == "With e the difference:\n\n    e / by"
    assert (spec.roles, list(spec.params), spec.kernel_params) == (("pred", "target"), ["by"], ("by",))
    assert half_of_it([3.0], [1.0]).tolist() == [1.0]
    assert half_of_it([3.0], [1.0], by=4).tolist() == [0.5]
    assert half_of_it.kernel(np.array([3.0]), np.array([1.0]), by=1.0).tolist() == [2.0]
    assert (spec.per, spec.scope, spec.direction, spec.paper) == ("row", "row", "minimise", None)


def test_an_input_needs_a_kind(shelf):
    with pytest.raises(TypeError, match="pred"):

        @loss(title="Bare", reduce=Mean(), unit="1", range="0 to 1")
        def bare(pred: np.ndarray, target: Real) -> np.ndarray:
            """Nothing."""
            return pred


def test_inputs_may_not_be_named(shelf):
    entry = registry.get("mse")
    with pytest.raises(TypeError):
        registry.Loss(entry)([1.0])
    with pytest.raises((TypeError, UsageError)):
        registry.Loss(entry)(pred=[1.0], target=[1.0])


def test_papers_and_preludes():
    paper = Paper("A. Author", 1999, "On Things", doi="10.1/x")
    assert str(paper) == "A. Author (1999). On Things. doi:10.1/x"
    assert str(paper._replace(doi=None)) == "A. Author (1999). On Things."
    prelude = Prelude("beta", "auto", lambda arrays: {}, lambda sums: 0.0, also={"balance": "dataset"})
    assert prelude.needed({"beta": "auto", "balance": "dataset"})
    assert not prelude.needed({"beta": "auto", "balance": "row"})
    assert not prelude.needed({"beta": 0.5, "balance": "dataset"})


def test_only_the_module_of_the_loss_is_imported():
    assert registry.get("mse").spec.module == index.record("mse")["module"]


def test_families():
    families = index.families()
    assert list(families) == sorted(families)
    assert sorted(name for names in families.values() for name in names) == index.names()
