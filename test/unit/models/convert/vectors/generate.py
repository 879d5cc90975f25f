"""Writes quantize.json: inputs and what the `gguf` Python package (0.19.0) makes of them. Run once by hand:
python generate.py > quantize.json  (needs numpy and gguf)"""

import base64
import json

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf.quants import quantize

rng = np.random.default_rng(20261121)
blocks = [
    rng.normal(0, 0.02, 32 * 24),  # weights as they are
    rng.normal(0, 1, 32 * 16) * 10.0 ** rng.integers(-6, 4, 32 * 16),  # wildly mixed sizes
    rng.integers(-127, 128, 32 * 8) * 0.5,  # exactly between two steps of q8_0
    rng.integers(-8, 9, 32 * 8) / 4,  # exactly between two steps of q4_0
    np.zeros(32),
    np.full(32, -3.5),
    np.full(32, 1e-30),  # the scale underflows in half precision
    np.tile([1.0, -1.0], 16),  # the first of equal magnitudes decides the sign of q4_0's scale
    # A block where a fused multiply-add would give another q4_0 value.
    [46, 1, 31.5, 53.5, 10.5, -43.5, -32, 21.5, 28, -14.5, -37, 20.5, 54.5, 9, 10.5, 50.5,
     -28.5, 29, -52.5, -7, -43.5, -18, -9, -16.5, 0.5, 16, -33, -46.5, -17.5, -40, 56, 25.5],
]
values = np.concatenate(blocks).astype(np.float32)
types = {"f16": Type.F16, "bf16": Type.BF16, "q8_0": Type.Q8_0, "q4_0": Type.Q4_0}


def text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


print(json.dumps({"values": text(values), **{name: text(quantize(values, kind)) for name, kind in types.items()}}))
