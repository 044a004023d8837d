"""What "auto" stands for, and what it says about it."""

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convops import Conv, ConvGeometry
from convops.apply import METHODS, Choice, choose, refusal, worth_no_thought
from convops.apply import choose as _
from convops.operators import map as map_module
from oracles import Array
from registry import CASES, FLOATS, Case, cases, inputs_for, weights_for
