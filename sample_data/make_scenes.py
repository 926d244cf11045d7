"""Rebuild the masks, boxes and embeddings in this folder.

A scene is a scanned digit, put somewhere on a canvas that is larger than itself, with noise on top. All models are
fitted on one half of scikit-learn's digits, and everything in the files is about the other half. Run it from anywhere:

    python sample_data/make_scenes.py
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes, load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NeighborhoodComponentsAnalysis
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Array = NDArray[Any]
HERE = Path(__file__).resolve().parent
SEED = 20240229
SIDE, DIGIT, PATCH = 16, 8, 5  # pixels of a canvas, of a digit, of what a pixel's class is read from
NOISE = 4.0  # of pixels that go from 0 to 16
EDGE, CORE = 1, 9  # the faintest ink, and ink that is no edge
MASKS, BOXES, EMBEDDED, DIMENSIONS = 40, 200, 320, 16
STEPS = 1024  # stored numbers are multiples of one part in so many


class Scenes(NamedTuple):
    """Canvases with noise, the ink beneath it, and what there is to be found."""

    seen: Array  # N x SIDE x SIDE
    ink: Array  # N x SIDE x SIDE
    digits: Array  # N

    @property
    def classes(self) -> Array:
        """N x SIDE x SIDE: 0 nothing, 1 the edge of a stroke, 2 its core."""
        return np.digitize(self.ink, [EDGE, CORE])

    @property
    def boxes(self) -> Array:
        """N x 4: x1, y1, x2, y2 around all ink, in pixels from the upper left corner."""
        found = []
        for inked in self.ink >= EDGE:
            rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
            found.append((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
        return np.array(found, dtype=float)


def scenes(images: Array, digits: Array, rng: np.random.Generator) -> Scenes:
    """Each image somewhere on a canvas of its own."""
    ink = np.zeros((len(images), SIDE, SIDE))
    for canvas, image in zip(ink, images.reshape(-1, DIGIT, DIGIT), strict=True):
        top, left = rng.integers(0, SIDE - DIGIT + 1, 2)
        canvas[top : top + DIGIT, left : left + DIGIT] = image
    return Scenes(ink + rng.normal(0, NOISE, ink.shape), ink, digits)


def patches(seen: Array) -> Array:
    """(N * SIDE * SIDE, PATCH * PATCH): the neighbourhood of every pixel."""
    reach = PATCH // 2
    padded = np.pad(seen, ((0, 0), (reach, reach), (reach, reach)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (PATCH, PATCH), axis=(1, 2))
    return windows.reshape(-1, PATCH * PATCH)


def rounded(array: Array) -> Array:
    """float32 that compresses well; a probability stays one."""
    return (np.round(array * STEPS) / STEPS).astype(np.float32)


def masks(fit: Scenes, new: Scenes) -> None:
    """Write the probabilities of three classes of pixels, and what the pixels are."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    model.fit(patches(fit.seen), fit.classes.reshape(-1))
    some = Scenes(*(part[:MASKS] for part in new))
    prob = model.predict_proba(patches(some.seen)).reshape(MASKS, SIDE, SIDE, 3)
    steps = np.floor(prob * STEPS)
    for _ in range(3):  # what is left over goes to the largest remainders: a pixel sums to 1 exactly
        left = (steps.sum(axis=-1) < STEPS)[..., None]
        steps += left & (np.argsort(np.argsort(steps - prob * STEPS, axis=-1), axis=-1) == 0)
    np.savez_compressed(
        HERE / "digits_masks.npz",
        allow_pickle=False,
        pred=(steps / STEPS).transpose(0, 3, 1, 2).astype(np.float32),
        target=some.classes.astype(np.uint8),
    )


def boxes(fit: Scenes, new: Scenes) -> None:
    """Write where a small network sees a digit, and where it is."""
    network = MLPRegressor(hidden_layer_sizes=(128,), alpha=1.0, early_stopping=True, max_iter=300, random_state=SEED)
    model = make_pipeline(StandardScaler(), network)

    def sized(corners: Array) -> Array:
        size = corners[:, 2:] - corners[:, :2]
        return np.hstack([corners[:, :2] + size / 2, np.log(size)])  # the size of a box is above 0 for any output

    def profiles(seen: Array) -> Array:
        return np.hstack([seen.mean(axis=1), seen.mean(axis=2)])  # of the columns and the rows of a canvas

    model.fit(profiles(fit.seen), sized(fit.boxes))
    said = model.predict(profiles(new.seen[:BOXES]))
    centre, size = said[:, :2], np.exp(said[:, 2:])
    rows = np.hstack([centre - size / 2, centre + size / 2])
    header = [f"{who}_{corner}" for who in ("pred", "target") for corner in ("x1", "y1", "x2", "y2")]
    with (HERE / "digits_boxes.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["scene_id", "digit", *header])
        for number, (digit, pred, true) in enumerate(zip(new.digits, rows, new.boxes, strict=False), start=1):
            writer.writerow([f"s{number:03d}", digit, *(f"{x:.3f}" for x in pred), *(f"{x:.0f}" for x in true)])


def embeddings(x_fit: Array, y_fit: Array, x_new: Array, y_new: Array, rng: np.random.Generator) -> None:
    """Write vectors of images, the mean vector of each digit, and vectors of the same images seen twice."""
    model = make_pipeline(
        PCA(32, random_state=SEED),
        NeighborhoodComponentsAnalysis(DIMENSIONS, init="pca", max_iter=50, random_state=SEED),
    )
    fitted = model.fit_transform(x_fit, y_fit)
    scale = fitted.std()
    some = x_new[:EMBEDDED]
    once, twice = (model.transform(some + rng.normal(0, NOISE / 2, some.shape)) for _ in range(2))
    np.savez_compressed(
        HERE / "digits_embeddings.npz",
        allow_pickle=False,
        features=rounded(model.transform(some) / scale),
        target=y_new[:EMBEDDED].astype(np.int64),
        prototypes=rounded(np.array([fitted[y_fit == digit].mean(axis=0) for digit in range(10)]) / scale),
        x1=rounded(once / scale),
        x2=rounded(twice / scale),
    )


def ridge_weights() -> None:
    """Write the ten weights of a ridge regression on all patients, for objectives that penalise them."""
    data = load_diabetes(scaled=False)
    model = Ridge(alpha=10.0).fit(StandardScaler().fit_transform(data.data), data.target)
    np.save(HERE / "diabetes_ridge_weights.npy", model.coef_)


def main() -> None:
    x, y = load_digits(return_X_y=True)
    x_fit, x_new, y_fit, y_new = train_test_split(x, y, train_size=0.5, random_state=SEED)
    rng = np.random.default_rng(SEED)
    fit, new = scenes(x_fit, y_fit, rng), scenes(x_new, y_new, rng)
    masks(fit, new)
    boxes(fit, new)
    embeddings(x_fit, y_fit, x_new, y_new, rng)
    ridge_weights()


if __name__ == "__main__":
    main()
