"""`kenko-call try`, `flow` and `leaflet`: for those who write questions."""

import asyncio
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from ivr.cli.output import DEFAULT_CONFIG, AsJson, ConfigPath, print_json, word
from ivr.config import read_config
from ivr.conversation import Voice, converse
from ivr.files.saving import save_or_refuse
from ivr.flow.cards import cards_of
from ivr.flow.graphviz import check_fonts, heights_of, svg_of
from ivr.flow.page import flow_source, sizes_source
from ivr.loading import load_questionnaire
from ivr.messages import LANGUAGES, language_in_force, text
from ivr.phone import HungUp
from ivr.prompt_texts import load_texts
from ivr.prompts import Prompts
from ivr.questionnaire.model import Input, Questionnaire, Session, Turn
from ivr.questionnaire.next_call import next_call_of
from ivr.questionnaire.turns import start
from ivr.sounds import load_prompts
from ivr.tape import Tape
from ivr.terminal import TerminalPhone, scripted, typed
from ivr.walked import as_case, person_of, read_texts, to_hear


def try_questionnaire(
    questionnaire: Annotated[Path, typer.Argument(help=text("cli.try.questionnaire"))],
    keys: Annotated[str | None, typer.Option("--keys", help=text("cli.try.keys"))] = None,
    prompts: Annotated[Path, typer.Option("--prompts", help=text("cli.try.prompts"))] = Path("prompts"),
    audio: Annotated[Path | None, typer.Option("--audio", help=text("cli.try.audio"))] = None,
    repro: Annotated[bool, typer.Option("--repro", help=text("cli.try.repro"))] = False,
    fact: Annotated[list[str] | None, typer.Option("--fact", help=text("cli.try.fact"))] = None,
    last: Annotated[list[str] | None, typer.Option("--last", help=text("cli.try.last"))] = None,
    language: Annotated[str | None, typer.Option("--language", help=text("cli.try.language"))] = None,
    next_call: Annotated[
        datetime | None, typer.Option("--next-call", formats=["%Y-%m-%d %H:%M"], help=text("cli.try.next_call"))
    ] = None,
    as_json: AsJson = False,
) -> int:
    tried, _ = load_questionnaire(questionnaire)
    # Both are local times of the same place, whichever it is.
    call = next_call_of(next_call, datetime.now().date()) if next_call else None  # noqa: DTZ005
    person = person_of(tried, fact or (), last or (), language, call)
    texts = read_texts(tried, prompts)
    # What is printed for programs stands alone on standard output.
    show = (lambda line: typer.echo(line, err=True)) if as_json or repro else typer.echo
    answers = typed(show) if keys is None else scripted(keys, show)
    recordings = load_prompts(prompts).sounds if audio else {}
    tape = Tape() if audio else None
    phone = TerminalPhone("try", texts, answers, show, tape)
    turns = asyncio.run(_walk(start(tried, person), tried, phone, to_hear(tried, texts, recordings, call)))
    if repro:
        typer.echo(as_case(tried, phone.script, turns), nl=False)
    else:
        _show(turns[-1].session, as_json)
    return _write(tape, audio) if tape and audio else 0


def _show(session: Session, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "status": session.status,
                "answers": {each.question: each.value for each in session.answers},
                "alerts": list(session.alerts),
                "call_wished": session.call_wished,
            }
        )
        return
    typer.echo()
    for answer in session.answers:
        typer.echo(f"{answer.question}: {answer.value}")
    typer.echo(text("cli.try.end", status=word("session", session.status), alerts=", ".join(session.alerts) or "-"))


def _write(tape: Tape, audio: Path) -> int:
    tape.write(audio)
    typer.echo(text("cli.try.written", seconds=round(tape.seconds), file=audio), err=True)
    if tape.unrecorded:
        typer.echo(text("cli.try.unrecorded", prompts=", ".join(tape.unrecorded)), err=True)
    return 1 if tape.unrecorded else 0


async def _walk(first: Turn, questionnaire: Questionnaire, phone: TerminalPhone, prompts: Prompts) -> list[Turn]:
    turns: list[Turn] = []

    async def remember(turn: Turn, given: Input | None) -> None:
        turns.append(turn)

    with suppress(HungUp), TemporaryDirectory() as folder:
        voice = Voice(prompts, questionnaire.language)
        # What is said to this telephone is silence: nothing of it is kept.
        await converse(phone, voice, questionnaire, first, remember, lambda: Path(folder, "spoken.wav"))
        await phone.hang_up()
    return turns


def draw_flow(
    questionnaire: Annotated[Path, typer.Argument(help=text("cli.try.questionnaire"))],
    output: Annotated[Path, typer.Option("--output", "-o", help=text("cli.flow.output"))],
    prompts: Annotated[Path, typer.Option("--prompts", help=text("cli.try.prompts"))] = Path("prompts"),
) -> int:
    drawn, _ = load_questionnaire(questionnaire)
    language = language_in_force()
    cards = cards_of(drawn, read_texts(drawn, prompts), language)
    heights = heights_of(sizes_source(cards))
    check_fonts()
    save_or_refuse(output, svg_of(flow_source(drawn, cards, heights, language)).encode(), mode=None)
    typer.echo(text("cli.flow.written", file=output), err=True)
    return 0


def print_leaflet(
    output: Annotated[Path, typer.Option("--output", "-o", help=text("cli.leaflet.output"))],
    config: ConfigPath = DEFAULT_CONFIG,
    language: Annotated[str | None, typer.Option("--language", help=text("cli.leaflet.language"))] = None,
    font: Annotated[Path | None, typer.Option("--font", help=text("cli.leaflet.font"))] = None,
) -> int:
    # Only now: `check` must not wait for what makes PDFs.
    from ivr.leaflet.content import Site, leaflet_of
    from ivr.leaflet.fonts import find_fallbacks, find_fonts, register
    from ivr.leaflet.pages import pdf_of

    if language not in (None, *LANGUAGES):
        raise typer.BadParameter(", ".join(LANGUAGES))
    settings = read_config(config)
    asked, _ = load_questionnaire(settings.questionnaire)
    texts = load_texts(settings.prompts / f"{asked.language}.yaml")
    site = Site(
        centre=settings.centre.name,
        callers=settings.callers(),
        call_in=settings.pbx.inbound_numbers,
        telephone=settings.centre.telephone,
        hours=settings.centre.telephone_hours,
        slots=tuple((each.first, each.until) for each in settings.slots.values()),
        greeting=texts.get("frame/greeting", settings.centre.name),
    )
    pages = pdf_of(leaflet_of(asked, site, language or asked.language), register(*find_fonts(font), find_fallbacks()))
    save_or_refuse(output, pages, mode=None)
    typer.echo(text("cli.leaflet.written", file=output), err=True)
    if settings.centre.telephone is None:
        typer.echo(text("cli.leaflet.no_telephone", file=config), err=True)
        return 1
    return 0
