"""Rebuild every data file in this folder.

Each file holds what a real model said about real data that scikit-learn ships. Every
prediction is made on a row that its model was not fitted on. Run it from anywhere:

    python sample_data/make.py
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, cross_val_predict, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

Array = NDArray[Any]
HERE = Path(__file__).resolve().parent
SEED = 20240229
AGE_BANDS = np.array(["19-39", "40-54", "55-79"])
SIZE_BANDS = np.array(["small", "medium", "large"])
QUERIES, CANDIDATES = 40, 12
TRIPLETS, DIMENSIONS = 200, 16


def write_csv(name: str, header: list[str], rows: Iterable[Sequence[object]]) -> None:
    """Write one CSV file, with the same line ends on every system."""
    with (HERE / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def out_of_fold(model: Any, x: Array, y: Array, method: str) -> Array:
    """Predict each row with a model that was fitted on the other four fifths."""
    folds = KFold(n_splits=5, shuffle=True, random_state=SEED)
    return np.asarray(cross_val_predict(model, x, y, cv=folds, method=method))


def logistic(strength: float = 1.0) -> Pipeline:
    """Return a logistic regression on scaled features; a small strength regularises more."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=500))


def diabetes() -> None:
    """Write what two regressors said about the same patients, in the same order."""
    data = load_diabetes(scaled=False)
    band = np.digitize(data.data[:, data.feature_names.index("age")], [40, 55])
    weight = len(band) / (len(AGE_BANDS) * np.bincount(band)[band])  # its mean is 1
    models = {
        "diabetes_ridge.csv": make_pipeline(StandardScaler(), Ridge(alpha=10.0)),
        "diabetes_boosting.csv": HistGradientBoostingRegressor(
            learning_rate=0.05, max_iter=80, max_leaf_nodes=8, random_state=SEED
        ),
    }
    for name, model in models.items():
        guess = out_of_fold(model, data.data, data.target, "predict")
        columns = zip(AGE_BANDS[band], weight, data.target, guess, strict=True)
        rows = (
            (f"p{number:03d}", age, f"{w:.4f}", int(truth), f"{pred:.4f}")
            for number, (age, w, truth, pred) in enumerate(columns, start=1)
        )
        write_csv(name, ["patient_id", "age_band", "weight", "y_true", "y_pred"], rows)


def breast_cancer() -> None:
    """Write how likely each tumour is to be malignant."""
    data = load_breast_cancer()
    malignant = (data.target == 0).astype(np.int64)
    prob = out_of_fold(logistic(0.1), data.data, malignant, "predict_proba")[:, 1]
    radius = data.data[:, 0]  # the mean radius
    band = np.digitize(radius, np.quantile(radius, [1 / 3, 2 / 3]))
    table = {
        "id": pa.array([f"t{n:03d}" for n in range(1, len(prob) + 1)], pa.string()),
        "size_band": pa.array(SIZE_BANDS[band].tolist(), pa.string()),
        "y_true": pa.array(malignant, pa.int64()),
        "y_prob": pa.array(prob, pa.float64()),
    }
    pq.write_table(pa.table(table), HERE / "breast_cancer.parquet")


def iris() -> None:
    """Write the probability of each of the three species, flower by flower."""
    data = load_iris()
    probs = out_of_fold(logistic(), data.data, data.target, "predict_proba")
    names = data.target_names
    rows = (
        (f"f{number:03d}", names[truth], *(f"{p:.9f}" for p in row))
        for number, (truth, row) in enumerate(zip(data.target, probs, strict=True), 1)
    )
    write_csv("iris_probs.csv", ["flower_id", "label", *(f"prob_{n}" for n in names)], rows)


def digits_scores() -> None:
    """Write ten logits for each image, and the digit that it shows."""
    x, y = load_digits(return_X_y=True)
    logits = out_of_fold(logistic(0.1), x, y, "decision_function")
    np.save(HERE / "digits_logits.npy", logits.astype(np.float32))
    np.save(HERE / "digits_labels.npy", y.astype(np.int64))


def digits_neighbours() -> None:
    """Write image searches and triplets of images that the embedding was not fitted on."""
    x, y = load_digits(return_X_y=True)
    x_fit, x_new, y_fit, y_new = train_test_split(x, y, train_size=0.5, random_state=SEED)
    embedded = PCA(DIMENSIONS, random_state=SEED).fit(x_fit).transform(x_new)
    embedded /= np.linalg.norm(embedded, axis=1, keepdims=True)
    probs = out_of_fold(logistic(0.1), x_fit, y_fit, "predict_proba")
    confusion = np.array([probs[y_fit == digit].mean(axis=0) for digit in range(10)])
    np.fill_diagonal(confusion, 0)
    lookalike = confusion.argmax(axis=1)  # the wrong digit that gets most of the probability

    rng = np.random.default_rng(SEED)
    rows: list[tuple[object, ...]] = []
    order = rng.permutation(len(y_new))
    for number, query in enumerate(order[:QUERIES], start=1):
        digit, pool = y_new[query], order[QUERIES:]
        grade = 2 * (y_new[pool] == digit) + (y_new[pool] == lookalike[digit])
        alike, close = rng.integers(1, 5), rng.integers(1, 4)
        counts = {2: alike, 1: close, 0: CANDIDATES - alike - close}
        picks = [rng.choice(pool[grade == g], n, replace=False) for g, n in counts.items()]
        for other in rng.permutation(np.concatenate(picks)):
            cosine = embedded[query] @ embedded[other]  # both are of length one
            rows.append((f"q{number:02d}", grade[pool == other].item(), f"{cosine:.6f}"))
    write_csv("digits_ranking.csv", ["query_id", "relevance", "y_pred"], rows)

    vectors, index = embedded.astype(np.float32), np.arange(len(y_new))
    anchor = rng.choice(index, TRIPLETS, replace=False)
    same = [rng.choice(index[(y_new == y_new[a]) & (index != a)]) for a in anchor]
    different = [rng.choice(index[y_new != y_new[a]]) for a in anchor]
    trios = {"anchor": anchor, "positive": same, "negative": different}
    arrays = {key: vectors[chosen] for key, chosen in trios.items()}
    np.savez(HERE / "digits_triplets.npz", allow_pickle=False, **arrays)


if __name__ == "__main__":
    for build in (diabetes, breast_cancer, iris, digits_scores, digits_neighbours):
        build()
