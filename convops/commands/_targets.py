"""MODULE:NAME as operators: what `convops check` is asked to check, found in the user's code."""

import importlib
import inspect
import os
import sys
import sysconfig
import traceback
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import convops
from convops.commands._command import CannotRun
from convops.testing._maps import is_operator
from convops.testing._subjects import FORM, arguments_of

_OURS = Path(convops.__file__).parent
_PACKAGES = [Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")]
_STANDARD = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")]


def arguments_at(target: str) -> tuple[Any, ...]:
    """Return the positional arguments of `check_adjoint` that MODULE:NAME stands for.

    Raises
    ------
    CannotRun
        If there is no such module or name, or if it is neither an operator nor makes one.
    """
    module, _, name = target.partition(":")
    if not all(part.isidentifier() for part in [*module.split("."), *name.split(".")]):
        raise CannotRun("it must be MODULE:NAME, as in mypackage.blurs:motion_blur.")
    if module.endswith(".py"):
        raise CannotRun(
            f"it must name a module as import does, and {module} is a file. Write "
            f"{module.removesuffix('.py')}:{name}."
        )
    found = calling(f"importing {module}", _imported, module)
    for part in name.split("."):
        found = calling(f"reading {name}", _member, found, part, module)
    if callable(found) and not is_operator(found):
        _refuse_parameters(name, found)
        found = calling(f"calling {name}()", found)
    arguments: tuple[Any, ...] = calling(f"reading {name}", arguments_of, found)
    return arguments


def calling(what: str, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Return what a function returns that runs code of the user's.

    Raises
    ------
    CannotRun
        If it raises; the message is one line, with the exception and its place in the user's code.
    """
    try:
        return function(*arguments, **options)
    except CannotRun:
        raise
    except (Exception, SystemExit) as error:
        raise CannotRun(_told(what, error)) from error


def _imported(module: str) -> Any:
    here = os.getcwd()
    if sys.path[0] not in (here, ""):
        sys.path.insert(0, here)
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise CannotRun(f"there is no module {error.name!r} in {here}, nor where Python looks.") from error


def _member(owner: Any, name: str, module: str) -> Any:
    if not hasattr(owner, name):
        close = get_close_matches(name, dir(owner), n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise CannotRun(f"{module} has no {name!r}.{hint}")
    return getattr(owner, name)


def _refuse_parameters(name: str, function: Callable[..., Any]) -> None:
    """Refuse a function that cannot be called without arguments."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # some functions of C do not tell
        return
    empty = inspect.Parameter.empty
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [one.name for one in parameters if one.default is empty and one.kind not in variadic]
    if needed:
        raise CannotRun(
            f"{name} needs {', '.join(needed)}. It must be {FORM}; or a function without parameters that "
            "returns one of these."
        )


def _told(what: str, error: BaseException) -> str:
    """Say in one line what was raised, and where."""
    frames = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    message = " ".join(str(error).split())
    place = _place(error)
    if not place and frames[-1].is_relative_to(_OURS):
        return message
    return f"{what} raised {type(error).__name__}{place}{message and f': {message}'}"


def _place(error: BaseException) -> str:
    """Return the innermost line of the user's own code that an exception went through, or of a package."""
    frames = [
        (Path(frame.filename), frame)
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen ")
    ]
    foreign = [
        (file, frame)
        for file, frame in frames
        if not file.is_relative_to(_OURS) and (_lies_in(file, _PACKAGES) or not _lies_in(file, _STANDARD))
    ]
    own = [(file, frame) for file, frame in foreign if not _lies_in(file, _PACKAGES)]
    if not foreign:
        return ""
    file, frame = (own or foreign)[-1]
    shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    return f" at {shown}:{frame.lineno} in {frame.name}"


def _lies_in(file: Path, folders: list[Path]) -> bool:
    return any(file.is_relative_to(folder) for folder in folders)
