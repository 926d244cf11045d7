"""The other libraries, in float64: an expression in, plain numbers out."""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unicodedata import normalize

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

import uncompiled  # noqa: F401 - before whatever imports torchvision

# isort: split
import jax.numpy as jnp
import jiwer
import keras
import monai.losses
import mpmath
import numpy as np
import optax
import pytorch_metric_learning.distances
import pytorch_metric_learning.losses
import pytorch_metric_learning.miners
import pytorch_metric_learning.reducers
import rapidfuzz
import rax
import scipy.spatial.distance
import scipy.special
import scipy.stats
import scoringrules
import segmentation_models_pytorch.losses
import sklearn.metrics
import torch
import torchmetrics.functional.regression
import torchmetrics.functional.text
import torchvision.ops
from keras.src.backend.common import dtypes

# Keras casts float64 down to float32 inside its operations, on every backend but TensorFlow's.
dtypes.BIT64_TO_BIT32_DTYPE.clear()
keras.config.set_floatx("float64")
torch.set_default_dtype(torch.float64)
torch.use_deterministic_algorithms(True)

PACKAGES = (
    *("torch", "keras", "optax", "jax", "jaxlib", "scikit-learn", "torchmetrics", "numpy", "scipy", "mpmath"),
    *("jiwer", "rapidfuzz", "torchvision", "monai", "segmentation_models_pytorch", "pytorch-metric-learning"),
    *("rax", "scoringrules"),
)
VERSIONS = {name: version(name).split("+")[0] for name in PACKAGES}
# Parameters that the libraries want as an array of their own.
ARRAY_PARAMS = ("class_weight", "pos_weight")


def to_torch(array: Any) -> Any:
    array = np.asarray(array)
    return array if array.dtype.kind in "OU" else torch.tensor(array)


def loops() -> dict[str, Any]:
    """The functions of naive.py and its siblings naive_*.py; a name stands once."""
    mpmath.mp.dps = 120  # digits of all of them: sixty are not enough where terms of 1e-60 are left
    found: dict[str, Any] = {}
    for name in sorted(path.stem for path in Path(__file__).parent.glob("naive*.py")):
        module = importlib.import_module(name)
        own = {key: item for key, item in vars(module).items() if getattr(item, "__module__", "") == name}
        if set(own) & set(found):
            raise SystemExit(f"{name}: functions of these names are there already: {sorted(set(own) & set(found))}")
        found.update(own)
    return {"math": math, "mpmath": mpmath, "Fraction": Fraction, **found}


def adaptive(clusters: dict[str, Any], features: Any, target: Any) -> Any:
    """torch's adaptive softmax with these layers, of three frequent classes, a tail of four and one of three."""
    module = torch.nn.AdaptiveLogSoftmaxWithLoss(5, 10, [3, 7], head_bias="head.bias" in clusters)
    for name, layer in clusters.items():  # the inner sizes are the file's, not those that div_value would give
        owner, _, attribute = name.rpartition(".")
        setattr(module.get_submodule(owner), attribute, torch.nn.Parameter(layer))
    return module(features, target)


# What a call may name, and what its arrays are made of.
LIBRARIES: dict[str, tuple[dict[str, Any], Callable[[Any], Any]]] = {
    "torch": ({"math": math, "torch": torch, "F": torch.nn.functional, "adaptive": adaptive}, to_torch),
    "keras": (
        {"losses": keras.losses, "metrics": keras.metrics, "regularizers": keras.regularizers, "np": np},
        np.asarray,
    ),
    "optax": ({**vars(optax.losses), "jnp": jnp}, jnp.asarray),
    "sklearn": ({**vars(sklearn.metrics), "np": np}, np.asarray),
    "torchmetrics": (
        {
            "torch": torch,
            **vars(torchmetrics.functional.regression),
            **vars(torchmetrics.functional),
            "edit_distance": torchmetrics.functional.text.edit_distance,
        },
        to_torch,
    ),
    "torchvision": ({"torch": torch, "ops": torchvision.ops}, to_torch),
    "monai": ({"torch": torch, "F": torch.nn.functional, "losses": monai.losses}, to_torch),
    "smp": ({"torch": torch, "losses": segmentation_models_pytorch.losses}, to_torch),
    "pml": (
        {
            "torch": torch,
            "F": torch.nn.functional,
            "losses": pytorch_metric_learning.losses,
            "distances": pytorch_metric_learning.distances,
            "reducers": pytorch_metric_learning.reducers,
            "miners": pytorch_metric_learning.miners,
        },
        to_torch,
    ),
    "rax": ({"rax": rax, "jnp": jnp}, jnp.asarray),
    "scoringrules": ({"scoringrules": scoringrules, "np": np}, np.asarray),
    "scipy": (
        {
            "special": scipy.special,
            "spatial": scipy.spatial,
            "distance": scipy.spatial.distance,
            "stats": scipy.stats,
            "np": np,
        },
        np.asarray,
    ),
    "jiwer": ({**vars(jiwer), "np": np}, np.asarray),
    "rapidfuzz": (
        {**vars(rapidfuzz.distance), "cpdist": rapidfuzz.process.cpdist, "nfc": partial(normalize, "NFC"), "np": np},
        np.asarray,
    ),
    # No library has the loss: double loops over plain lists, with mpmath or fractions where digits could go.
    "naive": (loops(), lambda array: np.asarray(array).tolist()),
    # The same loops, where they keep every digit (mpmath, fractions) down to the smallest number.
    "mpmath": (loops(), lambda array: np.asarray(array).tolist()),
}


def cast_all(array: Any, cast: Callable[[Any], Any]) -> Any:
    return {name: cast(part) for name, part in array.items()} if isinstance(array, dict) else cast(array)


def evaluate(library: str, call: str, arrays: Mapping[str, Any], params: Mapping[str, Any]) -> Any:
    """The value of ``call`` in a library, where inputs and parameters go by their names: a float, or a list."""
    names, cast = LIBRARIES[library]
    variables = {name.replace("-", "_"): cast_all(array, cast) for name, array in arrays.items()}
    for name, value in params.items():
        wants = name in ARRAY_PARAMS and value is not None
        variables[name] = cast(np.asarray(value, dtype=float)) if wants else value
    # The expressions are those of this folder and of the registry.
    value = eval(call, {**names, **variables})
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    array = np.asarray(value)
    if array.dtype not in (np.float64, np.int64):
        raise TypeError(f"{library}: {call} gives {array.dtype}, and everything here is float64")
    return array.astype(float).tolist()
