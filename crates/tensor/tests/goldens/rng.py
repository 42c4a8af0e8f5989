"""Writes rng.json: the bits that a seed stands for, computed in plain Python from the published
descriptions of xoshiro256++, SplitMix64, Lemire's bounded integers and Doornik's ziggurat.

How to run: python rng.py (needs nothing but Python, whose floats are IEEE doubles).

A float is written as the bits of its double (or single) in hexadecimal. A digest of many numbers is
folded over their bits: d = (d * 6364136223846793005 + bits) mod 2^64, from d = 0 on.
"""

import json
import math
import platform
import struct
from pathlib import Path

MASK = (1 << 64) - 1


def bits64(x):
    return struct.unpack("<Q", struct.pack("<d", x))[0]


def bits32(x):
    return struct.unpack("<I", struct.pack("<f", x))[0]


def digest(values):
    d = 0
    for value in values:
        d = (d * 6364136223846793005 + value) & MASK
    return f"{d:016x}"


def rotl(x, k):
    return ((x << k) | (x >> (64 - k))) & MASK


class Xoshiro256PlusPlus:
    def __init__(self, state):
        self.s = list(state)

    def next(self):
        s = self.s
        result = (rotl((s[0] + s[3]) & MASK, 23) + s[0]) & MASK
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 45)
        return result


def splitmix(seed, count):
    words = []
    for _ in range(count):
        seed = (seed + 0x9E3779B97F4A7C15) & MASK
        z = seed
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        words.append(z ^ (z >> 31))
    return words


def seeded(seed):
    return Xoshiro256PlusPlus(splitmix(seed, 4))


def stream(seed, path):
    for part in path:
        mixed = rotl((part * 0x9E3779B97F4A7C15) & MASK, 32)
        seed = seeded(seed ^ mixed).next()
    return seeded(seed)


def uniform(rng):
    return (rng.next() >> 11) * 2.0**-53


def uniform_single(rng):
    return (rng.next() >> 40) * 2.0**-24


def below(rng, n):
    while True:
        product = rng.next() * n
        if product & MASK >= (1 << 64) % n:
            return product >> 64


def permutation(rng, n):
    order = list(range(n))
    for i in range(n - 1, 0, -1):
        j = below(rng, i + 1)
        order[i], order[j] = order[j], order[i]
    return order


# fdlibm's exp and log.
LN2_HI = float.fromhex("0x1.62e42feep-1")
LN2_LO = float.fromhex("0x1.a39ef35793c76p-33")


def exp(x):
    k = round(x * 1.44269504088896338700e+00)
    hi, lo = x - k * LN2_HI, k * LN2_LO
    r = hi - lo
    t = r * r
    p1, p2, p3 = 1.66666666666666019037e-01, -2.77777777770155933842e-03, 6.61375632143793436117e-05
    p4, p5 = -1.65339022054652515390e-06, 4.13813679705723846039e-08
    c = r - t * (p1 + t * (p2 + t * (p3 + t * (p4 + t * p5))))
    y = 1.0 - ((lo - (r * c) / (2.0 - c)) - hi)
    return math.ldexp(y, k)


def ln(x):
    m, k = math.frexp(x)
    if m < math.sqrt(0.5):
        m, k = m * 2.0, k - 1
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    t1 = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01))
    t2 = z * (6.666666666666735130e-01 + w * (2.857142874366239149e-01
              + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)))
    hfsq = 0.5 * f * f
    return k * LN2_HI - ((hfsq - (s * (hfsq + (t2 + t1)) + k * LN2_LO)) - f)


# 3.65415288536100877164543 and 0.004928673233974655347361775, from the equation x[256] = 0.
R, V = 3.654152885361009, 0.004928673233974655


def layers():
    f = lambda x: exp(-0.5 * x * x)
    x = [V / f(R), R]
    while len(x) < 256:
        x.append(math.sqrt(-2.0 * ln(f(x[-1]) + V / x[-1])))
    x.append(0.0)
    return x, [f(v) for v in x]


X, F = layers()


def normal(rng):
    while True:
        bits = rng.next()
        i = bits & 0xFF
        u = 2.0 + (bits >> 12) * 2.0**-51 - 3.0
        x = u * X[i]
        if abs(x) < X[i + 1]:
            return x
        if i == 0:
            while True:
                a = -ln(1.0 - uniform(rng)) / R
                b = -ln(1.0 - uniform(rng))
                if 2.0 * b >= a * a:
                    return -(R + a) if u < 0.0 else R + a
        if F[i + 1] + (F[i] - F[i + 1]) * uniform(rng) < exp(-0.5 * x * x):
            return x


def truncated_normal(rng):
    while True:
        z = normal(rng)
        if abs(z) <= 2.0:
            return z


def bernoulli(rng, count, probability):
    limit = math.floor(probability * 2.0**31 + 0.5)
    words = [rng.next() for _ in range(128)]
    lanes = [Xoshiro256PlusPlus(words[lane::32]) for lane in range(32)]
    chosen = []
    while len(chosen) < count:
        numbers = [lane.next() for lane in lanes]
        halves = [n & 0xFFFFFFFF for n in numbers] + [n >> 32 for n in numbers]
        chosen += [int(half >> 1 < limit) for half in halves]
    return chosen[:count]


def hexes(values, width=16):
    return [f"{value:0{width}x}" for value in values]


def draws(seed, count, function):
    rng = seeded(seed)
    return [function(rng) for _ in range(count)]


def build():
    normals = draws(4, 200_000, normal)
    assert any(abs(z) > R for z in normals)
    many = [bits64(z) for z in normals]
    return {
        "made_with": {"python": platform.python_version()},
        "words": [{"seed": str(seed), "words": hexes(draws(seed, 8, lambda rng: rng.next()))}
                  for seed in (0, 1, 7, MASK)],
        "streams": [{"path": path, "words": hexes([stream(5, path).next()])}
                    for path in ([], [0], [3], [3, 0], [3, 1], [1, 2, 3])],
        "uniform": {"f64": hexes(map(bits64, draws(2, 20, uniform))),
                    "f32": hexes(map(bits32, draws(2, 20, uniform_single)), 8)},
        "below": [{"n": str(n), "drawn": [str(v) for v in draws(3, 20, lambda rng: below(rng, n))]}
                  for n in (1, 2, 3, 10, 1000, 2**32 + 5, 3 * 2**62 + 1)],
        "permutation": permutation(seeded(9), 50),
        "normal": {"first": hexes(many[:20]), "digest": digest(many),
                   "f32": hexes((bits32(z) for z in normals[:20]), 8)},
        "truncated_normal": hexes(map(bits64, draws(6, 60, truncated_normal))),
        "bernoulli": [{"probability": p, "chosen": "".join(map(str, bernoulli(seeded(8), 200, p)))}
                      for p in (0.0, 0.1, 0.5, 1.0)],
    }


if __name__ == "__main__":
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(build(), indent=1) + "\n", encoding="utf-8", newline="\n")
    print(f"wrote {path.name}, {path.stat().st_size} bytes")
