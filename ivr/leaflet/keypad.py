"""Pictures of a keypad with the key to press filled."""

from reportlab.lib.colors import HexColor, white
from reportlab.platypus import Flowable

from ivr.leaflet.fonts import Fonts
from ivr.tape import KEYPAD

INK, QUIET, LINE, PRESS = HexColor("#1c2b2d"), HexColor("#8a9a9c"), HexColor("#9fb3b5"), HexColor("#b3261e")


class Keypad(Flowable):
    """A keypad of `width` points, one key of it filled."""

    def __init__(self, fonts: Fonts, pressed: str, width: float) -> None:
        super().__init__()
        self._fonts = fonts
        self._pressed = pressed
        self.width = width
        self.height = width * 4 / 3

    def wrap(self, *_: float) -> tuple[float, float]:
        """Its size, whatever there is room for."""
        return self.width, self.height

    def draw(self) -> None:
        """Draw it with its lower left corner at the origin."""
        step = self.width / 3
        for y, keys in enumerate(reversed(KEYPAD)):
            for x, key in enumerate(keys):
                self._key(key, x * step, y * step, step)

    def _key(self, key: str, x: float, y: float, step: float) -> None:
        paper, pressed = self.canv, key in self._pressed
        paper.setLineWidth(1.2 if pressed else 0.6)
        paper.setStrokeColor(PRESS if pressed else LINE)
        paper.setFillColor(PRESS if pressed else white)
        gap = step * 0.07
        paper.roundRect(x + gap, y + gap, step - 2 * gap, step - 2 * gap, step * 0.2, fill=1)
        size = step * (0.72 if pressed else 0.5)
        paper.setFillColor(white if pressed else QUIET)
        paper.setFont(self._fonts.bold, size)
        # The star of most fonts hangs at the top of its line.
        drop = size * (0.55 if key == "*" else 0.36)
        paper.drawCentredString(x + step / 2, y + step / 2 - drop, key)
