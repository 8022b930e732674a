"""One page with the same prompts in every voice, as a telephone carries them: a listener chooses, not a machine."""

import base64
import html
import io
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ivr.errors import BadInput, Problem
from ivr.messages import text
from ivr.voice.build import Progress
from ivr.voice.chain import telephone
from ivr.voice.engines import VOICES, load_engine
from ivr.voice.lint import RATE, Samples
from ivr.voice.review import read_script
from ivr.voice.script import Line

#: What is heard in an audition: long and short, a question, a number, a time, and words that are hard on a telephone.
TEN = (
    "frame/greeting",
    "frame/ready",
    "daily/opening",
    "daily/temperature",
    "value/temperature_365",
    "value/oxygen_98",
    "daily/breathless",
    "daily/consciousness",
    "time/hour_9_end",
    "daily/closing",
)


@dataclass
class Heard:
    """What there is to listen to."""

    lines: Sequence[Line]
    voices: dict[str, Mapping[str, Samples]] = field(default_factory=dict)  #: voice -> prompt id -> sound
    missing: list[Problem] = field(default_factory=list)  #: voices that are not installed here


def voices_of(language: str) -> list[str]:
    """All voices that speak a language."""
    return [voice for voice, spoken in VOICES.items() if spoken == language]


def hear(folder: Path, language: str, voices: Sequence[str], progress: Progress) -> Heard:
    """Let every voice speak the same lines. Raises BadInput if the script is wrong or there is no voice at all."""
    script = read_script(folder, language)
    chosen = [line for line in script.lines if line.prompt in TEN] or list(script.lines[: len(TEN)])
    chosen.sort(key=lambda line: TEN.index(line.prompt) if line.prompt in TEN else 0)
    heard = Heard(chosen)
    done = progress(len(voices) * len(chosen))
    for voice in voices:
        try:
            engine = load_engine(voice, script.file.words)
        except BadInput as bad:
            heard.missing += bad.problems
            continue
        sounds: dict[str, Samples] = {}
        for line in chosen:
            sounds[line.prompt] = telephone(engine.say(line.spoken), engine.rate)
            done()
        heard.voices[voice] = sounds
    if not heard.voices:
        raise BadInput(*heard.missing)
    return heard


def page(language: str, heard: Heard) -> str:
    """The page: one file that needs nothing else. A row for each voice, then each prompt in every voice."""
    names = list(heard.voices)
    parts = [
        _HEAD.format(title=html.escape(text("voice.audition.title")), about=html.escape(text("voice.audition.about")))
    ]
    for number, line in enumerate(heard.lines, 1):
        players = "".join(_player(voice, heard.voices[voice][line.prompt]) for voice in names)
        said = html.escape(line.text)
        parts.append(
            f'<section lang="{language}"><h2><b>{number}</b>{said}</h2><div class="voices">{players}</div></section>'
        )
    choose = html.escape(text("voice.audition.choose", language=language))
    parts.append(f"<footer><p>{choose}</p></footer></main><script>{_SCRIPT}</script></body></html>\n")
    return "\n".join(parts)


def _player(voice: str, samples: Samples) -> str:
    about = html.escape(text(f"voice.about.{voice}") if voice in VOICES else "")
    data = base64.b64encode(_wav(samples)).decode()
    return (
        f"<figure><figcaption><strong>{html.escape(voice)}</strong> {about}</figcaption>"
        f'<audio controls preload="none" src="data:audio/wav;base64,{data}"></audio></figure>'
    )


def _wav(samples: Samples) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


_HEAD = """<!doctype html>
<html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --line: #d8dee6; --back: #f6f7f9; --card: #fff;
  --mark: #1f6f5c; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: #e8ecf1; --soft: #a3aebb; --line: #38424e; --back: #14181d;
  --card: #1d232a; --mark: #6cc7ae; }} }}
body {{ margin: 0; background: var(--back); color: var(--ink); line-height: 1.7;
  font-family: "Noto Sans JP", "Noto Sans CJK JP", "Hiragino Sans", "Yu Gothic", sans-serif; }}
main {{ max-width: 66rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }}
h1 {{ font-size: 1.7rem; margin: 0 0 .5rem; }}
header p, footer p {{ max-width: 46rem; color: var(--soft); }}
section {{ background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.25rem 1.25rem;
  margin-top: 1.25rem; }}
h2 {{ font-size: 1.05rem; font-weight: 600; margin: 0 0 .75rem; display: flex; gap: .8rem; }}
h2 b {{ color: var(--mark); min-width: 1.4rem; text-align: right; }}
.voices {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: .9rem 1.25rem; }}
figure {{ margin: 0; }}
figcaption {{ font-size: .85rem; color: var(--soft); }}
figcaption strong {{ color: var(--ink); }}
audio {{ width: 100%; height: 2.4rem; margin-top: .2rem; }}
footer {{ margin-top: 2rem; border-top: 1px solid var(--line); }}
</style></head><body><main><header><h1>{title}</h1><p>{about}</p></header>"""

#: One at a time: two voices at once help nobody.
_SCRIPT = """document.addEventListener("play", event => {
  for (const each of document.querySelectorAll("audio")) if (each !== event.target) each.pause();
}, true);"""
