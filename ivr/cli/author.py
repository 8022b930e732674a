"""`kenko-call check` and `try`: for those who write questions."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from ivr.cli.output import DEFAULT_CONFIG, AsJson, ConfigPath, print_json, word
from ivr.config import read_config
from ivr.conversation import Voice, converse
from ivr.errors import BadInput, Problem
from ivr.loading import load_questionnaire, prepare
from ivr.messages import text
from ivr.phone import HungUp
from ivr.prompt_texts import load_texts
from ivr.questionnaire.model import Questionnaire, Turn
from ivr.questionnaire.turns import start
from ivr.terminal import TerminalPhone, scripted, typed, unrecorded


def check(
    questionnaire: Annotated[Path | None, typer.Argument(help=text("cli.check.questionnaire"))] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> int:
    problems: list[Problem] = []
    try:
        settings = read_config(config)
        prepare(settings.model_copy(update={"questionnaire": questionnaire}) if questionnaire else settings)
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
    texts = _texts(tried, prompts)
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


def _texts(questionnaire: Questionnaire, prompts: Path) -> Mapping[str, str]:
    """What is said, in the questionnaire's language; in its others under `en:frame/ready`."""
    texts = dict(load_texts(prompts / f"{questionnaire.language}.yaml"))
    for language in questionnaire.languages:
        if language != questionnaire.language:
            others = load_texts(prompts / f"{language}.yaml")
            texts |= {f"{language}:{prompt}": said for prompt, said in others.items()}
    return texts


async def _walk(questionnaire: Questionnaire, phone: TerminalPhone, texts: Mapping[str, str]) -> Turn:
    last = start(questionnaire)

    async def remember(turn: Turn) -> None:
        nonlocal last
        last = turn

    own, *others = dict.fromkeys((questionnaire.language, *questionnaire.languages))
    voice = Voice(unrecorded(texts, own, *others), own)
    names = count(1)
    with suppress(HungUp), TemporaryDirectory() as folder:
        # What is said to this telephone is silence: nothing of it is kept.
        await converse(phone, voice, questionnaire, last, remember, lambda: Path(folder) / f"rec-{next(names)}.wav")
    return last
