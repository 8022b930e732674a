"""`leaflet`: the card as a file, from questionnaire and settings."""

from pathlib import Path

import pytest
from pypdf import PdfReader

from ivr.leaflet import fonts
from tests.cli.conftest import Command


def test_the_card_of_the_example_site(command: Command, folder: Path) -> None:
    code, _, err = command("leaflet", "-o", str(folder / "card.pdf"))
    assert code == 0
    assert "card.pdf" in err
    text = "".join(each.extract_text() for each in PdfReader(folder / "card.pdf").pages)
    for part in ("050-0000-0100", "03-1000-0123", "平日 8時30分", "こちらは、さくら保健所です。", "体温計がない"):
        assert part in text
    assert command("leaflet", "-o", str(folder / "card.pdf"), "--language", "en")[0] == 0
    assert "Press 1 when you are ready" in PdfReader(folder / "card.pdf").pages[0].extract_text()


def test_without_a_number_of_staff_it_is_made_and_a_person_is_told(command: Command, folder: Path) -> None:
    config = folder / "config.yaml"
    lines = [each for each in config.read_text(encoding="utf-8").splitlines() if "telephone" not in each]
    config.write_text("\n".join(lines), encoding="utf-8")
    code, _, err = command("leaflet", "-o", str(folder / "card.pdf"))
    assert code == 1
    assert "centre.telephone" in err
    assert (folder / "card.pdf").exists()


def test_wrong_input(command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = str(folder / "card.pdf")
    config = folder / "config.yaml"
    good = config.read_text(encoding="utf-8")
    config.write_text(good.replace('"03-1000-0123"', '"ask us"'), encoding="utf-8")
    code, _, err = command("leaflet", "-o", card)
    assert code == 2
    assert "03-1000-0123" in err
    config.write_text(good, encoding="utf-8")
    for arguments in (
        (),
        ("-o", str(folder / "none" / "card.pdf")),
        ("-o", card, "--font", "none.ttf"),
        ("-o", card, "--language", "xx"),
    ):
        code, out, err = command("leaflet", *arguments)
        assert (code, out) == (2, "")
        assert err
        assert "Traceback" not in err
    monkeypatch.setattr(fonts, "_FOLDERS", ())
    monkeypatch.setattr(fonts.find_fonts, "__defaults__", ((),))
    code, _, err = command("leaflet", "-o", card)
    assert code == 2
    assert "fonts-morisawa-bizud-gothic" in err
    assert not Path(card).exists()
