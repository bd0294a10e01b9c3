"""The check of a LightGBM model text before the library sees it.

LightGBM trusts its own text: a wrong child index, list length or tree size makes it read outside its memory or abort
the process. So every number that is used as an index or a length is looked at here first. Only what a tabular booster
needs is allowed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise

from holdgood.core.errors import BundleError

MAX_BYTES = 512 * 1024 * 1024
END = "end of trees\n"
_HEADER = {
    "version",
    "num_class",
    "num_tree_per_iteration",
    "label_index",
    "max_feature_idx",
    "objective",
    "feature_names",
}
_HEADER |= {"feature_infos", "tree_sizes"}
_INTEGERS = re.compile(r"-?\d{1,9}(?: -?\d{1,9})*")
_NUMBER = r"-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
_NUMBERS = re.compile(rf"{_NUMBER}(?: {_NUMBER})*")
_THRESHOLDS = re.compile(
    rf"(?:{_NUMBER}|-?inf)(?: (?:{_NUMBER}|-?inf))*"
)  # infinite: everything present goes to one side
_CATEGORICAL = 1
_NODE_LISTS = ("split_feature", "threshold", "decision_type", "left_child", "right_child")
_IGNORED = {
    "split_gain",
    "leaf_weight",
    "leaf_count",
    "internal_value",
    "internal_weight",
    "internal_count",
    "shrinkage",
}
_USED = {"num_leaves", "num_cat", "leaf_value", "is_linear", "cat_boundaries", "cat_threshold", *_NODE_LISTS}


def check(text: str, *, columns: int, per_iteration: int, objectives: tuple[str, ...]) -> int:
    """Look at a whole model text; return its number of trees.

    ``columns`` features, ``per_iteration`` trees a round, ``objectives`` the allowed values of the objective line
    ("" for none).
    Raises BundleError with the first thing that does not fit.
    """
    if len(text) > MAX_BYTES:
        raise _bad(f"{len(text):,} characters", f"at most {MAX_BYTES:,}")
    if not text.isascii() or "\0" in text or not text.startswith("tree\n") or not text.endswith(END):
        raise _bad("no LightGBM model text, or a cut one", "plain text from 'tree' to 'end of trees'")
    head, *trees = text[: -len(END)].split("Tree=")
    header = _fields(head.removeprefix("tree\n"), _HEADER, set(), "header")
    sizes = _integers(header.get("tree_sizes", ""), "tree_sizes")
    if sizes != [len("Tree=") + len(t) for t in trees]:
        raise _bad("tree sizes that are not the lengths of the trees", "the sizes of all trees")
    if len(trees) % per_iteration:
        raise _bad(f"{len(trees)} trees", f"a multiple of {per_iteration}")
    asked = {"version": "v4", "num_class": str(per_iteration), "num_tree_per_iteration": str(per_iteration)}
    asked |= {"label_index": "0", "max_feature_idx": str(columns - 1)} | neutral(columns)
    for key, value in asked.items():
        if header.get(key) != value:
            raise _bad(f"{key} = {header.get(key, '')[:40]!r}", value[:40])
    if header.get("objective", "") not in objectives:
        raise _bad(f"objective {header.get('objective', '')!r}", " or ".join(map(repr, objectives)))
    for number, tree in enumerate(trees):
        first, _, rest = tree.partition("\n")
        if first != str(number):
            raise _bad(f"a tree numbered {first[:20]!r}", str(number))
        _check_tree(_fields(rest, _USED, _IGNORED, f"tree {number}"), columns, f"tree {number}")
    return len(trees)


def neutral(columns: int) -> dict[str, str]:
    """Header lines that scoring does not need, without names and extremes of the training rows."""
    return {
        "feature_names": " ".join(f"Column_{i}" for i in range(columns)),
        "feature_infos": " ".join(["[0:1]"] * columns),
    }


def scoring_only(text: str, columns: int) -> str:
    """LightGBM's own text without parameters, constraints and importances, its header neutral."""
    lines = text[: text.index(END)].split("\n")
    first_tree = lines.index("Tree=0")
    for number, line in enumerate(lines[:first_tree]):
        key = line.partition("=")[0]
        lines[number] = f"{key}={neutral(columns)[key]}" if key in neutral(columns) else line
    kept = [line for line in lines[:first_tree] if not line.startswith("monotone_constraints=")]
    return "\n".join(kept + lines[first_tree:]) + END


def joined(texts: Sequence[str], factors: Sequence[float]) -> str:
    """One model whose raw score is the sum of several, each of whose leaves is multiplied by its factor.

    The texts have the same header but for their trees, as those of one learner on the same columns have.
    """
    blocks: list[str] = []
    for text, factor in zip(texts, factors, strict=True):
        for tree in text[: -len(END)].split("Tree=")[1:]:
            lines = tree.split("\n")
            for number, line in enumerate(lines):
                if line.startswith("leaf_value="):
                    values = line.removeprefix("leaf_value=").split(" ")
                    lines[number] = "leaf_value=" + " ".join(repr(float(v) * factor) for v in values)
            blocks.append("\n".join([f"Tree={len(blocks)}", *lines[1:]]))
    head = texts[0].split("Tree=", 1)[0].split("\n")
    sizes = "tree_sizes=" + " ".join(str(len(b)) for b in blocks)
    header = "\n".join(sizes if line.startswith("tree_sizes=") else line for line in head)
    return header + "".join(blocks) + END


