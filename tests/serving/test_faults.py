"""The door in this process: a journal that is away, full or slow, workers that are busy, a shadow that fails, settings that are refused."""

import asyncio
import json

import pytest

from holdgood.core.errors import DeclarationError, EnvironmentFault
from holdgood.journal import Journal
from holdgood.serving import tokens
from holdgood.serving.limits import Limits
from holdgood.serving.server import Settings, door


class Fickle:
    """Opens a journal, unless it is away."""

    def __init__(self):
        self.away = True

    def __call__(self, where):
        if self.away:
            raise EnvironmentFault("the database does not answer", "one that does", "start it")
        return Journal(where)


def test_a_journal_that_is_away_is_said_so_and_found_again(within, job_rows, tmp_path):
    fickle = Fickle()

    async def scenario(ask, desk):
        status, told, headers = await ask("POST", "/predict", {"row": job_rows[0], "id": "a"})
        assert status == 503 and "does not answer" in told["error"] and b"retry-after" in headers
        assert (await ask("GET", "/readyz"))[1] == {"ready": False, "why": ["the journal is away"]}
        fickle.away = False
        assert (await ask("POST", "/predict", {"row": job_rows[0], "id": "a"}))[0] == 200
        assert (await ask("GET", "/readyz"))[0] == 200

    within(scenario, opened=fickle)
    assert Journal(tmp_path / "journal.sqlite").prediction("jobs", "a") is not None


def test_a_journal_that_came_back_is_found_without_a_row(within, monkeypatch):
    """A load balancer that asks /readyz sends no row to who says that the journal is away."""
    monkeypatch.setattr("holdgood.serving.upkeep._SEEK", 0.01)
    fickle = Fickle()

    async def scenario(ask, desk):
        await asyncio.sleep(0.1)
        assert (await ask("GET", "/readyz"))[1] == {"ready": False, "why": ["the journal is away"]}
        fickle.away = False
        for _ in range(3000):
            if (await ask("GET", "/readyz"))[0] == 200:
                break
            await asyncio.sleep(0.01)
        assert (await ask("GET", "/readyz"))[1] == {"ready": True, "why": []}

    within(scenario, opened=fickle)


def test_a_write_that_fails_is_refused_and_the_next_one_goes_through(within, job_rows, monkeypatch):
    from holdgood.journal.sqlite_store import SqliteStore

    opened = SqliteStore.open
    full = [True]

    def opening(self):
        session = opened(self)
        if full[0]:
            monkeypatch.setattr(
                session,
                "append",
                lambda *_: (_ for _ in ()).throw(EnvironmentFault("disk full", "room", "free some")),
                raising=False,
            )
        return session

    monkeypatch.setattr(SqliteStore, "open", opening)

    async def scenario(ask, desk):
        assert (await ask("POST", "/predict", {"row": job_rows[0]}))[0] == 503
        full[0] = False
        assert (await ask("POST", "/predict", {"row": job_rows[0]}))[0] == 200

    within(scenario)


def test_without_a_required_journal_answers_are_counted(within, job_rows):
    async def scenario(ask, desk):
        status, told, _ = await ask("POST", "/predict", {"row": job_rows[0]})
        assert status == 200 and "probability" in told
        assert b"holdgood_unjournalled_total 1.0" in desk.metrics.text()

    within(scenario, opened=Fickle(), journal_required=False)


def test_too_much_that_waits_is_told_to_come_again(within, job_rows):
    async def scenario(ask, desk):
        writer = desk.recorder._writer
        writer._count, writer._most = 10, 10  # a disk that has stopped
        status, _, headers = await ask("POST", "/predict", {"row": job_rows[0]})
        assert status == 503 and headers[b"retry-after"] == b"1"
        writer._count = 0
        desk.workers._most = 0
        assert (await ask("POST", "/predict", {"rows": job_rows}))[0] == 503
        assert (await ask("POST", "/predict", {"row": job_rows[0]}))[0] == 200

    within(scenario)


def test_late_answers_of_the_journal_are_given_up(within, job_rows, monkeypatch):
    monkeypatch.setattr("holdgood.serving.recorder._PATIENCE", -1.0)

    async def scenario(ask, desk):
        writer = desk.recorder._writer
        writer._change.acquire()  # the disk has stopped
        try:
            waiter = asyncio.get_running_loop().create_future()
            desk.recorder._waiting.append((0.0, [waiter]))
            desk.recorder.give_up_late()
            with pytest.raises(EnvironmentFault, match="in time"):
                await waiter
        finally:
            writer._change.release()

    within(scenario)


