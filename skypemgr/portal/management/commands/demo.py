"""``demo``: a company of sixty with fourteen months behind it, and three logins."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from members.models import Company
from members.notices import count_as_told
from skypemgr.lib.periods import utc_now
from skypemgr.portal.demo.features import fill_catalogue
from skypemgr.portal.demo.setting import find_demo, set_passwords, set_scene
from skypemgr.portal.demo.story import MONTHS, Story


class Command(BaseCommand):
    """Makes the demo company once; told again it only repeats the logins."""

    help = "Make a demo company with a history; prints its logins."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--if-empty", action="store_true", help="only where there is no company yet"
        )

        parser.add_argument(
            "--months", type=int, default=MONTHS, help="of history, the current one included"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """The demo company is there, up to now at the time it was made."""
        if settings.PRODUCTION:
            raise CommandError("The demo company is not for production.")
        if "sandbox" not in settings.GATEWAYS:
            raise CommandError("The demo company buys through the sandbox: add it to GATEWAYS.")
        begun = find_demo()
        if options["if_empty"] and begun is None and Company.objects.exists():
            return
        file = Path(settings.VAR_DIR) / "demo.json"
        logins = _known_logins(file, begun.company_id) if begun else []
        if not logins:
            # What a power cut takes is told again by the next start.
            with connection.cursor() as cursor:
                cursor.execute("SET synchronous_commit TO off")
            fill_catalogue()
            scene = set_scene()
            Story(scene, utc_now(), months=options["months"]).tell()
            logins = set_passwords(scene)
            count_as_told(scene.company, now=utc_now())
            _write(file, {"company": scene.company.pk, "logins": logins})
        for login in logins:
            self.stdout.write(f"{login['role']}: {login['login']} / {login['password']}")


def _known_logins(file: Path, company_id: int) -> list[dict[str, str]]:
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    logins: list[dict[str, str]] = known["logins"] if known.get("company") == company_id else []
    return logins


def _write(file: Path, content: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(content, indent=2), encoding="utf-8")
    draft.chmod(0o600)
    draft.replace(file)
