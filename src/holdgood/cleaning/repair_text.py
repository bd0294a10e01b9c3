"""repair-text: spaces at the ends, broken encoding, invisible signs and other damage to text is mended, by named rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pyarrow as pa

from holdgood.cleaning.cells import entry, only_known, some_columns
from holdgood.cleaning.replace_values import rewritten
from holdgood.core.errors import DeclarationError, did_you_mean
from holdgood.core.records.cleaning import RepairEntry
from holdgood.core.table import Table
from holdgood.core.text import RULES, counted, mend


class RepairText:
    """Parameter: ``rules``, a list of the kinds of damage to mend (see ``core/text.py``); default all of them."""

    name: ClassVar[str] = "repair-text"
    title: ClassVar[str] = "damaged text is mended"

    def apply(self, table: Table, columns: Sequence[str], parameters: Mapping[str, Any]) -> tuple[Table, RepairEntry]:
        """Mend each distinct text once; a text of which nothing is left stays an empty text."""
        only_known(self.name, parameters, ("rules",))
        some_columns(self.name, columns)
        rules = parameters.get("rules", list(RULES))
        if not isinstance(rules, (list, tuple)) or not rules:
            raise DeclarationError(
                f"{self.name}: rules = {rules!r}", "a list of: " + ", ".join(RULES), 'write rules = ["edges"]'
            )
        for rule in rules:
            if rule not in RULES:
                raise DeclarationError(
                    f"{self.name}: unknown rule {rule!r}",
                    "one of: " + ", ".join(RULES),
                    did_you_mean(str(rule), list(RULES)) or "take it out",
                )
        out, cells = table, 0
        for column in dict.fromkeys(columns):
            kind = out.data.schema.field(column).type
            if not pa.types.is_string(kind):
                raise DeclarationError(f"{self.name}: column {column!r} holds {kind}", "texts", "leave it as it is")
            texts = out.data.column(column).unique().drop_null().to_pylist()
            mended = {t: m for t in texts if (m := mend(t, rules)) != t}
            if mended:
                out, changed = rewritten(out, column, mended)
                cells += changed
        sentence = f"{', '.join(rules)}: {counted(cells, 'cell')} mended"
        return out, entry(self.name, table, columns, parameters, cells, sentence)


REPAIR = RepairText()
"""The repair that is registered."""
