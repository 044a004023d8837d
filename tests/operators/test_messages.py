"""What an operator says of an operand of the wrong shape, by the shapes alone."""

import pytest

from convops.operators._messages import wrong_length, wrong_shape

INPUT, OUTPUT = (3, 20, 30), (8, 18, 28)  # 1800 elements, 4032 elements


@pytest.mark.parametrize(
    ("found", "adjoint", "columns", "says"),
    [
        ((7,), False, False, "matvec needs length 1800, the elements of input_shape (3, 20, 30); got 7."),
        ((7,), True, False, "rmatvec needs length 4032, the elements of output_shape (8, 18, 28); got 7."),
        ((), False, False, "got no axis."),
        (INPUT, False, False, "Give x.ravel(), or apply the array by a call of the operator, A(x)."),
        ((4032,), False, False, "length 4032 is the output's; did you mean rmatvec?"),
        ((1800,), True, False, "length 1800 is the input's; did you mean matvec?"),
        ((1800, 5), False, False, "on the last axis; for columns, did you mean matmat?"),
        ((4032, 5), True, False, "on the last axis; for columns, did you mean rmatmat?"),
        ((7, 5), False, True, "matmat needs columns of length 1800, the elements of input_shape"),
        ((1800,), False, True, "on two axes; for one vector, did you mean matvec?"),
        ((4032,), True, True, "on two axes; for one vector, did you mean rmatvec?"),
        ((4032, 5), False, True, "length 4032 is the output's; did you mean rmatmat?"),
        ((1800, 5), True, True, "length 1800 is the input's; did you mean matmat?"),
    ],
)
def test_a_wrong_length_is_told_the_right_one_and_the_product_that_takes_it(
    found: tuple[int, ...], adjoint: bool, columns: bool, says: str
) -> None:
    text = wrong_length("x", found, INPUT, OUTPUT, adjoint, columns)
    assert text.startswith(f"x has shape {found}: ")
    assert says in text


def test_no_other_product_is_proposed_where_both_have_one_length() -> None:
    assert wrong_length("x", (5,), (9,), (9,), False, False).endswith("input_shape (9,); got 5.")


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (OUTPUT, "(8, 18, 28) is the output's; did you mean A.H(x)?"),
        ((5, *OUTPUT), "(8, 18, 28) is the output's; did you mean A.H(x)?"),
        ((1800,), "it has the right length, so give x.reshape(A.input_shape), or A @ x."),
        ((20, 30, 3), "channels come first: give np.moveaxis(x, -1, 0)."),
        ((5, 20, 30, 3), "channels come first: give np.moveaxis(x, -1, 1)."),
        ((30, 20, 3), "the same sizes in another order: transpose it, channels first."),
        ((5, 6, 7, 8), "got (6, 7, 8)."),
        ((5,), "got (5,)."),
    ],
)
def test_a_wrong_shape_is_told_the_right_one_and_how_to_come_by_it(found: tuple[int, ...], says: str) -> None:
    text = wrong_shape(found, INPUT, OUTPUT, channel_axis=0)
    assert text.startswith(f"x has shape {found}: its last axes must be input_shape {INPUT}")
    assert text.endswith(says)


def test_an_image_without_channels_has_none_to_move() -> None:
    text = wrong_shape((30, 20), (20, 30), (18, 28), channel_axis=None)
    assert text.endswith("the same sizes in another order: transpose it.")


def test_channels_that_come_last_are_told_the_way_there() -> None:
    text = wrong_shape((5, 3, 20, 30), (20, 30, 3), (18, 28, 8), channel_axis=2)
    assert text.endswith("channels come last: give np.moveaxis(x, 1, -1).")
    text = wrong_shape((30, 3, 20), (20, 30, 3), (18, 28, 8), channel_axis=2)
    assert text.endswith("the same sizes in another order: transpose it, channels last.")
