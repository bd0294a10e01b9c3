"""Places that change while callers ask: an id is answered once whoever stood where, and a place that fails keeps nobody else from moving."""

import io
import re

import pyarrow as pa
import pytest

from holdgood.core.errors import MissingExtra
from holdgood.core.records import Prediction
from holdgood.serving import standing
from holdgood.workflow.live.folder import Live
from holdgood.workflow.live.promotion import promote, retire, roll_back


@pytest.fixture
def live(tmp_path, live_of):
    live_of(tmp_path / "live", {("champion", None): {}, ("canary", 0.99): {"seed": 1}})
    return Live.open(tmp_path / "live")


def test_an_id_that_a_canary_answered_is_not_answered_anew_by_the_champion(within, live, job_rows):
    async def scenario(ask, desk):
        first = (await ask("POST", "/predict", {"row": job_rows[0], "id": "a"}))[1]
        retire(live, "jobs", "canary", by="ann", why="the trial has ended")
        assert (await ask("POST", "/admin/reload"))[0] == 200
        again = (await ask("POST", "/predict", {"row": job_rows[0], "id": "a"}))[1]
        assert again == first | {"repeated": True}

    within(scenario, what=(str(live.path),))
    assert len(live.journal.entries("prediction")) == 1


def test_a_stream_is_the_champions_in_journal_and_metrics_too_whatever_share_a_canary_has(within, live, job_rows):
    table, sink = pa.Table.from_pylist(job_rows[:8]), io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)

    async def scenario(ask, desk):
        assert (await ask("POST", "/predict", {"rows": job_rows[:8]}))[0] == 200
        more = {"raw": sink.getvalue(), "content_type": "application/vnd.apache.arrow.stream"}
        assert (await ask("POST", "/predict", headers=((b"idempotency-key", b"s"),), **more))[0] == 200
        page = desk.metrics.text().decode()
        assert 'place="canary"' in page  # the rows alone
        told = re.findall(r'holdgood_rows_total{model="jobs",place="champion",verdict="\w+"} (\S+)', page)
        assert sum(map(float, told)) >= 8

    within(scenario, what=(str(live.path),))
    champion = live.at("jobs").bundle_digest
    kept = [p for _, p in live.journal.read(Prediction) if p.id.startswith("s/")]
    assert {(p.place, p.bundle_digest) for p in kept} == {("champion", champion)} and len(kept) == 8


def test_a_shadow_that_cannot_be_loaded_keeps_no_champion_from_moving(within, live, bundles, job_rows, monkeypatch):
    shadow = promote(live, bundles(seed=3), "jobs", place="shadow", by="ann", why="a look")
    load = standing.load

    def without_its_library(folder, *rest):
        if folder.name == shadow.bundle_digest:
            raise MissingExtra.named("boost", "xgboost", "this model")
        return load(folder, *rest)

    monkeypatch.setattr(standing, "load", without_its_library)

    async def scenario(ask, desk):
        promote(live, bundles(seed=4), "jobs", by="ann", why="better", overrule=True)
        back = roll_back(live, "jobs", by="ann", why="complaints")
        promote(live, bundles(seed=5), "jobs", by="ann", why="better", overrule=True)
        newest = roll_back(live, "jobs", by="ann", why="complaints", to=live.standing("jobs")[0].replaces)
        assert (await ask("POST", "/admin/reload"))[0] == 200
        served = desk.models.get("jobs")
        assert served.champion.digest == newest.bundle_digest == back.bundle_digest
        assert served.shadow is None and "shadow" in (await ask("GET", "/readyz"))[1]["why"][0]

    within(scenario, what=(str(live.path),))
