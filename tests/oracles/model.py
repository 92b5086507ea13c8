"""A model written by the description of its format alone (engine/nn/FORMAT.md), and what it says, in double precision.

    pip install numpy
    python model.py > model.json
"""

import json
import struct

import numpy

SEED = 20261126
INPUTS, HIDDEN, OUTPUTS, STEPS = 3, 4, 3, 12

random = numpy.random.default_rng(SEED)


def some(*shape):
    return random.uniform(-1, 1, size=shape).astype(numpy.float32)


ranges = [(0.5, 2.0, 1.5, -4.0, 4.0), (-10.0, 0.25, 8.0, -11.0, -9.0), (0.0, 1.0, 8.0, -3.0, 3.0)]
quantiles = [(0.05, -1.25), (0.95, 1.5)]
weight_ih, weight_hh = some(3 * HIDDEN, INPUTS), some(3 * HIDDEN, HIDDEN)
bias_ih, bias_hh = some(3 * HIDDEN), some(3 * HIDDEN)
layers = [(2, some(5, HIDDEN), some(5)), (0, some(OUTPUTS, 5), some(OUTPUTS))]


def floats(values):
    return numpy.asarray(values, dtype="<f4").tobytes()


def encoded():
    out = b"ACTHMODL" + struct.pack("<IBBHQ", 1, 2, 1, 0, 0xFEED)
    out += struct.pack("<IIII", INPUTS, HIDDEN, len(layers), len(quantiles))
    for activation, _, bias in layers:
        out += struct.pack("<IBBBB", len(bias), activation, 0, 0, 0)
    out += floats(ranges) + floats(quantiles)
    out += floats(weight_ih) + floats(weight_hh) + floats(bias_ih) + floats(bias_hh)
    for _, weight, bias in layers:
        out += floats(weight) + floats(bias)
    fnv = 0xCBF29CE484222325
    for byte in out:
        fnv = (fnv ^ byte) * 0x100000001B3 % 2**64
    return out + struct.pack("<Q", fnv), fnv


def sigmoid(values):
    return 1 / (1 + numpy.exp(-values))


def outputs(raw):
    hidden, said = numpy.zeros(HIDDEN), []
    mean, scale, clip = (numpy.array([row[column] for row in ranges]) for column in range(3))
    for row in raw:
        x = numpy.clip((row - mean) / scale, -clip, clip)
        from_x = numpy.split(weight_ih.astype(float) @ x + bias_ih, 3)
        from_h = numpy.split(weight_hh.astype(float) @ hidden + bias_hh, 3)
        reset, update = sigmoid(from_x[0] + from_h[0]), sigmoid(from_x[1] + from_h[1])
        new = numpy.tanh(from_x[2] + reset * from_h[2])
        hidden = (1 - update) * new + update * hidden
        middle = numpy.tanh(layers[0][1].astype(float) @ hidden + layers[0][2])
        said.append((layers[1][1].astype(float) @ middle + layers[1][2]).tolist())
    return said


raw = numpy.round(random.normal(size=(STEPS, INPUTS)) * [3, 1, 1] + [0.5, -10, 0], 3)
encoding, fnv = encoded()
print(
    json.dumps(
        {
            "seed": SEED,
            "versions": {"numpy": numpy.__version__},
            "bytes": encoding.hex(),
            "hash": f"{fnv:016x}",
            "raw": raw.tolist(),
            "outputs": outputs(raw),
        }
    )
)
