"""Trains a small neural network on handwritten digits, with Python's standard library only.

In:  data/digits.csv.gz (1,797 images of 8x8 pixels, see data/README.md).
Out: one line per epoch on stdout, and in the model directory
     metrics.json          the final values
     plots/metrics/*.tsv   a curve per metric, in DVCLive's format
     params.yaml           what it was trained with
     model.json            the weights

The model directory is AIP_MODEL_DIR as Vertex AI sets it, or ./model elsewhere.
"""

import argparse
import csv
import gzip
import json
import math
import os
import random
import sys
import time
from operator import mul
from pathlib import Path

DATA = Path(__file__).resolve().parent / "data" / "digits.csv.gz"
PIXELS = 64
MAX_INK = 16.0
CLASSES = 10
HIDDEN_UNITS = 32
HELD_OUT = 0.2


class TrainingError(Exception):
    """Something that the person who started the training can mend."""


# --- data -----------------------------------------------------------------------------------------


def read_digits(path):
    """Returns [(pixels in 0..1, label)]."""
    try:
        with gzip.open(path, "rt", newline="") as file:
            rows = [[int(value) for value in row] for row in csv.reader(file)]
    except FileNotFoundError:
        raise TrainingError(f"{path} is missing: does the Dockerfile copy data/?") from None
    except (OSError, EOFError, ValueError) as error:
        raise TrainingError(f"{path} cannot be read: {error}") from error
    for number, row in enumerate(rows, start=1):
        if len(row) != PIXELS + 1 or not 0 <= row[-1] < CLASSES:
            raise TrainingError(
                f"{path}, row {number}: expected {PIXELS} pixels and a label from 0 to {CLASSES - 1}"
            )
    if len(rows) < 2 * CLASSES:
        raise TrainingError(f"{path} has {len(rows)} rows: too few to train and to hold some out")
    return [([ink / MAX_INK for ink in row[:-1]], row[-1]) for row in rows]


def split(examples, seed):
    """Returns (to train on, held out); the same seed gives the same split."""
    shuffled = examples[:]
    random.Random(seed).shuffle(shuffled)
    held_out = int(len(shuffled) * HELD_OUT)
    return shuffled[held_out:], shuffled[:held_out]


# --- model: 64 pixels -> hidden units (ReLU) -> a probability per digit ---------------------------


class Network:
    """Weights are lists of rows, one row per unit; biases are lists."""

    def __init__(self, generator):
        self.hidden_weights = self._random_rows(generator, HIDDEN_UNITS, PIXELS)
        self.hidden_bias = [0.0] * HIDDEN_UNITS
        self.output_weights = self._random_rows(generator, CLASSES, HIDDEN_UNITS)
        self.output_bias = [0.0] * CLASSES

    @staticmethod
    def _random_rows(generator, units, inputs):
        spread = math.sqrt(2.0 / inputs)  # He et al. 2015, for ReLU
        return [[generator.gauss(0.0, spread) for _ in range(inputs)] for _ in range(units)]

    def forward(self, pixels):
        """Returns (hidden activations, probabilities)."""
        hidden = [
            max(0.0, sum(map(mul, weights, pixels), bias))
            for weights, bias in zip(self.hidden_weights, self.hidden_bias)
        ]
        scores = [
            sum(map(mul, weights, hidden), bias)
            for weights, bias in zip(self.output_weights, self.output_bias)
        ]
        highest = max(scores)
        exponentials = [math.exp(score - highest) for score in scores]
        total = sum(exponentials)
        return hidden, [value / total for value in exponentials]

    def learn(self, pixels, label, lr):
        """One step of gradient descent on one example. Returns the loss before the step."""
        hidden, probabilities = self.forward(pixels)
        loss = cross_entropy(probabilities, label)

        hidden_error = [0.0] * HIDDEN_UNITS
        for digit, probability in enumerate(probabilities):
            error = probability - (1.0 if digit == label else 0.0)
            weights = self.output_weights[digit]
            hidden_error = [sofar + error * w for sofar, w in zip(hidden_error, weights)]
            step = lr * error
            self.output_weights[digit] = [w - step * h for w, h in zip(weights, hidden)]
            self.output_bias[digit] -= step

        for unit, activation in enumerate(hidden):
            if activation > 0.0:  # ReLU passes no error through a unit that is off
                step = lr * hidden_error[unit]
                weights = self.hidden_weights[unit]
                self.hidden_weights[unit] = [w - step * x for w, x in zip(weights, pixels)]
                self.hidden_bias[unit] -= step
        return loss

    def evaluate(self, examples):
        """Returns (mean loss, accuracy)."""
        loss = correct = 0.0
        for pixels, label in examples:
            _, probabilities = self.forward(pixels)
            loss += cross_entropy(probabilities, label)
            correct += probabilities.index(max(probabilities)) == label
        return loss / len(examples), correct / len(examples)

    def parameters(self):
        return {
            "hidden": {"weights": self.hidden_weights, "bias": self.hidden_bias},
            "output": {"weights": self.output_weights, "bias": self.output_bias},
        }


