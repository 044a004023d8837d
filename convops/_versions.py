"""What a report of a fault should say about the machine: `show_versions`."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version

from convops._blas import blas_core

PACKAGES = (
    "convops",
    "numpy",
    "scipy",
    "matplotlib",
    "pillow",
    "tqdm",
    "dask",
    "distributed",
    "zarr",
    "torch",
    "keras",
    "onnx",
    "pylops",
    "hypothesis",
    "pytest",
)


def show_versions() -> None:
    """Print the versions of convops and of all that it may work with: to be copied into a report.

    None of them is imported for it. The last line names the processor for which BLAS multiplies.

    Examples
    --------
    >>> from convops import show_versions
    >>> show_versions()  # doctest: +ELLIPSIS
    convops      ...
    numpy        ...
    """
    facts = {name: _version(name) for name in PACKAGES}
    facts["python"] = f"{platform.python_version()} ({platform.python_implementation()})"
    facts["platform"] = platform.platform()
    facts["cores"] = str(os.cpu_count())
    facts["blas"] = f"OpenBLAS, kernels for {core}" if (core := blas_core()) else "not OpenBLAS"
    for name, fact in facts.items():
        print(f"{name:<12} {fact}")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
