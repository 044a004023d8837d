"""The marks sit where the witnesses of the report are, and a report that passed says so."""

from typing import Any

import numpy as np
import pytest

from convops import AdjointReport, check_adjoint
from convops.adjoint.report import AdjointCheck
from convops.adjoint.witnesses import Witness
from convops.plot import plot_adjoint_report
from plot.test_plot import LAYER, A, failed, failed_layer

pytest.importorskip("matplotlib")


def marks_of(ax: Any) -> list[tuple[float, float]]:
    marks = [line for line in ax.lines if line.get_gid() == "witness"]
    return [(float(mark.get_ydata()[0]), float(mark.get_xdata()[0])) for mark in marks]


def joined(figure: Any) -> list[Any]:
    from matplotlib.patches import ConnectionPatch

    return [artist for artist in figure.artists if isinstance(artist, ConnectionPatch)]


def test_on_one_axis_the_marks_are_the_indices() -> None:
    report = failed()
    left, right = plot_adjoint_report(report)
    assert report.witnesses
    assert marks_of(left) == [(0, witness.output_index[0]) for witness in report.witnesses]
    assert marks_of(right) == [(0, witness.input_index[0]) for witness in report.witnesses]
    assert left.get_xlim() == (-0.5, 10.5)
    assert right.get_xlim() == (-0.5, 11.5)
    assert left.figure.get_suptitle() == "adjoint check FAILED: adjoint"


def test_arrays_of_more_axes_are_drawn_below_each_other() -> None:
    report = failed_layer()
    left, right = plot_adjoint_report(report)
    assert len(report.witnesses) > 2
    for ax, name in ((left, "output_index"), (right, "input_index")):
        expected = []
        for witness in report.witnesses:
            channel, row, column = getattr(witness, name)
            expected.append((5 * channel + row, column))
        assert marks_of(ax) == expected
    assert (left.get_xlim(), left.get_ylim()) == ((-0.5, 5.5), (14.5, -0.5))
    assert (left.get_title(), right.get_title()) == ("output (3, 5, 6)", "input (2, 5, 6)")
    between = [
        s[0][1] for lines in left.collections if lines.get_linewidth()[0] > 0.8 for s in lines.get_segments()
    ]
    assert between == [4.5, 9.5]


def test_a_line_joins_the_two_ends_of_a_witness() -> None:
    report = failed_layer()
    left, right = plot_adjoint_report(report)
    lines = joined(left.figure)
    ends = [(line.xy1[::-1], line.xy2[::-1]) for line in lines]
    assert ends == list(zip(marks_of(left), marks_of(right), strict=True))


def test_the_first_witnesses_are_listed_in_a_figure_of_our_own_only() -> None:
    from matplotlib.figure import Figure

    report = failed_layer()
    (legend,) = plot_adjoint_report(report)[0].figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == [*map(str, report.witnesses[:4]), f"and {len(report.witnesses) - 4} more"]
    given = Figure()
    plot_adjoint_report(report, given.subplots(1, 2))
    assert not given.legends
    assert given.get_suptitle() == ""


def test_a_report_that_passed_says_so() -> None:
    report = check_adjoint(LAYER)
    panels = plot_adjoint_report(report)
    assert [[text.get_text() for text in panel.texts] for panel in panels] == [["✓ passed"]] * 2
    assert panels[0].figure.get_suptitle() == (
        f"adjoint check passed: {len(report.checks)} checks, {report.applications} products"
    )
    assert not joined(panels[0].figure)


def test_a_failure_without_witnesses_says_so() -> None:
    report = check_adjoint(lambda x: abs(x), lambda y: y, input_shape=4, output_shape=4, witnesses=0)
    assert not report
    assert [panel.texts[0].get_text() for panel in plot_adjoint_report(report)] == ["no witnesses"] * 2


def test_a_report_without_shapes_is_drawn_as_far_as_its_witnesses_reach() -> None:
    witness = Witness((2, 1), (0, 4), 1.0, 2.0)
    report = AdjointReport("A", 0, "default", (AdjointCheck("adjoint", False, ""),), witnesses=(witness,))
    left, right = plot_adjoint_report(report)
    assert (left.get_title(), right.get_title()) == ("output (3, 2)", "input (1, 5)")
    assert (marks_of(left), marks_of(right)) == ([(2, 1)], [(0, 4)])


def test_the_report_knows_the_shapes_of_its_arrays() -> None:
    report = check_adjoint(A)
    assert (report.output_shape, report.input_shape) == ((2, 2), (3, 3))
    assert report.as_dict()["input_shape"] == [3, 3]


def test_the_largest_arrays_are_drawn() -> None:
    witness = Witness((3, 2**20 - 1, 5), (2**40 - 1,), 1.0, 2.0)
    report = AdjointReport(
        "A",
        0,
        "default",
        (AdjointCheck("adjoint", False, ""),),
        witnesses=(witness,),
        input_shape=(2**40,),
        output_shape=(4, 2**20, 2**20),
    )
    left, right = plot_adjoint_report(report)
    left.figure.canvas.draw()
    assert marks_of(left) == [(3 * 2**20 + 2**20 - 1, 5)]
    assert np.isclose(marks_of(right)[0][1], 2**40 - 1)
