"""An inspection written by hand, with every kind of entry a report can hold."""

from typing import Any

from uncheck.reporting.page import Detail, Page

#: Everything, on one line each.
ALL = Page(1000, detail=Detail.verbose)


def whole(width: int) -> Page:
    """A page with everything on it."""
    return Page(width, detail=Detail.verbose)


def component(period: list[int], amplitude: float, p_value: float = 1e-9) -> dict[str, Any]:
    return {
        "period": period,
        "amplitude": amplitude,
        "p_value": p_value,
        "channel_amplitudes": [amplitude],
        "channel_p_values": [p_value],
    }


def stage(name: str, kind: str = "transposed", **changed: Any) -> dict[str, Any]:
    return {
        "name": name,
        "call": 0,
        "kind": kind,
        "stride": [2, 2],
        "kernel_size": [3, 3],
        "output_period": [4, 4],
        "overlap": "uneven",
        "gain_spread": 0.781,
        "order": 0,
        "blame": None,
        "blame_order": None,
        "interacts": False,
        "periods": [],
        **changed,
    }


def blamed(period: list[int], share: float) -> dict[str, Any]:
    return {
        "period": period,
        "before": 1.0,
        "first_order": 1.0,
        "second_order": 0.0,
        "scrambled": 1.0,
        "share": share,
    }


def inspection(**changed: Any) -> dict[str, Any]:
    return {
        "schema": "uncheck.inspect/1",
        "verdict": "lattice",
        "range": [0.0, 1.0],
        "lattice": [component([4, 4], 4.417), component([2, 1], 1.25)],
        "strength": 4.6,
        "traces": [component([8, 8], 0.0613, 0.0)],
        "from_input": [component([16, 16], 0.4)],
        "stages": [
            stage(
                "decoder.0",
                blame=0.9,
                blame_order=2,
                interacts=True,
                periods=[blamed([4, 4], 0.97), blamed([2, 1], 0.2)],
            ),
            stage(
                "decoder.3",
                "sub-pixel",
                overlap="none",
                stride=[2, 1],
                kernel_size=[3, 5],
                output_period=[2, 1],
                gain_spread=None,
                order=None,
                blame=0.15,
                blame_order=1,
                periods=[blamed([4, 4], 0.0), blamed([2, 1], 0.8)],
            ),
        ],
        "operations": {
            "handled": {"conv2d": 7, "conv_transpose2d": 2},
            "ignored": {"relu": 3},
            "unsupported": {},
        },
        "probes": {
            "dark": {"lattice": [], "second_order": []},
            "noise": {"lattice": [component([4, 4], 5.4)], "second_order": [component([2, 2], 0.7)]},
        },
        "random_weights": {"lattice": [component([4, 4], 78.1)], "fault": "architecture"},
        "boundary": {
            "constant": {"depth": 10, "strength": 8.7},
            "real": {"depth": 0, "strength": 0.2},
            "paddings": [{"name": "encoder.0", "mode": "zero", "share": 0.75}],
        },
        "gradient": None,
        "not_tested": [],
        "passes": 14.5,
        "notes": ["stages interact"],
        **changed,
    }


GRADIENT = {
    "lattice": [component([4, 4], 9.1)],
    "magnitude": [],
    "strided": [
        {
            "name": "stem",
            "kind": "convolution",
            "stride": [4, 4],
            "kernel_size": [4, 4],
            "input_period": [4, 4],
            "blame": 0.5,
        }
    ],
}


class Sample:
    """What reporting asks of a result: a dictionary."""

    def __init__(self, **changed: Any) -> None:
        self.report = inspection(**changed)

    def to_dict(self) -> dict[str, Any]:
        return self.report


def tone(period: int, db: float, rate: float | None) -> dict[str, Any]:
    """A component of sound."""
    lines = None if rate is None else [rate * a / period for a in range(1, period // 2 + 1)]
    return {**component([period], 1.0), "db": db, "frequency_hz": lines}


def sound(rate: float | None) -> dict[str, Any]:
    """What differs where the network makes sound."""
    return {
        "rate": rate,
        "lattice": [{**tone(16, -17.2, rate), "order": "second"}],
        "traces": [],
        "from_input": [],
        "stages": [
            stage(
                "decoder.0",
                stride=[8],
                kernel_size=[16],
                output_period=[16],
                blame=0.95,
                blame_order=2,
                periods=[blamed([16], 0.97)],
            )
        ],
        "probes": {"noise": {"lattice": [tone(16, -12.0, rate)], "second_order": []}},
        "random_weights": {"lattice": [tone(16, -9.0, rate)], "fault": None},
        "boundary": {
            "constant": {"depth": 10, "strength": 8.7, "db": -3.1},
            "real": {"depth": 0, "strength": 0.2, "db": -40.0},
            "paddings": [],
        },
        "gradient": None,
    }