def test_answers_of_one_turn_of_the_loop_are_handed_in_together_and_their_requests_counted(within, job_rows):
    async def scenario(ask, desk):
        handed = []
        real = desk.recorder._writer.hand_in_announced
        desk.recorder._writer.hand_in_announced = lambda some, settle: handed.append(len(some)) or real(some, settle)
        found = await asyncio.gather(
            *(ask("POST", "/predict", {"row": job_rows[0], "id": f"g{i % 5}"}) for i in range(6))
        )
        assert [f[0] for f in found] == [200] * 6 and handed[0] == 6
        assert sum(bool(f[1].get("repeated")) for f in found) == 1
        for _ in range(2):  # what was told once is not told twice
            page = desk.metrics.text().decode().splitlines()
            assert 'holdgood_requests_total{route="/predict",status="200"} 6.0' in page
            assert 'holdgood_request_seconds_bucket{le="+Inf",route="/predict"} 6.0' in page
            assert 'holdgood_request_seconds_count{route="/predict"} 6.0' in page
        desk.metrics.seconds.add("/predict", 0.004)
        desk.metrics.seconds.add("/x", 0.0041)
        page = desk.metrics.text().decode().splitlines()
        told = [line for line in page if line.startswith("holdgood_request_seconds_") and "/x" in line]
        assert [line.rpartition(" ")[2] for line in told] == ["0.0"] * 4 + ["1.0"] * 12 + ["1.0", "0.0041"]

    within(scenario)


def test_each_token_has_its_rate(within, job_rows):
    async def scenario(ask, desk):
        found = [(await ask("POST", "/predict", {"row": job_rows[0]})) for _ in range(8)]
        assert {f[0] for f in found} == {200, 429}
        refused = next(f for f in found if f[0] == 429)
        assert int(refused[2][b"retry-after"]) >= 1
        assert (await ask("GET", "/healthz"))[0] == 200

    within(scenario, limits=Limits(rate=0.5))


def test_a_fault_of_ours_is_told_in_general_words(within, job_rows, monkeypatch, capsys):
    async def scenario(ask, desk):
        scorer = desk.models.get("").champion.rows()
        monkeypatch.setattr(scorer, "_score", lambda cells: (_ for _ in ()).throw(RuntimeError(f"secret {cells}")))
        status, told, _ = await ask("POST", "/predict", {"row": job_rows[0]})
        assert status == 500 and "secret" not in json.dumps(told)

    within(scenario)
    log = capsys.readouterr().err
    assert '"fault":"RuntimeError"' in log and "secret" not in log


def test_a_shadow_that_fails_is_not_heard(within, live_of, tmp_path, job_rows, monkeypatch):
    live_of(tmp_path / "live", {("champion", None): {}, ("shadow", None): {"seed": 1}})

    async def scenario(ask, desk):
        shadow = desk.models.get("jobs").shadow
        monkeypatch.setattr(shadow.scorer, "rows", lambda *_: (_ for _ in ()).throw(RuntimeError("broken")))
        assert (await ask("POST", "/predict", {"row": job_rows[0]}))[0] == 200
        desk.shadows.close()
        assert b'holdgood_shadow_faults_total{model="jobs"} 1.0' in desk.metrics.text()

    within(scenario, what=(str(tmp_path / "live"),))


def test_joined_tables_of_the_server_or_of_the_request(within, bundles, tmp_path, job_rows):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(
        pa.table({"at": ["2024-01-01T00:00:00"], "rain": [2.0], "kind": ["red"]}), tmp_path / "weather.parquet"
    )
    row = {**job_rows[0], "kind": "red"}
    related = {"weather": [{"at": "2024-01-01T00:00:00", "rain": 2.0, "kind": "red"}]}
    what = (str(bundles(join=True)),)
    found = []

    async def without(ask, desk):
        status, told, _ = await ask("POST", "/predict", {"row": row})
        assert status == 422 and "joins weather" in told["error"]
        assert '"related": {"TABLE"' in told["do"] and "whoever starts the server adds --table" in told["do"]
        found.append((await ask("POST", "/predict", {"row": row, "related": related}))[1]["probability"])

    async def by_server(ask, desk):
        found.append((await ask("POST", "/predict", {"row": row}))[1]["probability"])
        pq.write_table(
            pa.table({"at": ["2024-01-01T00:00:00"], "rain": [9.0], "kind": ["red"]}), tmp_path / "weather.parquet"
        )
        assert (await ask("POST", "/admin/reload"))[0] == 200
        assert desk.models.get("").champion.scorer.others["weather"].data.column("rain").to_pylist() == [9.0]

    within(without, what=what)
    within(by_server, what=what, tables=(f"weather={tmp_path / 'weather.parquet'}",))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"host": "0.0.0.0", "open_": True}, "no tokens on"), ({"host": "0.0.0.0"}, "without a name"), ({"tables": ("weather",)}, "NAME=FILE"),
        ({"tokens": None}, "no living token"),
    ],
)  # fmt: skip
def test_settings_that_are_refused(bundles, tmp_path, more, said, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tokens.new(tmp_path / "t.json", roles=["predict"], name="ann")
    with pytest.raises(DeclarationError, match=said):
        door(Settings(**{"what": (str(bundles()),), "tokens": tmp_path / "t.json", **more}))


def test_tables_that_a_promoted_model_joins_are_known(bundles, tmp_path):
    from holdgood.cli.live import _joined
    from holdgood.workflow.live.folder import Live

    live = Live.create(tmp_path / "live")
    assert _joined(live.path, live.keep(bundles(join=True)).digest) == ["weather"]
    assert _joined(live.path, live.keep(bundles()).digest) == []
