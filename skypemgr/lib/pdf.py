"""Draws a table as PDF. Its one rule: whatever text comes in, a clean page comes out: a sign that
the font lacks is drawn as □, a text that is too long is wrapped, then cut.

Lengths are in millimetres, sizes of letters in points.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import IO

from fpdf import FPDF, XPos, YPos

from skypemgr.lib.pdf_signs import FONTS, drawable, font_file

MARGIN = 15.0
TOP, BOTTOM = 26.0, 16.0
SIZE, LINE, ROW_PADDING, GAP = 8.0, 3.9, 2.2, 3.0
MOST_LINES = 3
MOST_UPRIGHT_COLUMNS = 6
CHART_HEIGHT = 46.0
MOST_LABELS = 12
NARROWEST_TEXT = 22.0
WIDEST_TEXT = 90.0
POINT = 25.4 / 72
INK, MUTED, FAINT, SHADE, ACCENT = (
    (31, 41, 55),
    (107, 114, 128),
    (222, 226, 232),
    (244, 246, 249),
    (37, 99, 235),
)


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column; numbers stand at the right and are never wrapped."""

    label: str
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart; ``words`` is its value for people."""

    label: str
    value: Decimal
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars side by side in the order of time, or lying below each other with their names."""

    title: str
    bars: Sequence[Bar]
    in_time: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """What one PDF holds, all of it in words. ``strip``: labels and amounts, from the opening
    balance to the closing one. ``pages``: how a page is numbered, with ``{page}`` and ``{pages}``.
    """

    owner: str
    title: str
    subtitle: str
    heads: Sequence[Head]
    rows: Sequence[Sequence[str]]
    made: str
    made_at: datetime
    pages: str
    language: str
    empty: str
    totals: Sequence[str] | None = None
    strip: Sequence[tuple[str, str]] = ()
    chart: Chart | None = None
    notes: Sequence[str] = ()


def write_pdf(file: IO[bytes], document: Document) -> None:
    """The document is in the file."""
    paper = _Paper(document)
    paper.draw()
    file.write(bytes(paper.output()))


