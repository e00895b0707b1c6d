"""Who plays in the demo: sixty invented people in five lists, and whom they call."""

from dataclasses import dataclass

DOMAIN = "acme-demo.example"
LISTS = ("Direction", "Marketing", "Support", "Production", "Innovation")

# Calls a working day, and seconds of an ordinary call, by list.
CALLS_A_DAY = {
    "Direction": 0.7,
    "Marketing": 0.6,
    "Support": 0.9,
    "Production": 0.15,
    "Innovation": 0.25,
}
ORDINARY_SECONDS = {
    "Direction": 600,
    "Marketing": 420,
    "Support": 380,
    "Production": 240,
    "Innovation": 420,
}

# Beginnings of numbers that are reserved for fiction or plainly invented, and how often each.
DESTINATIONS = (
    ("+3319900", 5, 20),
    ("+33639980", 4, 26),
    ("+3225550", 4, 5),
    ("+32465550", 4, 3),
    ("+34915550", 4, 5),
    ("+34655550", 4, 3),
    ("+3906555", 5, 4),
    ("+39333555", 4, 3),
    ("+41445550", 4, 3),
    ("+41785550", 4, 2),
    ("+442079460", 3, 6),
    ("+447700900", 3, 5),
    ("+49305550", 4, 5),
    ("+49151555", 5, 3),
    ("+12125550", 3, 5),
    ("+15145550", 3, 2),
    ("+212522550", 3, 2),
    ("+212661550", 3, 1),
    ("+81355550", 4, 1),
)

_NAMES = """
Alice Martin|Fiona Leroy|Bruno Petit|Émile Girard|Zoé Lambert|Nadia Benali|Hugo Moreau
Inès Rousseau|Łukasz Nowak|Chloé Fontaine|Théo Mercier|Manon Chevalier|Jules Gauthier
Léa Perrin|Noah Robin|Camille Clément|Adam Morin|Sarah Nicolas|Gabriel Henry|Eva Roussel
Raphaël Mathieu|Louise Gautier|Arthur Masson|Alice Marchand|Ömer Yılmaz|Jade Duval
Maël Denis|Ambre Dumont|Nathan Marie|Lina Lemaire|Sacha Noël|Mia Meyer|Tom Dufour
Rose Meunier|Liam Brun|Anna Blanchard|Victor Giraud|Julia Joly|Ethan Rivière|Agathe Lucas
Axel Brunet|Juliette Gaillard|Paul Barbier|Alix Arnaud|Simon Martinez|Capucine Gérard
Antoine Roche|Clara Renard|Martin Schmitt|Charlotte Roy|Baptiste Leroux|Margaux Colin
Valentin Vidal|Elena Rossi|Samuel Caron|Iris Picard|Maxime Roger|Océane Fabre
Kofi Mensah|Sofía Herrera
"""


@dataclass(frozen=True)
class Person:
    """Somebody of the cast. ``joins_in`` is the month of the story in which they come."""

    name: str
    list: str
    role: str
    joins_in: int
    place: int

    @property
    def email(self) -> str:
        """The sign-in address; the place keeps two of one name apart."""
        return f"demo{self.place + 1}@{DOMAIN}"


def read_cast() -> list[Person]:
    """Everybody, the administrator first, then finance, then a member who signs in."""
    names = [
        name.strip() for line in _NAMES.split("\n") for name in line.split("|") if name.strip()
    ]
    return [_person(place, name) for place, name in enumerate(names)]


def _person(place: int, name: str) -> Person:
    special = {
        0: ("Direction", "administrator"),
        1: ("Direction", "finance"),
        2: ("Support", "member"),
    }
    weights = (
        "Support",
        "Marketing",
        "Production",
        "Support",
        "Production",
        "Innovation",
        "Production",
    )
    list_name, role = special.get(place, (weights[place % len(weights)], "member"))
    if 3 <= place <= 6:
        list_name = "Direction"
    return Person(
        name=name,
        list=list_name,
        role=role,
        joins_in=0 if place < 32 else (place - 32) // 3 + 1,
        place=place,
    )
