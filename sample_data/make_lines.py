"""Rebuild the files about lines of handwritten digits: lines_ctc.npz and its companions.

A line shows measurements of a patient, written with scanned digits. A small network reads it; the network was fitted
on other images and other patients. Run it from anywhere:

    python sample_data/make_lines.py
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from math import log
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes, load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

Array = NDArray[Any]
HERE = Path(__file__).resolve().parent
SEED = 20240229
SYMBOLS = ["<blank>", *"0123456789", "|"]  # "|" stands for the space, as in wav2vec 2.0
CHARACTERS = "0123456789 "
CODES = {character: code for code, character in enumerate(CHARACTERS, start=1)}
FEWEST, MOST = 3, 12  # digits in a line
HEIGHT = 10  # of a line in pixels; an image of a digit has 8
NOISE = 0.18  # standard deviation, where ink is 1
STEPS, BATCH = 2000, 16
TRAINING_LINES, TEST_LINES = 2000, 80
LEVELS = 1024  # logits are rounded to multiples of 1/1024, which float32 holds exactly


class Source(NamedTuple):
    """What lines are made of: images of each digit, and rows of whole numbers."""

    images: list[list[Array]]
    numbers: list[list[str]]


def sources() -> tuple[Source, Source]:
    """Images and patients for training, and other images and other patients for the test."""
    digits = load_digits()
    labels = digits.target
    parts = train_test_split(digits.images / 16, labels, test_size=0.4, stratify=labels, random_state=SEED)
    patients = load_diabetes(scaled=False)
    columns = [patients.feature_names.index(name) for name in ("age", "bp", "s1", "s2", "s3", "s6")]
    table = np.column_stack([patients.data[:, columns], patients.target]).astype(np.int64)
    rows = train_test_split(table, test_size=0.4, random_state=SEED)
    fit, test = (
        Source(
            [[trimmed(image) for image in images[shown == digit]] for digit in range(10)],
            [[str(number) for number in row] for row in numbers.tolist()],
        )
        for images, shown, numbers in zip(parts[:2], parts[2:], rows, strict=True)
    )
    return fit, test


def trimmed(image: Array) -> Array:
    """Cut the empty columns at both sides of a digit."""
    inked = np.flatnonzero(image.any(axis=0))
    return image[:, inked[0] : inked[-1] + 1]


def text_of(source: Source, rng: np.random.Generator) -> str:
    """One to five neighbouring measurements of a patient: two lines of three have spaces, the others run together."""
    between = " " if rng.random() < 2 / 3 else ""
    while True:
        row = source.numbers[rng.integers(len(source.numbers))]
        count = int(rng.integers(1, 6))
        first = int(rng.integers(len(row) - count + 1))
        chosen = row[first : first + count]
        if FEWEST <= len("".join(chosen)) <= MOST:
            return between.join(chosen)


def picture_of(text: str, source: Source, rng: np.random.Generator) -> Array:
    """Write a text with scanned digits that touch, overlap or keep apart, and add noise."""
    line = np.zeros((HEIGHT, 10 * len(text) + 8))
    x = int(rng.integers(1, 4))
    for character in text:
        if character == " ":
            x += int(rng.integers(3, 7))
            continue
        images = source.images[int(character)]
        image = images[rng.integers(len(images))]
        y = int(rng.integers(HEIGHT - len(image) + 1))
        place = line[y : y + len(image), x : x + image.shape[1]]
        np.maximum(place, image, out=place)
        x += image.shape[1] + int(rng.integers(-1, 3))
    line = line[:, : x + int(rng.integers(1, 4))]
    return line + rng.normal(0, NOISE, line.shape)


class Reader(nn.Module):
    """Two convolutions and a recurrent layer: one frame of twelve logits for two columns of pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        self.read = nn.GRU(32 * HEIGHT // 2, 32, batch_first=True, bidirectional=True)
        self.score = nn.Linear(64, len(SYMBOLS))

    def forward(self, lines: Tensor) -> Tensor:
        """Logits (N, T, C) of pictures (N, height, width)."""
        seen = self.look(lines.unsqueeze(1)).permute(0, 3, 1, 2).flatten(2)
        return torch.as_tensor(self.score(self.read(seen)[0]))


def frames(width: int) -> int:
    """How many frames the reader makes of a picture."""
    return (width + 1) // 2


def padded(arrays: list[Array], fill: float) -> Array:
    """Arrays of different lengths side by side; the rest is filled."""
    shape = np.max([array.shape for array in arrays], axis=0)
    out = np.full((len(arrays), *shape), fill, arrays[0].dtype)
    for row, array in zip(out, arrays, strict=True):
        row[tuple(slice(n) for n in array.shape)] = array
    return out


def codes(text: str) -> Array:
    """The classes of the characters; 0 is the blank."""
    return np.array([CODES[character] for character in text], np.int64)


def fitted(source: Source, rng: np.random.Generator) -> Reader:
    """Fit a reader; each step writes new lines with the training images."""
    reader = Reader()
    optimizer = torch.optim.Adam(reader.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=STEPS)
    for _ in range(STEPS):
        texts = [text_of(source, rng) for _ in range(BATCH)]
        pictures = [picture_of(text, source, rng) for text in texts]
        scores = reader(torch.from_numpy(padded(pictures, 0)).float()).log_softmax(2)
        loss = nn.functional.ctc_loss(
            scores.transpose(0, 1),
            torch.from_numpy(padded([codes(text) for text in texts], 0)),
            torch.tensor([frames(picture.shape[1]) for picture in pictures]),
            torch.tensor([len(text) for text in texts]),
        )
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(reader.parameters(), 5)
        optimizer.step()
        schedule.step()
    return reader.eval()


def logits_of(reader: Reader, picture: Array) -> Array:
    """Read one line by itself, so that its logits depend on no other line, and round them."""
    with torch.no_grad():
        logits = reader(torch.from_numpy(picture[None]).float())[0].numpy()
    return np.asarray(np.round(logits * LEVELS) / LEVELS, np.float32) + np.float32(0)  # no negative zeros


def greedy(logits: Array) -> str:
    """Take the best class of each frame, one of each run, and drop the blanks."""
    best = logits.argmax(axis=1)
    kept = best[(np.diff(best, prepend=-1) != 0) & (best != 0)]
    return "".join(CHARACTERS[code - 1] for code in kept)


class Trigrams:
    """A language model of characters: counts of three, backed by counts of two and one (Witten-Bell)."""

    def __init__(self, texts: list[str]) -> None:
        self.counts: dict[str, Counter[str]] = {}
        for text in texts:
            for at, character in enumerate(text):
                for context in {text[max(at - n, 0) : at] for n in range(3)}:
                    self.counts.setdefault(context, Counter())[character] += 1

    def probability(self, character: str, context: str) -> float:
        """Of the character after the context, of which the last two characters count."""
        context = context[-2:]
        shorter = self.probability(character, context[1:]) if context else 1 / len(CHARACTERS)
        seen = self.counts.get(context, Counter())
        kinds = len(seen)
        return (seen[character] + kinds * shorter) / (seen.total() + kinds) if kinds else shorter


def language_rows(texts: list[str], model: Trigrams) -> Iterator[dict[str, object]]:
    """What the language model thinks of each character but the first, in the words of a completion API."""
    for number, text in enumerate(texts, start=1):
        scores = [round(log(model.probability(text[at], text[:at])), 6) for at in range(1, len(text))]
        yield {"id": line_id(number), "text": text, "tokens": list(text), "token_logprobs": [None, *scores]}


def line_id(number: int) -> str:
    """Lines count from one."""
    return f"line{number:02d}"


def write_lines(file: str, lines: list[str]) -> None:
    """Write a text file, with the same line ends on every system."""
    (HERE / file).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def write_csv(texts: list[str], decoded: list[str]) -> None:
    """Write the transcripts beside what the reader made of them."""
    with (HERE / "lines.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "length_band", "spacing", "ref", "hyp"])
        for number, (text, guess) in enumerate(zip(texts, decoded, strict=True), start=1):
            digits = len(text.replace(" ", ""))
            band = "short" if digits < 6 else "medium" if digits < 9 else "long"
            writer.writerow([line_id(number), band, "spaced" if " " in text else "joined", text, guess])


def main() -> None:
    """Fit the reader and the language model, and write what they say about the test lines."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    fit, test = sources()
    rng = np.random.default_rng(SEED)
    reader = fitted(fit, rng)
    texts = [text_of(test, rng) for _ in range(TEST_LINES)]
    logits = [logits_of(reader, picture_of(text, test, rng)) for text in texts]
    decoded = [greedy(line) for line in logits]
    np.savez_compressed(
        HERE / "lines_ctc.npz",
        allow_pickle=False,
        logits=padded(logits, 0),
        targets=padded([codes(text) for text in texts], -1),
        input_lengths=np.array([len(line) for line in logits]),
        target_lengths=np.array([len(text) for text in texts]),
        ids=np.array([line_id(number) for number in range(1, len(texts) + 1)]),
    )
    write_lines("lines_tokens.txt", SYMBOLS)
    write_lines("lines_ref.txt", texts)
    write_lines("lines_hyp.txt", decoded)
    write_csv(texts, decoded)
    model = Trigrams([text_of(fit, rng) for _ in range(TRAINING_LINES)])
    write_lines("lines_logprobs.jsonl", [json.dumps(row) for row in language_rows(texts, model)])


if __name__ == "__main__":
    main()
