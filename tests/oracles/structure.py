"""Golden values for the cross-asset structure of acth-core.

    python -m venv v && v/bin/pip install numpy scikit-learn statsmodels hmmlearn
    v/bin/python tests/oracles/structure.py > tests/oracles/structure.json

The seed and the versions of all packages stand in the output.
"""

import json
from math import lgamma

import hmmlearn
import numpy as np
import sklearn
import statsmodels
from hmmlearn.hmm import GaussianHMM
from sklearn.covariance import ledoit_wolf, oas
from statsmodels.tsa.adfvalues import mackinnoncrit, mackinnonp
from statsmodels.tsa.stattools import adfuller, coint

SEED = 20261126
rng = np.random.default_rng(SEED)


def rounded(values):
    """Inputs of few digits keep the file small; every result is computed from the rounded ones."""
    return np.round(values, 5)


def shrinkage():
    cases = []
    for rows, columns in [(12, 5), (60, 6), (8, 10)]:
        mixing = rng.normal(size=(columns, columns))
        samples = rounded(rng.normal(size=(rows, columns)) @ mixing)
        covariance = np.cov(samples.T, bias=True)
        lw_matrix, lw_intensity = ledoit_wolf(samples)
        oas_matrix, oas_intensity = oas(samples)
        values = np.linalg.eigvalsh(covariance)
        cases.append(
            dict(
                rows=rows,
                columns=columns,
                samples=samples.ravel().tolist(),
                covariance=covariance.ravel().tolist(),
                ledoit_wolf=lw_matrix.ravel().tolist(),
                ledoit_wolf_intensity=lw_intensity,
                oas=oas_matrix.ravel().tolist(),
                oas_intensity=oas_intensity,
                eigenvalues=values.tolist(),
            )
        )
    return cases


def clipping():
    """Clipping with NumPy: mean of the eigenvalues between the edges, then a diagonal of one."""
    rows, columns = 60, 12
    factor = rng.normal(size=(rows, 1))
    samples = rng.normal(size=(rows, columns)) + factor * np.linspace(0.2, 1.5, columns)
    correlation = rounded(np.corrcoef(samples.T))
    values, vectors = np.linalg.eigh(correlation)
    root = np.sqrt(columns / rows)
    edges = [(1 - root) ** 2, (1 + root) ** 2]
    factors = int((values > edges[1]).sum())
    is_noise = (values >= edges[0]) & (values <= edges[1])
    values[is_noise] = values[is_noise].mean()
    clipped = (vectors * values) @ vectors.T
    roots = np.sqrt(np.diag(clipped))
    clipped = clipped / roots / roots[:, None]
    return dict(
        rows=rows,
        columns=columns,
        correlation=correlation.ravel().tolist(),
        edges=edges,
        factors=factors,
        kept=int((~is_noise).sum()),
        clipped=clipped.ravel().tolist(),
    )


def cointegration():
    cases = []
    for rows, lags, reversion in [(150, 0, 0.3), (200, 1, 0.1), (180, 3, 0.0)]:
        second = np.cumsum(rng.normal(size=rows))
        spread = np.zeros(rows)
        for index in range(1, rows):
            spread[index] = (1 - reversion) * spread[index - 1] + rng.normal()
        first = rounded(3.0 + 0.7 * second + spread)
        second = rounded(second)
        statistic, p_value, critical = coint(first, second, trend="c", maxlag=lags, autolag=None)
        own = adfuller(spread, maxlag=lags, regression="n", autolag=None)[0]
        slope, intercept = np.polyfit(second, first, 1)
        cases.append(
            dict(
                lags=lags,
                first=first.tolist(),
                second=second.tolist(),
                statistic=statistic,
                p_value=p_value,
                critical=list(critical),
                slope=slope,
                intercept=intercept,
                spread=spread.tolist() if rows == 150 else [],
                spread_statistic=own,
            )
        )
    statistics = np.linspace(-12, 1, 27)
    return dict(
        cases=cases,
        statistics=statistics.tolist(),
        p_values=[mackinnonp(value, "c", 2) for value in statistics],
        critical_500=list(mackinnoncrit(2, "c", 500)),
    )


