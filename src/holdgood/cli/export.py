"""Commands that give a model to other programs: onnx, mlflow. Heavy imports wait until a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from holdgood.cli import draw
from holdgood.cli.models import Bundle, Related
from holdgood.cli.projects import HERE, Folder
from holdgood.cli.tables import Json
from holdgood.core.errors import DeclarationError

app = typer.Typer(
    name="export",
    help="Give a model to other programs: an ONNX file, or an MLflow server.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command("onnx")
def onnx(
    bundle: Bundle,
    file: Annotated[Path, typer.Argument(help="Where the ONNX file goes.")],
    rows: Annotated[
        str | None, typer.Option("--rows", help="Rows of the main table that the two are compared on too.")
    ] = None,
    table: Related = None,
    json: Json = False,
) -> None:
    """Write a bundle's encoders and model as ONNX, compared with the bundle's own answers before it is written.

    Its inputs are the features, by their names: joins, dates and windows are made before. Exit code 1 where answers differ; features and families
    that ONNX cannot express are told by name. Needs: pip install 'holdgood[onnx]'.
    """
    from holdgood.workflow.onnx.export import export_onnx

    if table and rows is None:
        raise DeclarationError("--table without --rows", "rows to join it to", "add --rows FILE")
    done = export_onnx(bundle, file, rows=rows, related=table or ())
    if json:
        draw.as_json({**done.__dict__, "path": str(done.path), "inputs": list(done.inputs)})
        return
    draw.out.print(f"{done.path}: {len(done.inputs)} inputs, output {done.output}, {done.bytes / 1e6:.2f} MB")
    draw.out.print(
        f"largest difference from the bundle {done.worst:.2g} over {done.rows:,} reference rows (allowed {done.allowed:.2g})"
    )
    if done.left_out:
        draw.out.print(f"the file gives the prediction alone: the bundle's {done.left_out} are not in it")


@app.command("mlflow")
def mlflow(
    run_id: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="A run's number; default the newest finished one.")
    ] = None,
    to: Annotated[str, typer.Option("--to", help="The MLflow server: http://… or https://…")] = "",
    experiment: Annotated[
        str | None, typer.Option("--experiment", help="Where it goes on the server; default the project's name.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Send it again although it is there.")] = False,
    bundle: Annotated[bool, typer.Option("--bundle", help="Send the delivered model's files too.")] = False,
    register: Annotated[
        str | None, typer.Option("--register", help="Register the bundle as a version of the model of this name.")
    ] = None,
    champion: Annotated[
        bool,
        typer.Option("--champion", help="Give the registered version the alias champion; refused if it is not ready."),
    ] = False,
    project: Folder = HERE,
    json: Json = False,
) -> None:
    """Export a run to an MLflow server: parameters, metrics, trials as nested runs, report, leaderboard and card as files.

    A run that is there already is not sent again, and a bundle is registered once. Needs: pip install 'holdgood[mlflow]'.
    """
    from holdgood.workflow.export_mlflow import export_run
    from holdgood.workflow.runs import open_run

    if not to:
        raise DeclarationError("no server to export to", "its address", "add --to http://localhost:5000")
    done = export_run(
        open_run(project, run_id), to, experiment=experiment, force=force, bundle=bundle, register_as=register,
        champion=champion,
    )  # fmt: skip
    if json:
        draw.as_json(done.__dict__)
        return
    if done.again:
        draw.out.print(f"run {done.run} is there already: nothing was sent (--force sends it again)")
    else:
        draw.out.print(f"run {done.run} with {done.trials} trials: experiment {done.experiment}")
    if done.version:
        known = " (registered before)" if done.version_again else ""
        draw.out.print(f"model {done.model}, version {done.version}{known}{', champion' if champion else ''}")
    draw.out.print(done.url)
