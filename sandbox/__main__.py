"""`python -m sandbox run`: the practice network by itself, for trying things against it."""

import asyncio
import contextlib
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ivr.errors import KenkoError
from ivr.messages import text
from sandbox.install import install
from sandbox.journal import CallRecord
from sandbox.network import Network, running_network
from sandbox.script import Person, load_people
from sandbox.settings import NetworkSettings

SCENARIO = Path(__file__).with_name("scenarios") / "demo.yaml"

app = typer.Typer(add_completion=False, help=text("sandbox.help"))
out = Console(highlight=False, soft_wrap=True)


@app.callback()
def main() -> None:
    """Room for further commands beside `run`."""


@app.command(help=text("sandbox.help_run"))
def run(
    patients: Annotated[Path, typer.Option(help=text("sandbox.help_patients"))] = SCENARIO,
    base_port: Annotated[int, typer.Option(min=1024, max=64000, help=text("sandbox.help_base_port"))] = 20000,
    folder: Annotated[Path | None, typer.Option(help=text("sandbox.help_folder"))] = None,
) -> None:
    """Start both sides and tell what the carrier sees."""
    try:
        people = load_people(patients)
        home = folder or Path(tempfile.mkdtemp(prefix="kenko-"))
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_run(NetworkSettings(home, install(), base_port), people))
    except KenkoError as error:
        out.print(error.render(), markup=False, style="red")
        sys.exit(2)


async def _run(settings: NetworkSettings, people: tuple[Person, ...]) -> None:
    async with running_network(settings, people) as network:
        _tell_how(network)
        names = {each.number: each.name for each in people}
        network.carrier.watch(lambda record: _tell(record, names.get(record.number, "")))
        await asyncio.Event().wait()


def _tell_how(network: Network) -> None:
    ours = network.pbx
    values = {
        "url": ours.ari_url,
        "user": ours.user,
        "secret": ours.secret,
        "trunk": ours.trunk,
        "number": ours.inbound_number,
        "folder": network.settings.folder,
    }
    out.print(text("sandbox.running", None, **values), markup=False)


def _tell(record: CallRecord, name: str) -> None:
    what = {
        "state": text("sandbox.state_ended" if record.ended else "sandbox.state_on"),
        "time": time.strftime("%H:%M:%S"),
        "number": record.number,
        "name": name,
        "way": text("sandbox.way_in" if record.inbound else "sandbox.way_out"),
        "behaviour": record.behaviour,
        "prompts": record.prompts_heard,
        "keys": record.pressed,
    }
    out.print(text("sandbox.seen", None, **what), markup=False)


if __name__ == "__main__":
    app()