def regime():
    cases = []
    for count in [2, 3, 4]:
        transitions = rng.dirichlet(np.ones(count), size=count) * 0.2 + 0.8 * np.eye(count)
        means = np.linspace(-1, 1, count)
        deviations = np.linspace(0.5, 1.5, count)
        initial = np.full(count, 1 / count)
        model = GaussianHMM(n_components=count, covariance_type="diag")
        model.startprob_, model.transmat_ = initial, transitions
        model.means_, model.covars_ = means[:, None], (deviations**2)[:, None]
        values, states = model.sample(200, random_state=SEED + count)
        values = rounded(values)
        # The filter at the last observation of each prefix is the smoother's last row of that prefix.
        filtered = [model.predict_proba(values[:end])[-1].tolist() for end in (1, 2, 10, 200)]
        cases.append(
            dict(
                count=count,
                transitions=transitions.tolist(),
                means=means.tolist(),
                deviations=deviations.tolist(),
                values=values.ravel().tolist(),
                log_likelihood=model.score(values),
                filtered=filtered,
            )
        )
    return cases


def run_lengths():
    """Adams and MacKay with a normal-inverse-gamma prior; runs beyond 200 are dropped and the rest scaled up."""
    bound, hazard = 200, 1 / 100
    mean_0, weight_0, shape_0, scale_0 = 0.1, 0.5, 1.5, 0.8
    values = np.concatenate(
        [rng.normal(0, 1, 230), rng.normal(3, 1, 30), rng.normal(3, 0.2, 40)]
    )
    values = rounded(values)
    chances = np.array([1.0])
    means, scales = np.array([mean_0]), np.array([scale_0])
    modes, short, kept = [], [], {}
    for index, value in enumerate(values):
        lengths = np.arange(len(chances))
        weights, shapes = weight_0 + lengths, shape_0 + lengths / 2
        freedom = 2 * shapes
        spread = scales * (weights + 1) / (shapes * weights)
        density = np.exp(
            np.array([lgamma((f + 1) / 2) - lgamma(f / 2) for f in freedom])
            - 0.5 * np.log(np.pi * freedom * spread)
            - (freedom + 1) / 2 * np.log1p((value - means) ** 2 / (freedom * spread))
        )
        joint = chances * density
        chances = np.concatenate([[joint.sum() * hazard], joint * (1 - hazard)])
        scales = np.concatenate(
            [[scale_0], scales + weights * (value - means) ** 2 / (2 * (weights + 1))]
        )
        means = np.concatenate([[mean_0], (weights * means + value) / (weights + 1)])
        chances, scales, means = (a[: bound + 1] for a in (chances, scales, means))
        chances = chances / chances.sum()
        modes.append(int(chances.argmax()))
        short.append(float(chances[:10].sum()))
        if index in (0, 5, 199, 200, 201, 235, 299):
            kept[index] = chances[:60].tolist()
    return dict(
        run=1 / hazard,
        prior=[mean_0, weight_0, shape_0, scale_0],
        values=values.tolist(),
        modes=modes,
        short=short,
        chances=[dict(index=index, chances=chances) for index, chances in kept.items()],
    )


def cusum():
    values = rounded(np.concatenate([rng.normal(0, 1, 60), rng.normal(1.5, 1, 40)]))
    drift, threshold = 0.5, 4.0
    up = down = 0.0
    sums, alarms = [], []
    for index, value in enumerate(values):
        up, down = max(0.0, up + value - drift), max(0.0, down - value - drift)
        if up > threshold or down > threshold:
            alarms.append([index, 1 if up > threshold else -1])
            up = down = 0.0
        sums.append([up, down])
    return dict(
        drift=drift, threshold=threshold, values=values.tolist(), sums=sums, alarms=alarms
    )


def kalman():
    """Slope and intercept as a state vector, in matrices."""
    rows = 60
    x = rounded(rng.normal(size=rows))
    y = rounded(0.5 + 1.3 * x + 0.2 * rng.normal(size=rows))
    state, doubt = np.array([1.0, 0.0]), np.diag([0.5, 0.25])
    drift, noise = np.diag([1e-3, 2e-3]), 0.04
    states, scores = [], []
    for a, b in zip(x, y):
        row = np.array([a, 1.0])
        doubt = doubt + drift
        variance = row @ doubt @ row + noise
        spread = b - row @ state
        gain = doubt @ row / variance
        state = state + gain * spread
        doubt = doubt - np.outer(gain, row @ doubt)
        states.append(state.tolist())
        scores.append(spread / np.sqrt(variance))
    return dict(x=x.tolist(), y=y.tolist(), states=states, scores=scores)


print(
    json.dumps(
        dict(
            seed=SEED,
            versions=dict(
                numpy=np.__version__,
                scikit_learn=sklearn.__version__,
                statsmodels=statsmodels.__version__,
                hmmlearn=hmmlearn.__version__,
            ),
            shrinkage=shrinkage(),
            clipping=clipping(),
            cointegration=cointegration(),
            regime=regime(),
            run_lengths=run_lengths(),
            cusum=cusum(),
            kalman=kalman(),
        ),
        separators=(",", ":"),
    )
)
