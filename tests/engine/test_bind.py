"""Columns to roles: what is found by name, what is refused, and what the names say about the numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lossctl.data.arrays.memory import MemorySource
from lossctl.data.roles.bind import bind
from lossctl.data.roles.binding import Request
from lossctl.data.roles.columns import KEY, PRED, SCORE, TARGET, implied_form, plain
from lossctl.errors import DataError, LossctlError, UsageError
from lossctl.model.call import LossCall

NUMBERS = [0.5, 0.25]


def source(*names, name="table", **columns):
    """A table of numbers with these columns, and some given ones."""
    return MemorySource({**dict.fromkeys(names, NUMBERS), **columns}, name=name)


def bound(loss, *sources, elsewhere=None, **request):
    return bind([LossCall.parse(loss)], list(sources), Request(**request), elsewhere or {})


def columns(loss, *sources, **request):
    """Role -> column or columns."""
    refs = bound(loss, *sources, **request).calls[0].refs
    return {role: ref.columns if len(ref.columns) > 1 else ref.columns[0] for role, ref in refs.items()}


def refused(error, code, loss, *sources, **request):
    with pytest.raises(error) as caught:
        bound(loss, *sources, **request)
    assert caught.value.code == code, caught.value
    return caught.value


# Names by rank.


@pytest.mark.parametrize("rank", range(len(TARGET)))
def test_targets_by_rank(rank):
    """Every name is found; one of a higher rank beats those of the lower."""
    for name in TARGET[rank]:
        assert columns("mse", source("y_pred", name))["target"] == name
        lower = [names[0] for names in TARGET[rank + 1 :]]
        assert columns("mse", source(*lower, "y_pred", name))["target"] == name


@pytest.mark.parametrize("rank", range(len(PRED)))
def test_predictions_by_rank(rank):
    for name in PRED[rank]:
        assert columns("mse", source(name, "y_true"))["pred"] == name
        lower = [names[0] for names in PRED[rank + 1 :]]
        assert columns("mse", source(*lower, name, "y_true"))["pred"] == name


@pytest.mark.parametrize("loss", ["bce", "likelihood"])
def test_scores_go_before_predictions(loss):
    for names in SCORE if loss == "bce" else SCORE[:1]:
        for name in names:
            assert columns(loss, source("y_pred", "prediction", name, "y_true"))["pred"] == name
    assert columns(loss, source("y_pred", "y_true"))["pred"] == "y_pred"


def test_scores_are_no_predictions_of_real_values():
    refused(DataError, "column-not-found", "mse", source("score", "y_true"))


@pytest.mark.parametrize("name", ["Y_PRED", "y-pred", "Y Pred", "yPred", "\ufeffy_pred", " y_pred ", "Y__Pred"])
def test_case_and_signs_do_not_matter(name):
    assert columns("mse", source(name, "y_true"))["pred"] == name


@pytest.mark.parametrize("name", ["y_hat", "label_ids", "ground truth", "Sample-Weight", "row_id"])
def test_plain_names(name):
    assert plain(name) == "".join(c for c in name.lower() if c.isalpha())


def test_two_of_one_rank_are_an_error_that_names_both():
    error = refused(DataError, "ambiguous-column", "mse", source("pred", "Prediction", "y_true"))
    assert "pred" in error.message
    assert "Prediction" in error.message
    assert (error.exit, error.file, error.hint) == (3, "table", "say which: --pred pred")
    assert columns("mse", source("pred", "Prediction", "y_true"), roles={"pred": "Prediction"})["pred"] == "Prediction"
    error = refused(DataError, "ambiguous-column", "mse", source("y_pred", "gold", "truth"))
    assert "gold and truth" in error.message


def test_a_better_rank_settles_it():
    assert columns("mse", source("y_pred", "pred", "Prediction", "y_true"))["pred"] == "y_pred"


def test_nothing_found():
    error = refused(DataError, "column-not-found", "mse", source("id", "alpha", "y_true"))
    assert (error.exit, error.file) == (3, "table")
    assert "pred" in error.message
    assert "id, alpha, y_true" in " ".join(error.details)
    assert error.hint == "say which: --pred alpha"


def test_columns_that_are_no_numbers_are_passed_over():
    dates = np.array(["2020-01-01", "2020-01-02"], "M8[D]")
    with pytest.raises(LossctlError):
        source(pred=dates)
    text = source("y_true", "prediction", pred=["a", "b"])
    assert refused(DataError, "ambiguous-column", "mse", text)


# Roles under their own names.


def test_own_names():
    table = source("anchor", "Positive", "NEGATIVE")
    assert columns("triplet-margin", table) == {"anchor": "anchor", "positive": "Positive", "negative": "NEGATIVE"}
    table = source("anchor_0", "anchor_1", "positive_0", "positive_1", "negative_0", "negative_1")
    assert columns("triplet-margin", table)["positive"] == ("positive_0", "positive_1")


@pytest.mark.parametrize("group", ["group", "qid", "query_id", "QueryID"])
@pytest.mark.parametrize("target", ["relevance", "rel", "target", "label"])
def test_ranking(group, target):
    found = columns("ndcg-loss", source(group, target, "score"))
    assert found == {"pred": "score", "target": target, "group": group}


def test_relevance_is_for_rankings_only():
    refused(DataError, "column-not-found", "mse", source("relevance", "pred"))
    found = columns("ndcg-loss", source("label", "relevance", "pred", "qid"))
    assert found["target"] == "label"


def test_group_before_query():
    assert columns("ndcg-loss", source("qid", "group", "target", "pred"))["group"] == "group"
    refused(DataError, "ambiguous-column", "ndcg-loss", source("qid", "query_id", "target", "pred"))


def test_numbers_of_classification_for_rankings():
    assert columns("ndcg-loss", source("qid", "label", "prob"))["pred"] == "prob"


# Families.


@pytest.mark.parametrize("prefix", ["prob_", "proba_", "p_", "logit_", ".pred_", "y_pred_proba_", "PROB_", "Logit_"])
def test_class_scores(prefix):
    table = source(*(prefix + c for c in ("cat", "ant", "bee")), target=[0, 1])
    found = bound("cross-entropy", table).calls[0]
    assert found.refs["pred"].columns == (prefix + "cat", prefix + "ant", prefix + "bee")
    assert found.classes.names == ("cat", "ant", "bee")
    assert found.width == 3


def test_whole_numbers_are_in_numeric_order():
    """Others stand as in the file."""
    table = source("prob_10", "prob_9", "prob_0", target=[0, 1])
    found = bound("cross-entropy", table).calls[0]
    assert found.refs["pred"].columns == ("prob_0", "prob_9", "prob_10")
    assert found.classes.names == ("0", "9", "10")
    table = source("prob_10", "prob_9", "prob_x", target=[0, 1])
    assert bound("cross-entropy", table).calls[0].classes.names == ("10", "9", "x")


def test_one_column_is_no_family():
    refused(DataError, "column-not-found", "cross-entropy", source("prob_cat", target=[0, 1]))
    table = source("prob_cat", "logit_cat", "logit_dog", target=[0, 1])
    assert bound("cross-entropy", table).calls[0].refs["pred"].columns == ("logit_cat", "logit_dog")


def test_two_families_are_an_error_that_names_both():
    table = source("prob_a", "prob_b", "logit_a", "logit_b", target=[0, 1])
    error = refused(DataError, "ambiguous-column", "cross-entropy", table)
    assert "prob_*" in error.message
    assert "logit_*" in error.message
    assert "--pred 'prob_*'" in error.hint
    assert bound("cross-entropy", table, roles={"pred": "logit_*"}).calls[0].classes.names == ("a", "b")


def test_class_is_no_class_score():
    """``.pred_class`` is the decision beside the scores."""
    table = source(".pred_class", ".pred_a", ".pred_b", target=[0, 1])
    assert bound("cross-entropy", table).calls[0].classes.names == ("a", "b")


def test_outputs_of_a_regression():
    table = source("pred_b", "pred_a", "target_a", "target_b")
    found = columns("mse", table)
    assert found == {"pred": ("pred_b", "pred_a"), "target": ("target_b", "target_a")}
    found = columns("mse", source("y_pred_2", "y_pred_10", "y_pred_1", "y_true_1", "y_true_10", "y_true_2"))
    assert found["pred"] == ("y_pred_1", "y_pred_2", "y_pred_10")
    assert found["target"] == ("y_true_1", "y_true_2", "y_true_10")


def test_soft_targets_follow_the_classes():
    """By suffix, not by place."""
    table = source("prob_a", "prob_b", "prob_c", "target_c", "target_a", "target_b")
    assert columns("cross-entropy", table)["target"] == ("target_a", "target_b", "target_c")
    reordered = columns("cross-entropy", table, classes=("c", "b", "a"))
    assert reordered["pred"] == ("prob_c", "prob_b", "prob_a")
    assert reordered["target"] == ("target_c", "target_b", "target_a")


def test_soft_targets_of_other_classes():
    table = source("prob_a", "prob_b", "target_a", "target_x")
    error = refused(DataError, "columns-differ", "cross-entropy", table)
    assert "a, b" in error.message
    assert "a, x" in error.message


def test_a_label_goes_before_soft_targets():
    table = source("prob_a", "prob_b", "target_a", "target_b", label=[0, 1])
    assert columns("cross-entropy", table)["target"] == "label"
    assert columns("kl-div:input=probs", table)["target"] == ("target_a", "target_b")


def test_lists_of_scores():
    for name in ("probs", "logits", "probabilities", "prob", "y_score", "pred"):
        table = source(**{name: np.ones((2, 4)), "target": [0, 1]})
        found = bound("cross-entropy", table).calls[0]
        assert (found.refs["pred"].columns, found.width, found.classes.names) == ((name,), 4, None)
    refused(DataError, "column-not-found", "cross-entropy", source("prob", target=[0, 1]))


def test_decisions_from_scores_where_no_label_is_predicted():
    assert columns("zero-one", source("y_pred", "prob_x", "prob_y", label=[0, 1]))["pred"] == "y_pred"
    found = bound("zero-one", source("prob_x", "prob_y", label=[0, 1])).calls[0]
    assert found.refs["pred"].columns == ("prob_x", "prob_y")
    assert found.call.params["input"] == "probs"


@pytest.mark.parametrize("loss", ["zero-one", "likelihood", "cross-entropy"])
@pytest.mark.parametrize("names", [("prob_a", "prob_b"), ("prob_b", "prob_a"), ("PROB_A", "PROB_B", "PROB_C")])
def test_a_class_called_a_is_not_proba(loss, names):
    """``prob_a`` without its sign reads ``proba``; beside ``prob_b`` it is one of a family all the same."""
    assert columns(loss, source(*names, label=[0, 1]))["pred"] == names


def test_one_column_of_a_family_by_name_alone():
    assert columns("bce", source("y_proba", "label"))["pred"] == "y_proba"
    assert columns("bce", source("prob_a", "label"))["pred"] == "prob_a"


# What names say about the numbers.


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("prob", "probs"),
        ("y_proba", "probs"),
        ("Probability", "probs"),
        ("logit", "logits"),
        ("Y-Logit", "logits"),
        ("log_prob", "log-probs"),
        ("log_prob_cat", "log-probs"),
        ("prob_cat", "probs"),
        ("y_pred_proba_1", "probs"),
        ("logit_1", "logits"),
        ("score", None),
        ("p_cat", None),
        (".pred_cat", None),
        ("y_score", None),
        ("problem", None),
        ("logits", "logits"),
        ("logprobs", "log-probs"),
    ],
)
def test_what_a_name_says(name, form):
    assert implied_form(name) == form


@pytest.mark.parametrize(
    ("loss", "names", "form"),
    [
        ("bce", ["prob"], "probs"),
        ("bce", ["logit"], "logits"),
        ("bce", ["score"], "probs"),
        ("bce-with-logits", ["score"], "logits"),
        ("bce-with-logits", ["logit"], "logits"),
        ("cross-entropy", ["prob_a", "prob_b"], "probs"),
        ("cross-entropy", ["logit_a", "logit_b"], "logits"),
        ("cross-entropy", ["log_prob_a", "log_prob_b"], "log-probs"),
        ("cross-entropy", ["p_a", "p_b"], "logits"),
        ("zero-one", ["prob"], "probs"),
        ("zero-one", ["logit"], "logits"),
        ("zero-one", ["y_pred"], "labels"),
        ("bce:input=logits", ["logit"], "logits"),
        ("cross-entropy:input=probs", ["prob_a", "prob_b"], "probs"),
    ],
)
def test_names_settle_the_form(loss, names, form):
    call = bound(loss, source(*names, label=[0, 1])).calls[0].call
    assert call.params["input"] == form
    asked = bound(loss, source(*names, label=[0, 1]), roles={"pred": ",".join(names)}).calls[0].call
    assert asked.params["input"] == form


@pytest.mark.parametrize(
    ("loss", "names", "way"),
    [
        ("bce-with-logits", ["prob"], "lossctl compute bce table"),
        ("bce:input=logits", ["prob"], "--input"),
        ("bce:input=probs", ["logit"], "--input"),
        ("cross-entropy:input=logits", ["prob_a", "prob_b"], "--input"),
        ("nll", ["prob_a", "prob_b"], "log-probs"),
        ("nll", ["logit_a", "logit_b"], "log-probs"),
        ("balanced-sigmoid-ce", ["prob"], "logits"),
        ("bce", ["log_prob"], "probs"),
        ("brier", ["logit"], "probs"),
        ("likelihood", ["logit_a", "logit_b"], "probs"),
        ("js-divergence:input=probs", ["logit_a", "logit_b"], "--input"),
    ],
)
def test_a_contradiction_is_a_usage_error_with_the_way_out(loss, names, way):
    error = refused(UsageError, "input-differs", loss, source(*names, label=[0, 1]), roles={"pred": ",".join(names)})
    assert error.exit == 2
    assert names[0] in error.message
    assert way in error.hint
    assert error.file == "table"


def test_names_of_real_values_say_nothing():
    assert columns("mse", source("prob", "y_true"), roles={"pred": "prob"})["pred"] == "prob"


def test_clipping_that_cannot_act(score, fails, csv):
    """Given explicitly, clip is refused where the columns turn out to be logits."""
    path = csv("logit,label", "1,1")
    fails(2, "idle-parameter", "bce:clip=keras", path)
    assert score("bce:clip=none", path).results[0].params["clip"] == "none"


# Columns named by the caller.


def test_named_columns():
    table = source("a", "b", "c", "y_pred", "y_true")
    assert columns("mse", table, roles={"pred": "b"}) == {"pred": "b", "target": "y_true"}
    assert columns("mse", table, roles={"pred": "b,a", "target": "y_true,c"})["pred"] == ("b", "a")


def test_patterns():
    table = source("x_10", "x_9", "x_1", "y_1", "y_9", "y_10")
    found = columns("mse", table, roles={"pred": "x_*", "target": "y_*"})
    assert found == {"pred": ("x_1", "x_9", "x_10"), "target": ("y_1", "y_9", "y_10")}
    assert columns("mse", table, roles={"pred": "x_?", "target": "y_[19]"})["pred"] == ("x_1", "x_9")


def test_a_comma_list_keeps_its_order():
    table = source("x_2", "x_1", "y_1", "y_2")
    found = columns("mse", table, roles={"pred": "x_2,x_1", "target": "y_1,y_2"})
    assert found["pred"] == ("x_2", "x_1")
    assert found["target"] == ("y_2", "y_1")  # matched by suffix


def test_a_name_with_a_comma_or_a_star_is_a_name():
    table = source("a,b", "c*", "y_true")
    assert columns("mse", table, roles={"pred": "a,b"})["pred"] == "a,b"
    assert columns("mse", table, roles={"pred": "c*"})["pred"] == "c*"


def test_unknown_columns():
    table = source("y_pred", "y_true")
    error = refused(DataError, "column-not-found", "mse", table, roles={"pred": "y_prod"})
    assert (error.exit, error.column, error.hint) == (3, "y_prod", "use --pred y_pred")
    assert "y_pred, y_true" in " ".join(error.details)
    refused(DataError, "column-not-found", "mse", table, roles={"pred": "z_*"})
    refused(DataError, "column-not-found", "mse", table, roles={"pred": "y_pred,q"})
    refused(DataError, "bad-columns", "mse", table, roles={"pred": "y_pred,y_pred"})
    refused(DataError, "column-not-found", "mse", table, weight="w")
    refused(DataError, "column-not-found", "mse", table, mask="m")
    refused(DataError, "column-not-found", "mse", table, by=("g",))
    refused(DataError, "column-not-found", "mse", table, key=("k",))


def test_unknown_roles():
    error = refused(UsageError, "unknown-role", "mse", source("y_pred", "y_true"), roles={"group": "y_pred"})
    assert error.exit == 2
    assert "pred" in error.hint


def test_different_numbers_of_columns(fails):
    table = {"a": NUMBERS, "b": NUMBERS, "y_true": NUMBERS}
    error = fails(3, "shapes-differ", "mse", table, roles={"pred": "a,b"})
    assert "N x 2" in error.message
    assert error.file


# Two files and more.


def test_two_files_by_side():
    found = bound("mse", source("x", name="p"), source("y_true", name="t")).calls[0]
    assert {role: (ref.source, ref.columns) for role, ref in found.refs.items()} == {
        "pred": (0, ("x",)),
        "target": (1, ("y_true",)),
    }


def test_a_lone_column_is_the_role_of_its_file():
    """Whatever its name, and whatever key stands beside it."""
    found = columns("mse", source("id", "foo"), source("bar", "id"))
    assert found == {"pred": "foo", "target": "bar"}
    found = columns("mse", source("y_true"), source("y_pred"))
    assert found == {"pred": "y_true", "target": "y_pred"}
    error = refused(DataError, "column-not-found", "mse", source("foo", "fuu"), source("bar"))
    assert error.file == "table"


def test_a_lone_column_in_one_file_is_nothing():
    refused(DataError, "column-not-found", "mse", source("foo", "y_true"))


def test_the_name_of_a_lone_column_still_speaks():
    found = bound("bce", source("logit"), source("happened")).calls[0]
    assert found.call.params["input"] == "logits"


def test_a_file_for_each_role():
    files = [source(name, name=name) for name in ("u", "v", "w")]
    found = bound("triplet-margin", *files).calls[0]
    assert [(role, ref.source) for role, ref in found.refs.items()] == [("anchor", 0), ("positive", 1), ("negative", 2)]


def test_two_files_for_three_roles():
    pred, target = source("score", name="p"), source("relevance", "qid", name="t")
    found = bound("ndcg-loss", pred, target).calls[0]
    assert {role: ref.source for role, ref in found.refs.items()} == {"pred": 0, "target": 1, "group": 1}


def test_too_many_files():
    for count in (3, 4):
        error = refused(UsageError, "file-count", "mse", *(source("a", name=str(i)) for i in range(count)))
        assert error.exit == 2
        assert "pred, target" in error.message
    refused(UsageError, "file-count", "triplet-margin", source("anchor"), source("positive"))


def test_one_array_cannot_hold_everything(tmp_path, fails):
    np.save(tmp_path / "p.npy", np.zeros((3, 2)))
    error = fails(2, "file-count", "mse", str(tmp_path / "p.npy"))
    assert "TARGET.npy" in error.hint


def test_a_role_from_a_file_of_its_own(score, csv):
    table = csv("y_pred,y_true", "1,5", "2,5", name="t.csv")
    other = csv("truth,z", "0,1", "0,1", name="o.csv")
    assert score("mse", table, roles={"target": f"{other}:truth"}).results[0].value == 2.5
    found = score("mse", roles={"pred": f"{table}:y_pred", "target": f"{other}:z"})
    assert found.results[0].value == 0.5
    assert [info.columns for info in found.inputs] == [{"pred": ["y_pred"]}, {"target": ["z"]}]


def test_columns_of_one_other_file(score, csv):
    other = csv("a,b", "0,1", "0,1", name="o.csv")
    found = score("mse", roles={"pred": f"{other}:a", "target": f"{other}:b"})
    assert found.results[0].value == 1.0
    assert len(found.inputs) == 1


def test_weights_from_either_file(score, csv):
    pred = csv("y_pred", "1", "2", name="p.csv")
    target = csv("y_true,w", "0,1", "0,3", name="t.csv")
    assert score("mse", pred, target, weight="w").results[0].value == (1 + 12) / 4
    both = csv("y_pred,w", "1,1", "2,1", name="q.csv")
    with pytest.raises(DataError) as caught:
        score("mse", both, target, weight="w")
    assert caught.value.code == "ambiguous-column"
    assert "q.csv" in caught.value.message
    assert "t.csv" in caught.value.message


# Unused weights.


@pytest.mark.parametrize("name", ["weight", "weights", "sample_weight", "w", "Sample-Weight"])
def test_a_weight_that_is_not_used_is_said(score, name):
    table = {"y_pred": NUMBERS, "y_true": NUMBERS, name: NUMBERS}
    [note] = score("mse", table).warnings
    assert note.code == "weight-unused"
    assert f"--weight {name}" in note.message
    assert not score("mse", table, weight=name).warnings
    assert not score("mse", table, mask=None, by=(name,)).warnings
    assert not score("mse", {"y_pred": NUMBERS, name: NUMBERS}, roles={"target": name}).warnings


def test_another_weight_in_use_says_enough(score):
    table = {"y_pred": NUMBERS, "y_true": NUMBERS, "w": NUMBERS, "mine": NUMBERS}
    assert not score("mse", table, weight="mine").warnings


# What is told of the inputs.


def test_columns_are_always_told(score, csv):
    path = csv("id,prob_b,prob_a,label,w,g,m", "1,0.5,0.5,a,1,x,1")
    [info] = score("cross-entropy", path, weight="w", by=("g",), mask="m", key=("id",)).inputs
    assert (info.role, info.format, list(info.classes)) == ("table", "csv", ["b", "a"])
    assert dict(info.columns) == {
        "pred": ["prob_b", "prob_a"],
        "target": ["label"],
        "weight": ["w"],
        "mask": ["m"],
        "by": ["g"],
        "key": ["id"],
    }


def test_classes_without_names(score):
    [info] = score("cross-entropy", {"logits": np.ones((2, 3)), "target": [0, 1]}).inputs
    assert info.classes is None


def test_two_losses_may_take_different_columns(score):
    table = {"y_pred": [1.0, 0.0], "prob": [0.5, 0.25], "y_true": [1.0, 0.0]}
    report = score("mse,bce", table)
    assert [r.value for r in report.results] == [0.0, pytest.approx((math.log(2) - math.log(0.75)) / 2)]


# Keys.


def pair(csv, one, other, header="id"):
    pred = csv(f"{header},y_pred", *(f"{key},{i}" for i, key in enumerate(one)), name="p.csv")
    target = csv(f"{header},y_true", *(f"{key},{i}" for i, key in enumerate(other)), name="t.csv")
    return pred, target


@pytest.mark.parametrize(
    "header", ["id", "row_id", "sample_id", "example_id", "doc_id", "utt_id", "uid", "key", "cust_id"]
)
def test_keys_are_compared(score, fails, csv, header, chunk):
    """Keys that one file has alone, and the first row of them."""
    assert score("mse", *pair(csv, "abc", "abc", header), chunk_rows=chunk).results[0].value == 0.0
    assert score("mse", *pair(csv, "abc", "bca", header), chunk_rows=chunk).results[0].value == 2.0
    error = fails(3, "unmatched-keys", "mse", *pair(csv, "abcd", "abxy", header), chunk_rows=chunk)
    assert (error.row, error.column) == (3, header)
    for words, line in zip((("p.csv, not", "'c', 'd'"), ("t.csv, not", "'x', 'y'")), error.details, strict=True):
        assert all(word in line for word in words)


def test_every_known_key():
    assert all(plain(name) in KEY for name in ("id", "Row-ID", "uttID", "key"))


@pytest.mark.parametrize(("one", "other"), [("007", "7"), ("1", "1.0"), ("a", "A"), ("a", "a "), ("NA", "na")])
def test_keys_are_text(fails, csv, one, other):
    fails(3, "unmatched-keys", "mse", *pair(csv, [one], [other]))


def test_an_empty_key_is_missing(fails, csv):
    error = fails(3, "key-missing", "mse", *pair(csv, ["NA"], [""]))
    assert (error.row, error.column) == (1, "id")
    assert "t.csv" in error.file


def test_repeated_keys(fails, csv, chunk):
    error = fails(3, "key-repeated", "mse", *pair(csv, "abcbd", "abcbd"), chunk_rows=chunk)
    assert error.row == 4
    assert "row 2 and in row 4" in error.message
    assert "'b'" in error.message


def test_missing_keys(fails, csv, chunk):
    assert fails(3, "key-missing", "mse", *pair(csv, ["a", "", "c"], ["a", "", "c"]), chunk_rows=chunk).row == 2


def test_keys_that_only_one_file_has(score, csv):
    pred = csv("id,y_pred", "a,1", "b,2", name="p.csv")
    target = csv("y_true", "0", "0", name="t.csv")
    report = score("mse", pred, target)
    assert report.results[0].value == 2.5
    assert report.samples.key_names == ()


def test_two_possible_keys(score, fails, csv):
    pred = csv("id,key,y_pred", "a,x,1", name="p.csv")
    target = csv("id,key,y_true", "b,x,0", name="t.csv")
    error = fails(3, "ambiguous-column", "mse", pred, target)
    assert "id and key" in error.message
    assert score("mse", pred, target, key=("key",)).results[0].value == 1.0


def test_keys_of_several_columns(score, fails, csv):
    pred = csv("a,b,y_pred", "1,x,1", "1,y,2", name="p.csv")
    good = csv("b,a,y_true", "x,1,0", "y,1,0", name="t.csv")
    assert score("mse", pred, good, key=("a", "b")).results[0].value == 2.5
    bad = csv("b,a,y_true", "x,1,0", "x,2,0", name="u.csv")
    error = fails(3, "unmatched-keys", "mse", pred, bad, key=("a", "b"))
    assert error.details[0].endswith(": '1' / 'y'")
    assert error.details[1].endswith(": '2' / 'x'")
    twice = csv("b,a,y_true", "x,1,0", "x,1,0", name="u.csv")
    assert "'1' / 'x'" in fails(3, "key-repeated", "mse", pred, twice, key=("a", "b")).message


def test_a_key_that_one_file_lacks(fails, csv):
    pred = csv("id,y_pred", "a,1", name="p.csv")
    target = csv("y_true", "0", name="t.csv")
    error = fails(3, "column-not-found", "mse", pred, target, key=("id",))
    assert "t.csv" in error.file


def test_a_key_column_in_use_is_no_key(score, csv):
    """A column named for a role is not compared as a key."""
    pred = csv("id", "1", "2", name="p.csv")
    target = csv("id,y_true", "5,0", "6,0", name="t.csv")
    assert score("mse", pred, target, roles={"pred": "id"}).results[0].value == 2.5


@pytest.mark.parametrize(("one", "other"), [(3, 2), (2, 3), (5, 2), (0, 2)])
def test_files_of_different_length(fails, csv, one, other, chunk):
    pred = csv("y_pred", *range(one), name="p.csv")
    target = csv("y_true", *range(other), name="t.csv")
    error = fails(3, "lengths-differ", "mse", pred, target, chunk_rows=chunk)
    assert f"p.csv {one}" in error.message
    assert f"t.csv {other}" in error.message


def test_longer_file_with_keys(fails, csv, chunk):
    error = fails(3, "unmatched-keys", "mse", *pair(csv, "abc", "ab"), chunk_rows=chunk)
    assert "1 in " in error.message
    assert error.row == 3


def test_two_tables_are_not_one_pair():
    """As a shell makes them of an unquoted pattern: the one is not held against the other."""
    error = refused(DataError, "ambiguous-files", "mse", source("y_pred", "y_true"), source("y_pred", "y_true"))
    assert "lossctl score mse" in error.hint
    assert columns("mse", source("y_pred", "y_true"), source("y_true")) == {"pred": "y_pred", "target": "y_true"}
