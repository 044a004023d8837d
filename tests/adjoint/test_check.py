"""`check_adjoint` passes what is right, and fails what is wrong, and only that."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import correlate
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from adjoint.pairs import IMAGE, convolution, pair_operator, witnesses_are_true
from convops import Conv, check_adjoint
from convops.adjoint import CHECKS, LEVELS, applicable_checks
from registry import CASES, FLOATS, METHODS, weights_for


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: str(CASES[number]))
def test_every_operator_of_the_registry_passes(number: int) -> None:
    case = CASES[number]
    for turn, dtype in enumerate((*FLOATS, "int64"), start=number):
        suited = [method for method in METHODS if case.suits(method, dtype)]
        method = suited[turn % len(suited)]
        weight = weights_for(case, dtype, method=method)
        A = Conv(weight, case.input_shape, **case.kwargs(), method=method)
        for operator, level, most in ((A, "default", 60), (A.H, "quick", 8)):
            report = check_adjoint(operator, seed=3, level=level)
            assert report, report
            assert report.applications <= most


@pytest.mark.parametrize("dtype", [*FLOATS, "int64"])
def test_level_complete_proves_every_entry(dtype: str) -> None:
    A = Conv(np.array([[1, 2], [3, 4]], dtype), (3, 2), padding=1, boundary="reflect")
    report = check_adjoint(A, level="complete")
    assert report, report
    W = A.toarray()
    assert f"all {W.size} entries agree" in str(report)
    for place in np.ndindex(W.shape):
        B = W.conj().T.copy()
        B[place[::-1]] += 1
        assert check_adjoint(pair_operator(W, B), level="complete", only="entries").failed == ("entries",)


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_correct_operator_never_fails(dtype: str) -> None:
    rng = np.random.default_rng(1)
    A = aslinearoperator((rng.standard_normal((70, 50)) * (rng.random((70, 50)) < 0.2)).astype(dtype))
    for seed in range(100):
        for level in ("quick", "default"):
            report = check_adjoint(A, seed=seed, level=level)
            assert report, report


@pytest.mark.parametrize("dtype", FLOATS)
def test_one_wrong_entry_fails(dtype: str) -> None:
    rng = np.random.default_rng(2)
    W = rng.standard_normal((60, 45)).astype(dtype)
    for seed in range(100):
        B = W.conj().T.copy()
        place = rng.integers(45), rng.integers(60)
        B[place] += 1000 * np.finfo(dtype).eps * np.linalg.norm(W)
        report = check_adjoint(pair_operator(W, B), seed=seed)
        assert report.failed == ("adjoint",)
        assert [(w.input_index[0], w.output_index[0]) for w in report.witnesses] == [place]


@pytest.mark.parametrize(("dtype", "relative"), [("float64", 1e-8), ("float32", 1e-2)])
def test_one_wrong_border_entry_of_an_image_is_found_and_located(dtype: str, relative: float) -> None:
    weight = np.random.default_rng(3).standard_normal((5, 5)).astype(dtype)
    W = Conv(weight, (256, 256), padding="same").tosparse()
    B = W.T.tocsr()
    entry = B.indptr[100 * 256] + 3
    row, column = int(B.indices[entry]), 100 * 256
    B.data[entry] *= 1 + relative
    report = check_adjoint(pair_operator(W, B), input_shape=(256, 256), output_shape=(256, 256))
    assert report.failed == ("adjoint",)
    (witness,) = report.witnesses
    assert witness.input_index == (100, 0)
    assert np.ravel_multi_index(witness.output_index, (256, 256)) == row
    assert (witness.forward, witness.adjoint) == (W[row, column], B[column, row])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (lambda W: W.T, "a conjugate is missing"),
        (lambda W: W.conj().T * 1.0001, "a constant factor of 0.9999"),
        (lambda W: -W.conj().T, "its sign is wrong"),
        (lambda W: W, "the forward map itself"),
        (lambda W: np.roll(W.conj().T, 1, axis=0), "is moved by (0, 1)"),
        (lambda W: W.conj().T[::-1], "reversed along every axis"),
    ],
    ids=["no conjugate", "factor", "sign", "forward itself", "shifted", "reversed"],
)
def test_the_usual_faults_fail_and_are_named(fault: Callable[[Any], Any], cause: str, seed: int) -> None:
    W = convolution("complex128").toarray()
    shapes = {"input_shape": IMAGE, "output_shape": IMAGE}
    assert check_adjoint(pair_operator(W, W.conj().T), seed=seed, **shapes)
    report = check_adjoint(pair_operator(W, fault(W)), seed=seed, **shapes)
    assert report.failed == ("adjoint",)
    assert cause in " ".join(report.causes), report
    assert witnesses_are_true(report, W, fault(W))


def test_an_integer_operator_is_checked_exactly() -> None:
    W = Conv([1, -2, 3], 50, padding=1).toarray()
    B = W.T.copy()
    assert check_adjoint(pair_operator(W, B))
    B[0, 0] += 1
    for seed in range(50):
        report = check_adjoint(pair_operator(W, B), seed=seed)
        assert report.failed == ("exact",)
        assert [(w.output_index, w.input_index) for w in report.witnesses] == [((0,), (0,))]


def test_the_exact_check_of_a_float_operator_says_which_operator_it_checked() -> None:
    report = check_adjoint(Conv([1.5, 2.0], 4), only="exact")
    assert str(report).endswith("; of A with a random integer weight")
    assert not str(check_adjoint(Conv([1, 2], 4), only="exact")).endswith("weight")


@pytest.mark.parametrize("constant", [1.0, 1e-3, 1e-12])
def test_an_affine_map_is_not_linear(constant: float) -> None:
    def affine(x: np.ndarray) -> np.ndarray:
        return x + np.float32(constant)

    report = check_adjoint(affine, lambda y: y, 3000, 3000, dtype="float32")
    assert "homogeneity" in report.failed
    assert not report.witnesses


def test_a_float_operator_of_a_guessed_integer_dtype_is_told_so() -> None:
    A = LinearOperator((5, 5), dtype=np.int8, matvec=lambda x: x / 2, rmatvec=lambda y: y)
    with pytest.raises(ValueError, match="say so with dtype=float"):
        raise ValueError(check_adjoint(A))
    assert check_adjoint(LinearOperator((5, 5), dtype=np.int8, matvec=np.copy, rmatvec=np.copy), dtype=float)


def test_nan_fails() -> None:
    A = LinearOperator((3, 3), dtype=float, matvec=lambda x: x * np.nan, rmatvec=lambda y: y)
    assert {"contract", "homogeneity", "additivity", "adjoint"} <= set(check_adjoint(A).failed)


def test_a_pair_of_functions_of_arrays() -> None:
    kernel = np.arange(9.0).reshape(3, 3)

    def forward(x: np.ndarray) -> np.ndarray:
        return correlate(x, kernel, mode="constant")

    def right(y: np.ndarray) -> np.ndarray:
        return correlate(y, kernel[::-1, ::-1], mode="constant")

    shapes: dict[str, Any] = {"input_shape": (7, 8), "output_shape": (7, 8)}
    assert check_adjoint(forward, right, **shapes)
    assert check_adjoint(forward, forward, **shapes).failed == ("adjoint",)
    assert "forward and " in str(check_adjoint(forward, right, **shapes))


def test_a_pair_of_integer_functions_is_checked_exactly() -> None:
    report = check_adjoint(np.diff, lambda y: -np.diff(y, prepend=0, append=0), 5, 4, dtype=int)
    assert report
    assert "exact" in [check.name for check in report.checks]


def test_a_map_from_real_to_complex_vectors_has_the_adjoint_of_the_real_inner_product() -> None:
    def right(y: np.ndarray) -> np.ndarray:
        return np.fft.irfft(np.concatenate([y[:1], y[1:-1] / 2, y[-1:]]), 20) * 20

    def wrong(y: np.ndarray) -> np.ndarray:
        return np.fft.irfft(y, 20) * 20

    both = (np.float64, np.complex128)
    assert check_adjoint(np.fft.rfft, right, 20, 11, both)
    assert check_adjoint(right, np.fft.rfft, 11, 20, both[::-1])
    assert check_adjoint(np.fft.rfft, wrong, 20, 11, both).failed == ("adjoint",)
    told = check_adjoint(lambda x: np.fft.rfft(x.real), right, 20, 11, np.complex128)
    assert "say so with dtype=(float64, complex128)" in str(told)
    with pytest.raises(ValueError, match="float32 and complex128 have different precisions"):
        check_adjoint(np.fft.rfft, right, 20, 11, (np.float32, np.complex128))


def test_two_operators_are_checked_against_each_other() -> None:
    A = convolution()
    assert check_adjoint(A, A.H)
    assert check_adjoint(A, convolution(boundary="wrap").H).failed == ("adjoint",)
    with pytest.raises(ValueError, match=r"adjoint.shape=\(5, 6\): the adjoint .* has shape \(132, 132\)"):
        check_adjoint(A, aslinearoperator(np.ones((5, 6))))


def test_the_same_seed_gives_the_same_report() -> None:
    A = Conv(np.ones(3), 9)
    assert check_adjoint(A, seed=5) == check_adjoint(A, seed=5)
    assert check_adjoint(A, seed=5) != check_adjoint(A, seed=6)


def test_a_check_gives_the_same_whichever_others_are_made() -> None:
    A = convolution("complex64")
    whole = {check.name: check for check in check_adjoint(A, seed=2).checks}
    for name, check in whole.items():
        assert check_adjoint(A, seed=2, only=name).checks == (check,)
    without = check_adjoint(A, seed=2, skip=["adjoint", "layout"]).checks
    assert [check.name for check in without] == [name for name in whole if name not in ("adjoint", "layout")]


def test_the_probability_of_a_false_alarm_does_not_hang_on_the_operator() -> None:
    # A difference operator on a near-constant probe, badly scaled rows, maps to one number, rank one.
    rng = np.random.default_rng(0)
    for W in (
        np.diff(np.eye(40), axis=0),
        np.diag(10.0 ** np.linspace(-150, 150, 30)),
        np.ones((1, 50)),
        np.ones((50, 1)),
        np.ones((2, 2)),
        np.outer(rng.standard_normal(100), rng.standard_normal(100)),
        np.zeros((4, 5)),
        rng.standard_normal((1, 1)),
    ):
        for seed in range(30):
            for level in ("quick", "default"):
                report = check_adjoint(aslinearoperator(W), seed=seed, level=level)
                assert report, report


def test_an_error_inside_the_function_comes_through_as_it_is() -> None:
    def broken(x: np.ndarray) -> np.ndarray:
        raise ValueError("of my own")

    with pytest.raises(ValueError, match=r"^of my own$"):
        check_adjoint(broken, lambda y: y, 6, 6)


def test_an_unknown_name_of_a_check_is_refused_with_those_there_are() -> None:
    A = Conv([1.0], 3)
    with pytest.raises(ValueError, match=r"only='symmetry': it must be one of 'contract', "):
        check_adjoint(A, only="symmetry")
    with pytest.raises(ValueError, match=r"skip='dot': it must be one of 'contract', "):
        check_adjoint(A, skip=["purity", "dot"])
    with pytest.raises(ValueError, match=r"level='full': it must be one of 'quick', 'default', 'complete'"):
        check_adjoint(A, level="full")


def test_a_check_that_does_not_apply_is_no_check() -> None:
    with pytest.raises(
        ValueError, match=r"only='adjoint': the check 'adjoint' does not apply: it works in int"
    ):
        check_adjoint(Conv([1], 3), only="adjoint")
    with pytest.raises(ValueError, match=r"skip=.*: no check is left to make"):
        check_adjoint(Conv([1], 3), skip=CHECKS)
    with pytest.raises(ValueError, match=r"level='complete': 25000000 entries are more than 16777216"):
        check_adjoint(Conv([1.0], 5000), level="complete")


@pytest.mark.parametrize("level", LEVELS)
def test_the_applicable_checks_are_those_that_are_made(level: str) -> None:
    for operator in (convolution(), Conv([1, 2], 5), aslinearoperator(np.ones((3, 4), np.complex64))):
        made = tuple(check.name for check in check_adjoint(operator, level=level).checks)
        assert applicable_checks(operator, level=level) == made


def test_progress_is_told_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    check_adjoint(Conv([1.0], 3), only=("additivity", "adjoint"), progress=True)
    assert capsys.readouterr().err.splitlines() == [
        "adjoint check: additivity, after 0 products",
        "adjoint check: adjoint, after 18 products",
    ]


def test_a_report_is_plain_values() -> None:
    W = convolution("complex128").toarray()
    for operator in (pair_operator(W, W.T), pair_operator(W * np.nan, W), Conv([1, 2], 5)):
        report = check_adjoint(operator)
        plain = json.loads(json.dumps(report.as_dict(), allow_nan=False))
        assert plain["passed"] == report.passed
        assert [check["name"] for check in plain["checks"]] == [check.name for check in report.checks]
        assert len(plain["witnesses"]) == len(report.witnesses)


def test_an_operator_that_is_called_with_arrays_is_checked_by_its_H() -> None:
    class Differences:  # the form of SigPy's and SCICO's operators
        ishape, oshape = (6, 5), (6, 4)

        def __call__(self, x: np.ndarray) -> np.ndarray:
            return x[:, 1:] - x[:, :-1]

        @property
        def H(self) -> Callable[[np.ndarray], np.ndarray]:
            return lambda y: np.pad(y, ((0, 0), (1, 0))) - np.pad(y, ((0, 0), (0, 1)))

    assert check_adjoint(Differences())
    assert check_adjoint(Differences(), dtype="complex64")


def test_integers_that_are_refused_are_no_fault() -> None:
    A = Conv([30000, -20000], 40)
    assert check_adjoint(A, A.H)
    assert check_adjoint(lambda x: A(x), lambda y: A.H(y), 40, 39, int)


def test_a_map_of_single_numbers_has_arrays_without_axes() -> None:
    assert check_adjoint(lambda x: 2 * x, lambda y: 2 * y, (), ())
    assert check_adjoint(lambda x: 2 * x, lambda y: 3 * y, (), ()).failed == ("adjoint",)


def test_the_byte_order_of_a_result_does_not_count() -> None:
    assert check_adjoint(lambda x: x.astype(">f8"), lambda y: y, 4, 4)