def cross_entropy(probabilities, label):
    return -math.log(max(probabilities[label], 1e-12))


# --- results --------------------------------------------------------------------------------------


def model_directory(environment):
    """Where the results go. Vertex AI mounts gs://BUCKET/PATH at /gcs/BUCKET/PATH.

    TRAINYARD_GCS_ROOT names another mount point, for places where /gcs cannot be one.
    """
    uri = environment.get("AIP_MODEL_DIR", "")
    if not uri:
        return Path("model")
    if not uri.startswith("gs://"):
        return Path(uri)
    mount = Path(environment.get("TRAINYARD_GCS_ROOT") or "/gcs")
    if not mount.is_dir():
        raise TrainingError(f"{mount} is not there, so nothing can be written to {uri}")
    return mount / uri[len("gs://") :]


class Results:
    """The files in the model directory.

    Each is closed as soon as it is written: in a mounted bucket it appears only then.
    """

    def __init__(self, directory):
        self.directory = directory
        self.curves = {}

    def begin(self, params):
        """Also finds out, before the training and not after it, that nothing can be written."""
        self._write("params.yaml", "".join(f"{name}: {value}\n" for name, value in params.items()))

    def log_epoch(self, epoch, values):
        now = int(time.time() * 1000)
        for name, value in values.items():
            curve = self.curves.setdefault(name, [f"timestamp\tstep\t{name}"])
            curve.append(f"{now}\t{epoch}\t{value!r}")
            self._write(f"plots/metrics/{name}.tsv", "\n".join(curve) + "\n")

    def finish(self, metrics, model):
        self._write("model.json", json.dumps(model) + "\n")
        self._write("metrics.json", json.dumps(metrics, indent=2) + "\n")

    def _write(self, name, text):
        path = self.directory / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise TrainingError(f"cannot write {path}: {error.strerror or error}") from error


# --- the program ----------------------------------------------------------------------------------


def train(args, results):
    examples, held_out = split(read_digits(DATA), args.seed)
    results.begin(vars(args))
    generator = random.Random(args.seed)
    network = Network(generator)
    print(
        f"training on {len(examples)} digits, {len(held_out)} held out;"
        f" lr={args.lr:g} epochs={args.epochs} seed={args.seed}",
        flush=True,
    )
    started = time.monotonic()
    for epoch in range(1, args.epochs + 1):
        generator.shuffle(examples)
        loss = sum(network.learn(pixels, label, args.lr) for pixels, label in examples)
        loss /= len(examples)
        val_loss, val_accuracy = network.evaluate(held_out)
        if not math.isfinite(loss + val_loss):
            raise TrainingError(f"the loss is {loss} in epoch {epoch}: try a smaller --lr")
        values = {"loss": loss, "val_loss": val_loss, "val_accuracy": val_accuracy}
        results.log_epoch(epoch, values)
        print(
            f"epoch={epoch}/{args.epochs} loss={loss:.4f}"
            f" val_loss={val_loss:.4f} val_accuracy={val_accuracy:.4f}",
            flush=True,
        )
    seconds = time.monotonic() - started
    metrics = {name: round(value, 6) for name, value in values.items()}
    results.finish(metrics, network.parameters())
    print(f"done in {seconds:.1f} s: val_accuracy={val_accuracy:.4f}, results in {results.directory}")


def learning_rate(text):
    value = float(text)
    if not 0.0 < value <= 10.0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and at most 10")
    return value


def epoch_count(text):
    value = int(text)
    if not 1 <= value <= 10_000:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to 10000")
    return value


def parse_args(argv):
    parser = argparse.ArgumentParser(description="Train a classifier of handwritten digits.")
    parser.add_argument("--lr", type=learning_rate, default=0.005, help="learning rate (%(default)s)")
    parser.add_argument("--epochs", type=epoch_count, default=20, help="epochs (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="split, weights and order (%(default)s)")
    return parser.parse_args(argv)


def main():
    args = parse_args(sys.argv[1:])
    try:
        train(args, Results(model_directory(os.environ)))
    except TrainingError as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
