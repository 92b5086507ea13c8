"""Golden values for the predictors of the core: regression and prediction intervals.

    pip install numpy scikit-learn
    python predict.py > predict.json
"""

import json

import numpy
import sklearn
from sklearn.linear_model import Ridge

SEED = 20261126


def regression(random):
    """Weights after all rows, by the closed forms; with forgetting the ridge fades too."""
    rows, inputs, ridge, kept = 120, 4, 0.5, 0.97
    x = numpy.round(random.normal(size=(rows, inputs)), 6)
    y = numpy.round(x @ [1.0, -2.0, 0.5, 0.0] + 0.3 * random.normal(size=rows), 6)
    probe = numpy.round(random.normal(size=inputs), 6)

    plain = Ridge(alpha=ridge, fit_intercept=False, solver="cholesky").fit(x, y).coef_
    weights = kept ** numpy.arange(rows - 1, -1, -1)
    gram = (x * weights[:, None]).T @ x + ridge * kept**rows * numpy.eye(inputs)
    faded = numpy.linalg.solve(gram, (x * weights[:, None]).T @ y)
    residuals = weights @ (y - x @ faded) ** 2 + ridge * kept**rows * faded @ faded
    variance = residuals / (weights.sum() - inputs) * (1 + probe @ numpy.linalg.inv(gram) @ probe)
    return {
        "ridge": ridge,
        "kept": kept,
        "x": x.tolist(),
        "y": y.tolist(),
        "probe": probe.tolist(),
        "plain": plain.tolist(),
        "faded": faded.tolist(),
        "value": float(probe @ faded),
        "variance": float(variance),
    }


def intervals(random):
    """Half-widths before each outcome by sorting anew each time; null where there is no bound."""
    aim, rate, window = 0.1, 0.02, 50
    residuals = numpy.round(random.standard_t(3, size=400) * numpy.linspace(1, 4, 400), 4)
    a, widths, misses = aim, [], 0
    for place, residual in enumerate(residuals):
        seen = numpy.sort(abs(residuals[max(0, place - window) : place]))
        rank = int(numpy.ceil((1 - a) * (len(seen) + 1)))
        width = None if rank > len(seen) else float(seen[rank - 1]) if rank >= 1 else 0.0
        widths.append(width)
        missed = width is not None and abs(residual) > width
        misses += missed
        a += rate * (aim - missed)
    return {
        "coverage": 1 - aim,
        "rate": rate,
        "window": window,
        "residuals": residuals.tolist(),
        "half_widths": widths,
        "misses": int(misses),
    }


random = numpy.random.default_rng(SEED)
print(
    json.dumps(
        {
            "seed": SEED,
            "versions": {"numpy": numpy.__version__, "scikit-learn": sklearn.__version__},
            "regression": regression(random),
            "intervals": intervals(random),
        }
    )
)