class _Paper(FPDF):
    """The pages, drawn from top to bottom; ``_y`` is how far it is."""

    def __init__(self, document: Document) -> None:
        upright = len(document.heads) <= MOST_UPRIGHT_COLUMNS
        super().__init__(orientation="portrait" if upright else "landscape", format="A4")
        self._document = document
        for style in FONTS:
            self.add_font("inter", style, str(font_file(style)))
        self._letters: dict[str, dict[str, float]] = {style: {} for style in FONTS}
        self._y = TOP
        self.set_auto_page_break(False)
        self.set_margin(MARGIN)
        self.set_title(drawable(f"{document.title} · {document.subtitle}"))
        self.set_author(drawable(document.owner))
        self.set_creator("Skype Manager")
        self.set_lang(document.language)
        self.set_creation_date(document.made_at)

    # --- every page ---

    def header(self) -> None:
        """The company and the report on top."""
        document = self._document
        half = self.epw * 0.6
        self._put(MARGIN, 14, self._fit(document.owner, half, 9, "B"), 9, "B", INK)
        right = f"{document.title} · {document.subtitle}"
        self._put_right(self.w - MARGIN, 14, self._fit(right, self.epw * 0.38, 8), 8, "", MUTED)
        self._rule(17.5, FAINT)
        self._y = TOP

    def footer(self) -> None:
        """When it was made, and which page of how many it is."""
        y = self.h - 9
        self._put(MARGIN, y, drawable(self._document.made), 7.5, "", MUTED)
        words = drawable(self._document.pages).replace("□", "")
        numbered = words.replace("{pages}", "{nb}").replace("{page}", str(self.page_no()))
        self._use(7.5, "", MUTED)
        # The number of pages stands in for its sign when all are drawn, and is shorter.
        spare = self._width("{nb}", 7.5, "") - self._width("00", 7.5, "")
        self.set_xy(self.w - MARGIN - 60 + spare + self.c_margin, y - 3.4)
        self.cell(60, 5, numbered, align="R", new_x=XPos.RIGHT, new_y=YPos.TOP)

    # --- from top to bottom ---

    def draw(self) -> None:
        """Everything is on its pages."""
        document = self._document
        self.add_page()
        self._put(MARGIN, self._y + 5, self._fit(document.title, self.epw, 18, "B"), 18, "B", INK)
        self._put(MARGIN, self._y + 11.5, self._fit(document.subtitle, self.epw, 10), 10, "", MUTED)
        self._y += 17
        self._draw_strip()
        if document.chart and sum(bar.value > 0 for bar in document.chart.bars) > 1:
            self._draw_chart(document.chart)
        self._draw_table()
        for note in document.notes:
            for line in self._wrap(note, self.epw, SIZE, "", 4):
                self._make_room(LINE)
                self._put(MARGIN, self._y + 3, line, SIZE, "", MUTED)
                self._y += LINE
            self._y += 1

    def _draw_strip(self) -> None:
        strip = self._document.strip
        if not strip:
            return
        wide = (self.epw - GAP * (len(strip) - 1)) / len(strip)
        for place, (label, amount) in enumerate(strip):
            x = MARGIN + place * (wide + GAP)
            self.set_fill_color(*SHADE)
            self.rect(x, self._y, wide, 15, style="F", round_corners=True, corner_radius=1.5)
            inside = wide - 6
            self._put(x + 3, self._y + 5.5, self._fit(label, inside, 7.5), 7.5, "", MUTED)
            size = 11.0
            while size > 7 and self._width(drawable(amount), size, "B") > inside:
                size -= 0.5
            self._put(x + 3, self._y + 11.5, self._fit(amount, inside, size, "B"), size, "B", INK)
        self._y += 21

    def _draw_chart(self, chart: Chart) -> None:
        self._put(MARGIN, self._y + 3, self._fit(chart.title, self.epw, 9, "B"), 9, "B", INK)
        self._y += 7
        highest = max(bar.value for bar in chart.bars)
        shares = [float(max(bar.value, Decimal(0)) / highest) for bar in chart.bars]
        if chart.in_time:
            self._draw_standing(chart, shares)
        else:
            self._draw_lying(chart, shares)
        self._y += 6

    def _draw_standing(self, chart: Chart, shares: Sequence[float]) -> None:
        step = self.epw / len(shares)
        wide = min(step * 0.7, 14.0)
        high, base = CHART_HEIGHT - 10, self._y + CHART_HEIGHT - 6
        every = -(-len(shares) // MOST_LABELS)
        for place, (bar, share) in enumerate(zip(chart.bars, shares, strict=True)):
            x = MARGIN + step * place + (step - wide) / 2
            self._bar(x, base - high * share, wide, high * share)
            middle = x + wide / 2
            if place % every == 0:
                label = self._fit(bar.label, step * every, 6.5)
                self._put_middle(middle, base + 4, label, 6.5, "", MUTED)
            if share == 1 or len(shares) <= MOST_LABELS:
                words = drawable(bar.words) if bar.value else ""
                half = self._width(words, 6.5, "") / 2
                middle = min(max(middle, MARGIN + half), self.w - MARGIN - half)
                self._put_middle(middle, base - high * share - 1.2, words, 6.5, "", INK)
        self._rule(base, FAINT)
        self._y += CHART_HEIGHT

    def _draw_lying(self, chart: Chart, shares: Sequence[float]) -> None:
        named = max(self._width(drawable(bar.label), 7.5, "") for bar in chart.bars)
        named = min(named, self.epw * 0.3) + GAP
        told = max(self._width(drawable(bar.words), 7.5, "") for bar in chart.bars) + GAP
        longest = self.epw - named - told
        for bar, share in zip(chart.bars, shares, strict=True):
            label = self._fit(bar.label, named - GAP, 7.5)
            self._put(MARGIN, self._y + 3.4, label, 7.5, "", INK)
            self._bar(MARGIN + named, self._y + 0.7, longest * share, 3.6)
            words = drawable(bar.words)
            self._put(MARGIN + named + longest * share + 1.5, self._y + 3.4, words, 7.5, "", MUTED)
            self._y += 5.4

    def _draw_table(self) -> None:
        document = self._document
        rows = [[drawable(cell) for cell in row] for row in document.rows]
        totals = [drawable(cell) for cell in document.totals or ()]
        widths = self._column_widths(rows, totals)
        self._make_room(24)
        self._draw_heads(widths)
        for row in rows:
            self._draw_row(row, widths)
        if not rows:
            self._put(MARGIN + 1, self._y + 6, drawable(document.empty), SIZE, "", MUTED)
            self._y += 10
        elif totals:
            self._rule(self._y, INK)
            self._draw_row(totals, widths, "B")
        self._y += 4

    def _draw_heads(self, widths: Sequence[float]) -> None:
        labels = [
            self._wrap(head.label, width, 7.5, "B", MOST_LINES)
            for head, width in zip(self._document.heads, widths, strict=True)
        ]
        high = max(len(lines) for lines in labels) * LINE + ROW_PADDING
        self.set_fill_color(*SHADE)
        self.rect(MARGIN, self._y, self.epw, high, style="F")
        self._draw_cells(labels, widths, 7.5, "B", MUTED)
        self._y += high

    def _draw_row(self, row: Sequence[str], widths: Sequence[float], style: str = "") -> None:
        lines = [
            [cell] if head.is_number else self._wrap(cell, width, SIZE, style, MOST_LINES)
            for cell, head, width in zip(row, self._document.heads, widths, strict=True)
        ]
        high = max(len(cell) for cell in lines) * LINE + ROW_PADDING
        if self._make_room(high):
            self._draw_heads(widths)
        self._draw_cells(lines, widths, SIZE, style, INK)
        self._y += high
        self._rule(self._y, FAINT)

    def _draw_cells(
        self,
        cells: Sequence[Sequence[str]],
        widths: Sequence[float],
        size: float,
        style: str,
        colour: tuple[int, int, int],
    ) -> None:
        self._use(size, style, colour)
        x = MARGIN + 1
        for lines, head, width in zip(cells, self._document.heads, widths, strict=True):
            y = self._y + LINE
            for line in lines:
                left = x + width - self._width(line, size, style) if head.is_number else x
                if line:
                    self.text(left, y, line)
                y += LINE
            x += width + GAP

    def _column_widths(
        self, rows: Sequence[Sequence[str]], totals: Sequence[str]
    ) -> Sequence[float]:
        """Numbers have what they need; texts share what is left, nobody less than is legible."""
        heads = self._document.heads
        wanted = []
        for place, head in enumerate(heads):
            cells = max((self._width(row[place], SIZE, "") for row in rows), default=0.0)
            total = self._width(totals[place], SIZE, "B") if totals else 0.0
            words = drawable(head.label).split() or [""]
            label = max(self._width(word, 7.5, "B") for word in words)
            if head.is_number:
                wanted.append(max(cells, total, label) + 0.2)
            else:
                longest = self._width(drawable(head.label), 7.5, "B")
                wanted.append(min(max(cells, total, longest) + 0.2, WIDEST_TEXT))
        room = self.epw - 2 - GAP * (len(heads) - 1)
        texts = [place for place, head in enumerate(heads) if not head.is_number]
        short = sum(wanted) - room
        while short > 0.01 and texts:
            # The widest give first, down to the next one, until it fits or all are narrow.
            widest = max(wanted[place] for place in texts)
            givers = [place for place in texts if wanted[place] == widest]
            below = max((wanted[place] for place in texts if wanted[place] < widest), default=0.0)
            given = min(widest - max(below, NARROWEST_TEXT), short / len(givers))
            if given <= 0:
                break
            for place in givers:
                wanted[place] -= given
            short -= given * len(givers)
        if short < 0 and wanted:
            wanted = [own - short / len(wanted) for own in wanted]
        return wanted

    # --- pieces ---

    def _make_room(self, high: float) -> bool:
        """A new page has begun where the present one has no room for that."""
        if self._y + high <= self.h - BOTTOM:
            return False
        self.add_page()
        self._y = TOP
        return True

    def _bar(self, x: float, y: float, wide: float, high: float) -> None:
        if wide > 0 and high > 0:
            self.set_fill_color(*ACCENT)
            self.rect(x, y, wide, high, style="F")

    def _rule(self, y: float, colour: tuple[int, int, int]) -> None:
        self.set_draw_color(*colour)
        self.set_line_width(0.2)
        self.line(MARGIN, y, self.w - MARGIN, y)

    def _use(self, size: float, style: str, colour: tuple[int, int, int]) -> None:
        self.set_font("inter", "B" if style else "", size)
        self.set_text_color(*colour)

    def _put(
        self, x: float, y: float, text: str, size: float, style: str, colour: tuple[int, int, int]
    ) -> None:
        if text:
            self._use(size, style, colour)
            self.text(x, y, text)

    def _put_right(
        self, x: float, y: float, text: str, size: float, style: str, colour: tuple[int, int, int]
    ) -> None:
        self._put(x - self._width(text, size, style), y, text, size, style, colour)

    def _put_middle(
        self, x: float, y: float, text: str, size: float, style: str, colour: tuple[int, int, int]
    ) -> None:
        self._put(x - self._width(text, size, style) / 2, y, text, size, style, colour)

    def _width(self, text: str, size: float, style: str) -> float:
        letters = self._letters[style]
        try:
            units = sum([letters[sign] for sign in text])
        except KeyError:
            font = self.fonts["interB" if style else "inter"]
            for sign in text:
                letters[sign] = font.get_text_width(sign, 1000, None)[1]
            units = sum([letters[sign] for sign in text])
        return units * size * POINT / 1000

    def _fit(self, text: str, width: float, size: float, style: str = "") -> str:
        """The text, or its beginning with … where it is too long."""
        shown = drawable(text)
        if self._width(shown, size, style) <= width:
            return shown
        while shown and self._width(f"{shown}…", size, style) > width:
            shown = shown[:-1]
        return f"{shown.rstrip()}…"

    def _wrap(self, text: str, width: float, size: float, style: str, most: int) -> list[str]:
        """The text in lines, broken between words where that works, cut after the last line."""
        rest = drawable(text)
        lines: list[str] = []
        while rest and self._width(rest, size, style) > width and len(lines) < most - 1:
            end = 1
            while end < len(rest) and self._width(rest[: end + 1], size, style) <= width:
                end += 1
            blank = rest.rfind(" ", 1, end + 1)
            at = blank if blank > end // 3 else end
            lines.append(rest[:at].rstrip())
            rest = rest[at:].lstrip()
        return [*lines, self._fit(rest, width, size, style)]
