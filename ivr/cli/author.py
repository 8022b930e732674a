"""`kenko-call check` and `try`: for those who write questions."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from ivr.cli.output import DEFAULT_CONFIG, AsJson, ConfigPath, print_json, word
from ivr.config import read_config
from ivr.conversation import Voice, converse
from ivr.errors import BadInput, Problem
from ivr.loading import find_problems, load_questionnaire
from ivr.messages import text
from ivr.phone import HungUp
from ivr.prompt_texts import load_texts
from ivr.questionnaire.model import Questionnaire, Turn
from ivr.questionnaire.turns import start
from ivr.terminal import TerminalPhone, scripted, typed, unrecorded


def check(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> int:
    problems: list[Problem] = []
    try:
        problems = find_problems(read_config(config))
    except BadInput as error:
        problems = list(error.problems)
    if as_json:
        print_json({"problems": [{"file": p.file, "line": p.line, "text": p.render()} for p in problems]})
    else:
        for each in problems:
            typer.echo(each.render(), err=True)
        typer.echo(text("cli.check.problems", count=len(problems)) if problems else text("cli.check.fine"))
    return 2 if problems else 0


def try_questionnaire(
    questionnaire: Annotated[Path, typer.Argument(help=text("cli.try.questionnaire"))],
    keys: Annotated[str | None, typer.Option("--keys", help=text("cli.try.keys"))] = None,
    prompts: Annotated[Path, typer.Option("--prompts", help=text("cli.try.prompts"))] = Path("prompts"),
    as_json: AsJson = False,
) -> int:
    tried, _ = load_questionnaire(questionnaire)
    texts = load_texts(prompts / f"{tried.language}.yaml")
    show = (lambda line: typer.echo(line, err=True)) if as_json else typer.echo
    answers = typed(show) if keys is None else scripted(keys, show)
    last = asyncio.run(_walk(tried, TerminalPhone("try", texts, answers, show), texts))
    session = last.session
    if as_json:
        print_json(
            {
                "status": session.status,
                "answers": {each.question: each.value for each in session.answers},
                "alerts": list(session.alerts),
                "call_wished": session.call_wished,
            }
        )
        return 0
    typer.echo()
    for answer in session.answers:
        typer.echo(f"{answer.question}: {answer.value}")
    typer.echo(text("cli.try.end", status=word("session", session.status), alerts=", ".join(session.alerts) or "-"))
    return 0


async def _walk(questionnaire: Questionnaire, phone: TerminalPhone, texts: Mapping[str, str]) -> Turn:
    last = start(questionnaire)

    async def remember(turn: Turn) -> None:
        nonlocal last
        last = turn

    voice = Voice(unrecorded(texts, questionnaire.language), questionnaire.language)
    with suppress(HungUp):
        await converse(phone, voice, questionnaire, last, remember)
    return last
