"""Which encoder a candidate gets for what it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from holdgood.core.errors import DeclarationError, did_you_mean
from holdgood.core.protocols import Transformer
from holdgood.features.encode.codes import CodesEncoder
from holdgood.features.encode.dense import DenseEncoder

ENCODERS: Mapping[str, Callable[[], Transformer]] = {"codes": CodesEncoder, "dense": DenseEncoder}


def encoder_for(needs: str, crossed: bool = False) -> Transformer:
    """A fresh encoder: ``codes`` for trees and boosters (``crossed``: with columns made of two), ``dense`` for linear models.

    >>> encoder_for("codes").part
    'codes-encoder'
    """
    if needs not in ENCODERS:
        raise DeclarationError(
            f"no encoder for a model that needs {needs!r}",
            "one of: " + ", ".join(ENCODERS),
            did_you_mean(needs, ENCODERS) or "change the family's needs",
        )
    return CodesEncoder(crossed=True) if crossed and needs == "codes" else ENCODERS[needs]()
