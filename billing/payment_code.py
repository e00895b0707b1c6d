"""The square code that a bank's app reads to fill in a transfer (EPC069-12).

Its one rule: it says what the page says; where the standard does not reach there is none.
"""

from dataclasses import dataclass

from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

from billing.transfers import Instructions

CURRENCY = "EUR"
LONGEST_HOLDER = 70
MARGIN = 4


@dataclass(frozen=True, slots=True)
class Code:
    """The code as one path on a square ground of ``size`` units, its quiet margin included."""

    size: int
    path: str


def draw_code(instructions: Instructions) -> Code | None:
    """The code of a transfer in euros; None for any other currency."""
    if instructions.currency != CURRENCY:
        return None
    code: QRCode[object] = QRCode(error_correction=ERROR_CORRECT_M, border=MARGIN)
    code.add_data(write_code(instructions).encode())
    code.make(fit=True)
    matrix = code.get_matrix()
    path = "".join(
        f"M{x} {y}h1v1h-1z"
        for y, row in enumerate(matrix)
        for x, is_dark in enumerate(row)
        if is_dark
    )
    return Code(size=len(matrix), path=path)


def write_code(instructions: Instructions) -> str:
    """What the code says: version 002, UTF-8, a credit transfer with a structured reference."""
    return "\n".join(
        (
            "BCD",
            "002",
            "1",
            "SCT",
            instructions.bic,
            instructions.holder[:LONGEST_HOLDER],
            instructions.iban,
            f"{CURRENCY}{instructions.exact_amount}",
            "",
            instructions.reference,
        )
    )
