"""Records into one self-contained HTML file.

Comes in: records.
Goes out: HTML.
May touch: the vendored chart library.
Never: compute a statistic, load anything from a network, show a row's values.
"""

from holdgood.reports.audit_report import render_audit
from holdgood.reports.compare_report import render_comparison, render_new_rows
from holdgood.reports.run_report import render_run
from holdgood.reports.view import RunView

__all__ = ["RunView", "render_audit", "render_comparison", "render_new_rows", "render_run"]
