"""Bundles as ONNX: for each family the same answers as the bundle's own scorer, gaps, unseen levels and wild numbers included."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import holdgood as hg
from holdgood.core.chain import Chain
from holdgood.core.errors import DataError, HoldgoodError, MissingExtra
from holdgood.core.frame import Feature, Frame
from holdgood.core.protocols import FitContext
from holdgood.core.task import Task
from holdgood.features.encode.codes import CodesEncoder
from holdgood.features.encode.crosses import Cross
from holdgood.features.encode.dense import DenseEncoder
from holdgood.models.tabular import additive, forest, lightgbm, linear, prior, tree, xgboost
from holdgood.models.tabular.mlp import Mlp
from holdgood.models.tabular.mlp_network import Network
from holdgood.models.tabular.piecewise import Pieces
from holdgood.models.tabular.standard import moments, standardised
from holdgood.training.calibrated import Calibrated, Recalibration
from holdgood.training.ensemble import Ensemble
from holdgood.workflow.onnx import encoders, scorers
from holdgood.workflow.onnx.export import EXACT, SINGLE, export_onnx, reference, rows_as_inputs
from holdgood.workflow.onnx.graph import Graph
from holdgood.workflow.onnx.runtime import answers

TASKS = {
    "binary": Task(kind="binary", classes=(0, 1)),
    "multiclass": Task(kind="multiclass", classes=(0, 1, 2)),
    "regression": Task(kind="regression", metric="rmse"),
}
MANY = [f"town {i}" for i in range(90)]
FEATURES = (
    Feature("a", "number"), Feature("skewed", "number"), Feature("steady", "number"), Feature("kind", "category"),
    Feature("town", "category"),
)  # fmt: skip


def frame_of(n=400, seed=0):
    rng = np.random.default_rng(seed)
    columns = [rng.normal(size=n).round(2), rng.lognormal(0, 3, n), np.full(n, 2.0)]
    columns += [rng.choice(np.array(["x", "y", "", "z z"], object), n), rng.choice(np.array(MANY, object), n)]
    for column in (columns[0], columns[1]):
        column[rng.random(n) < 0.1] = np.nan
    for column in columns[3:]:
        column[rng.random(n) < 0.1] = None
    return Frame(FEATURES, tuple(columns))


def outcome(frame, task, seed=0):
    rng = np.random.default_rng(seed)
    signal = np.nan_to_num(frame.arrays[0]) + (frame.arrays[3] == "x") + rng.normal(size=len(frame)) / 2
    if task.kind == "regression":
        return 100 + 20 * signal
    return np.digitize(signal, [0.3, 1.0][: task.n_classes - 1]).astype(float)


def fitted(family, encoder, task, seed=0, **parameters):
    """A chain as a bundle holds it: fitted, written to parts, and read back."""
    frame = frame_of(seed=seed)
    chain = Chain(encoder(), family.make(parameters))
    chain.fit(frame, outcome(frame, task), None, FitContext(task=task, seed=seed, threads=1))
    return Chain.from_parts(chain.to_parts())


def exported(scorer):
    graph = Graph()
    missing = encoders.MISSING_BESIDE_EMPTY
    inputs = encoders.Features(graph, FEATURES, missing)
    raw = graph.model({"out": (scorers.written(scorer, inputs), ["rows", None])}, {})
    names = [f.name for f in inputs.used]
    return lambda rows: answers(raw, rows_as_inputs(rows, names, missing), "out", len(rows)), graph.single


def same(scorer, rows, score=None, single=False):
    expected = scorer.predict(rows).reshape(len(rows), -1)
    got = (score or exported(scorer)[0])(rows)
    worst = np.abs(got - expected).max()
    assert worst <= (SINGLE if single else EXACT) * max(1.0, np.abs(expected).max()), worst


FAMILIES = {
    "prior": (prior.FAMILY, CodesEncoder, {}),
    "linear": (linear.FAMILY, DenseEncoder, {}),
    "linear-spline": (linear.FAMILY, DenseEncoder, {"pieces": 6}),
    "tree": (tree.FAMILY, CodesEncoder, {}),
    "forest": (forest.FAMILY, CodesEncoder, {}),
    "additive": (additive.FAMILY, CodesEncoder, {"pairs": 2}),
    "lightgbm": (lightgbm.FAMILY, CodesEncoder, {}),
    "xgboost": (xgboost.FAMILY, CodesEncoder, {}),
}


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_answers_as_the_bundle_does(name, task):
    family, encoder, parameters = FAMILIES[name]
    scorer = fitted(family, encoder, TASKS[task], **parameters)
    score, single = exported(scorer)
    assert not single
    same(scorer, frame_of(300, seed=7), score)
    same(scorer, reference(frame_of(64, seed=8)), score)


@pytest.mark.parametrize("pieces", [0, 5])
@pytest.mark.parametrize("task", TASKS)
def test_a_network_answers_as_the_bundle_does_in_32_bits(task, pieces):
    """Its arrays are drawn: the scorer is what is exported, and training is another matter."""
    rng = np.random.default_rng(0)
    frame, task = frame_of(), TASKS[task]
    encoder = DenseEncoder()
    x = encoder.fit_transform(frame, outcome(frame, task), FitContext(task=task)).values
    model = Mlp()
    model.kind, (model.center, model.unit) = task.kind, moments(x)
    z = standardised(x, model.center, model.unit)
    model.pieces = Pieces.learn(z, pieces, 40) if pieces else Pieces.none()
    model.scale = np.array([100.0, 20.0, 60.0, 140.0])
    inputs, outputs = x.shape[1] + len(model.pieces), task.n_classes if task.kind == "multiclass" else 1
    shapes = [(3, inputs), (inputs, 8), (8,), (8, 8), (8,), (3, outputs, 8), (3, outputs)]
    model.network = Network(*(rng.normal(size=s).astype(np.float32) for s in shapes))
    scorer = Chain(encoder, model)
    score, single = exported(scorer)
    assert single
    same(scorer, frame_of(200, seed=7), score, single=True)
    same(scorer, reference(frame_of(64, seed=8)), score, single=True)


@pytest.fixture(scope="module")
def mixed():
    """An ensemble of families with two encoders, recalibrated."""
    task = TASKS["binary"]
    members = [fitted(*FAMILIES[n][:2], task, **FAMILIES[n][2]) for n in ("linear", "lightgbm", "additive")]
    return Calibrated(Ensemble(members, [0.5, 0.3, 0.2]), Recalibration("platt", np.array([1.3, -0.2])))


@pytest.fixture(scope="module")
def mixed_onnx(mixed):
    return exported(mixed)[0]


number = st.one_of(st.just(np.nan), st.floats(-1e300, 1e300), st.sampled_from([0.0, -0.0, 1e-300, 2.0]))
text = st.one_of(st.none(), st.sampled_from(["x", "y", "", "z z", *MANY[:3], "é", "x "]), st.text(max_size=3))


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(number, number, number, text, text), min_size=1, max_size=5))
def test_any_row_gets_the_same_answer(rows, mixed, mixed_onnx):
    columns = [np.array([r[i] for r in rows], float if i < 3 else object) for i in range(5)]
    rows = Frame(FEATURES, tuple(columns))
    if any(
        v is not None and ("\x00" in v or any(0xD800 <= ord(c) < 0xE000 for c in v)) for a in columns[3:] for v in a
    ):
        return  # no text of a table
    same(mixed, rows, mixed_onnx)


@pytest.mark.parametrize(
    ("task", "method", "numbers"),
    [
        ("binary", "temperature", [1.7]),
        ("multiclass", "temperature", [0.6]),
        ("binary", "isotonic", [[0.0, 0.2, 0.5, 1.0], [0.05, 0.1, 0.1, 0.9]]),
        ("binary", "isotonic", [[0.3, 0.6], [0.0, 1.0]]),
    ],
)
def test_recalibrated_chances(task, method, numbers):
    inner = fitted(linear.FAMILY, DenseEncoder, TASKS[task])
    same(Calibrated(inner, Recalibration(method, np.array(numbers))), reference(frame_of(64, seed=8)))


# -- bundles


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"x": rng.normal(size=300), "kind": rng.choice(["a", "b", None], 300)})
    data["late"] = data.x + (data.kind == "a") + rng.normal(size=300) / 2 > 0.5
    folder = tmp_path_factory.mktemp("onnx")
    more = {"budget": {"trials": 1, "workers": 1, "models": ["linear"]}}
    return hg.run(data, "late", declaration=more, project=folder).bundle, data.drop(columns="late"), folder


def test_a_bundle_is_written_with_what_its_user_must_know(made, tmp_path):
    import onnx

    bundle, data, _ = made
    data.to_csv(tmp_path / "rows.csv", index=False)
    done = export_onnx(bundle, tmp_path / "m.onnx", rows=str(tmp_path / "rows.csv"))
    assert done.worst <= done.allowed == EXACT
    assert done.rows > 300
    about = {p.key: p.value for p in onnx.load(done.path).metadata_props}
    assert about["holdgood.task"] == "binary"
    assert json.loads(about["holdgood.classes"]) == ["False", "True"]
    assert {i["name"] for i in json.loads(about["holdgood.inputs"])} == set(done.inputs)
    model = hg.load(bundle)
    assert about["holdgood.bundle"] == model.manifest.digest
    frame = model.frame(model.table_of(data), {})
    got = answers(done.path.read_bytes(), rows_as_inputs(frame, done.inputs, ""), "probability", len(data))[:, 0]
    np.testing.assert_allclose(got, model.chain.predict(frame), rtol=0, atol=EXACT)


def test_features_may_be_called_as_values_of_the_graph_are(tmp_path):
    rng = np.random.default_rng(0)
    data = pd.DataFrame({n: rng.normal(size=120) for n in ("n0", "c0", "_n1", "probability")})
    data["late"] = data.n0 + data.c0 > 0.3
    more = {"budget": {"trials": 1, "workers": 1, "models": ["linear"]}}
    done = export_onnx(hg.run(data, "late", declaration=more, project=tmp_path).bundle, tmp_path / "m.onnx")
    assert (set(done.inputs), done.output) == ({"n0", "c0", "_n1", "probability"}, "probability_")
    assert done.worst <= EXACT


def test_answers_that_differ_are_not_written(made, tmp_path, monkeypatch):
    monkeypatch.setattr("holdgood.workflow.onnx.export.answers", lambda *_: 0.5)
    with pytest.raises(HoldgoodError, match="answers otherwise") as caught:
        export_onnx(made[0], tmp_path / "m.onnx")
    assert caught.value.exit_code == 1
    assert not (tmp_path / "m.onnx").exists()


def test_columns_made_of_two_are_refused_by_name(made, tmp_path, monkeypatch):
    crossed = CodesEncoder()
    crossed.crosses = (Cross("ratio", "n0", "n1"),)
    monkeypatch.setattr("holdgood.workflow.onnx.export.scorers.parts_of", lambda _: ([crossed], []))
    with pytest.raises(DataError, match="1 column made of two: n0 / n1"):
        export_onnx(made[0], tmp_path / "m.onnx")


def test_free_text_and_foreign_families_are_refused_by_name(made, tmp_path, monkeypatch):
    monkeypatch.setattr("holdgood.workflow.onnx.export.encoders.refused", lambda _: ["note", "remark"])
    with pytest.raises(DataError, match="2 features of free text: note, remark"):
        export_onnx(made[0], tmp_path / "m.onnx")
    monkeypatch.setattr("holdgood.workflow.onnx.export.scorers.refused", lambda _: ["catboost"])
    with pytest.raises(DataError, match="holds catboost"):
        export_onnx(made[0], tmp_path / "m.onnx")


def test_what_is_refused_is_found_in_real_parts():
    rng = np.random.default_rng(0)
    words = np.array([" ".join(rng.choice(["one", "two", "six", "ten", "red"], 6)) for _ in range(200)], object)
    frame = Frame((Feature("a", "number"), Feature("note", "text")), (rng.normal(size=200), words))
    context = FitContext(task=TASKS["binary"], seed=0, threads=1)
    for encoder in (CodesEncoder, DenseEncoder):
        chain = Chain(encoder(), linear.FAMILY.make({}))
        chain.fit(frame, (frame.arrays[0] > 0).astype(float), None, context)
        assert encoders.refused(chain.encoder) == ["note"]
        assert scorers.refused(chain) == []


def test_without_the_libraries_the_extra_is_named(made, tmp_path, monkeypatch):
    import sys

    for library in ("onnxruntime", "onnx"):
        monkeypatch.setitem(sys.modules, library, None)
        with pytest.raises(MissingExtra, match=r"holdgood\[onnx\]"):
            export_onnx(made[0], tmp_path / "m.onnx")
