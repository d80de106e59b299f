"""Fit a simple model of who is speaking, and write the data that `agnostic-mask compare` reads.

Multinomial logistic regression of the speaker from one frame of the Japanese Vowels data: 12
coefficients, standardised, and their squares. It is fitted to the training utterances by
Newton's method, so there is one answer and no random number, then asked about every frame of
the test utterances. Needs NumPy alone::

    python examples/fit_speaker_model.py [FILE.npz]
"""

import os
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
RAW = HERE / "data" / "japanese_vowels.npz"
BUNDLED = HERE.parent / "conformance" / "data" / "japanese_vowels.npz"

SPEAKERS = 9
RIDGE = 1e-3
PADDING_LABEL = -100


def features(frames: np.ndarray, centre: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """A constant, the standardised coefficients and their squares, (frames, 25)."""
    z = (frames - centre) / scale
    return np.concatenate([np.ones((len(z), 1)), z, z * z], axis=1)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities along the last axis."""
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def fit(x: np.ndarray, speaker: np.ndarray) -> np.ndarray:
    """Coefficients, (features, speakers), that minimise the class-balanced cross-entropy."""
    target = np.eye(SPEAKERS)[speaker]
    weights = 1 / (SPEAKERS * target.sum(axis=0)[speaker])
    size = x.shape[1] * SPEAKERS
    theta = np.zeros((x.shape[1], SPEAKERS))
    for _ in range(30):
        p = softmax(x @ theta)
        gradient = x.T @ (weights[:, None] * (p - target)) + RIDGE * theta
        hessian = np.empty((x.shape[1], SPEAKERS, x.shape[1], SPEAKERS))
        for j in range(SPEAKERS):
            for k in range(SPEAKERS):
                curvature = weights * p[:, j] * ((j == k) - p[:, k])
                hessian[:, j, :, k] = x.T @ (curvature[:, None] * x)
        flat = hessian.reshape(size, size) + RIDGE * np.eye(size)
        step = np.linalg.solve(flat, gradient.ravel()).reshape(theta.shape)
        theta -= step
        if np.abs(step).max() < 1e-12:
            return theta
    raise RuntimeError("Newton's method did not converge in 30 steps")


def padded(frames: np.ndarray, lengths: np.ndarray, fill: float) -> np.ndarray:
    """Frames one after the other, (frames, ...), as (utterances, longest, ...)."""
    mask = np.arange(lengths.max()) < lengths[:, None]
    out = np.full(mask.shape + frames.shape[1:], fill, dtype=frames.dtype)
    out[mask] = frames
    return out


def main(out: Path = BUNDLED) -> None:
    """Fit, predict, and write `out`."""
    with np.load(RAW, allow_pickle=False) as file:
        raw = {name: file[name] for name in file}
    train, test = (raw[f"{part}_values"].astype(np.float64) for part in ("train", "test"))
    lengths, test_speaker = raw["test_lengths"], raw["test_speaker"] - 1
    train_speaker = np.repeat(raw["train_speaker"] - 1, raw["train_lengths"])
    speaker = np.repeat(test_speaker, lengths).astype(np.int32)

    standard = train.mean(axis=0), train.std(axis=0)
    theta = fit(features(train, *standard), train_speaker)
    predicted = softmax(features(test, *standard) @ theta)

    # Every speaker weighs the same in total; the training utterances are balanced already.
    utterances = np.bincount(test_speaker, minlength=SPEAKERS)
    weights = len(test_speaker) / (SPEAKERS * utterances[test_speaker])

    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            np.savez_compressed(
                file,
                y_true=padded(speaker, lengths, PADDING_LABEL),
                y_pred=padded(predicted.astype(np.float32), lengths, np.nan),
                lengths=lengths,
                weights=weights.astype(np.float32),
            )
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)
    right = (predicted.argmax(axis=1) == speaker).mean()
    print(f"{out}: {out.stat().st_size} bytes, {right:.1%} of the test frames told right")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