def _bad(came: str, expected: str) -> BundleError:
    return BundleError(f"a model text with {came}", expected, "the bundle is damaged or was not written by holdgood")


def _fields(block: str, used: set[str], ignored: set[str], where: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in block.rstrip("\n").split("\n"):  # LightGBM stops reading a block at an empty line
        key, equals, value = line.partition("=")
        if not equals or key in found or (key not in used and key not in ignored):
            raise _bad(f"the line {line[:40]!r} in its {where}", "each known line once")
        # Not used for scoring, but LightGBM parses it with the lengths of the used ones.
        if (key in ignored and not (_NUMBERS.fullmatch(value) or value == "")) or (key == "shrinkage" and " " in value):
            raise _bad(f"{key} in its {where} that is no list of numbers", "numbers")
        found[key] = value
    return found


def _integers(value: str, where: str) -> list[int]:
    if value == "":
        return []
    if not _INTEGERS.fullmatch(value):
        raise _bad(f"{where} that is no list of whole numbers", "whole numbers")
    return [int(v) for v in value.split(" ")]


def _floats(value: str, where: str, allowed: re.Pattern[str] = _NUMBERS) -> list[float]:
    if not allowed.fullmatch(value):
        raise _bad(f"{where} that is no list of numbers", "numbers")
    return [float(v) for v in value.split(" ")]


def _check_tree(field: dict[str, str], columns: int, where: str) -> None:
    leaves, categories = _integers(field.get("num_leaves", ""), where), _integers(field.get("num_cat", ""), where)
    if len(leaves) != 1 or len(categories) != 1 or leaves[0] < 1 or categories[0] < 0 or field.get("is_linear") != "0":
        raise _bad(
            f"{where} without counts of leaves and categories, or with linear leaves", "both counts, constant leaves"
        )
    n, cats = leaves[0], categories[0]
    values = _floats(field.get("leaf_value", ""), where)
    if len(values) != n or not all(map(math.isfinite, values)):
        raise _bad(f"{where} whose leaf values are not {n} finite numbers", f"{n} leaf values")
    for key, value in field.items():
        if (
            key in _IGNORED
            and key != "shrinkage"
            and n > 1
            and value.count(" ") + 1 != (n if key.startswith("leaf") else n - 1)
        ):
            raise _bad(f"{where} with {value.count(' ') + 1} of {key}", "as many as leaves or nodes")
    if n == 1:
        if any(field.get(key) for key in (*_NODE_LISTS, "cat_boundaries", "cat_threshold")) or cats:
            raise _bad(f"{where} of one leaf with nodes", "no node")
        return
    features, kinds, left, right = (
        _integers(field.get(k, ""), where) for k in ("split_feature", "decision_type", "left_child", "right_child")
    )
    thresholds = _floats(field.get("threshold", ""), where, _THRESHOLDS)
    if not all(len(v) == n - 1 for v in (features, kinds, left, right, thresholds)):
        raise _bad(f"{where} of {n} leaves with lists of other lengths", f"{n - 1} of each")
    if min(features) < 0 or max(features) >= columns:
        raise _bad(f"{where} that splits on column {max(features)}", f"columns 0 to {columns - 1}")
    # A child lies behind its node (so there is no circle), and every node and leaf hangs in the tree exactly once.
    below = left + right
    if any(0 <= c <= i % (n - 1) for i, c in enumerate(below)) or sorted(below) != [*range(-n, 0), *range(1, n - 1)]:
        raise _bad(f"{where} whose children do not make a tree", "each node and leaf once, behind its parent")
    if min(kinds) < 0 or max(kinds) > 11:
        raise _bad(f"{where} with decision types {min(kinds)} to {max(kinds)}", "0 to 11")
    _check_categories(field, cats, [t for t, k in zip(thresholds, kinds, strict=True) if k & _CATEGORICAL], where)


def _check_categories(field: dict[str, str], cats: int, used: list[float], where: str) -> None:
    bounds, words = _integers(field.get("cat_boundaries", ""), where), field.get("cat_threshold", "")
    if cats == 0:
        if used or bounds or words:
            raise _bad(f"{where} with category splits that it does not count", "none")
        return
    if not re.fullmatch(r"\d{1,10}(?: \d{1,10})*", words) or max(int(w) for w in words.split(" ")) >= 2**32:
        raise _bad(f"{where} whose category sets are no 32-bit words", "32-bit words")
    rising = len(bounds) == cats + 1 and bounds[0] == 0 and all(a < b for a, b in pairwise(bounds))
    if not rising or bounds[-1] != words.count(" ") + 1:
        raise _bad(f"{where} whose category sets do not fit their bounds", f"{cats} sets")
    if any(not math.isfinite(t) or t != int(t) or not 0 <= t < cats for t in used):
        raise _bad(f"{where} with a split on an unknown category set", f"sets 0 to {cats - 1}")
