"""Members come in by a file: what becomes of each row, all or nothing, resumed work."""

import io
import time
from datetime import timedelta
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from django.core.management import call_command
from django.core.management.base import CommandError

from members.actors import Actor
from members.errors import ImportConflict, InvalidField
from members.import_columns import guess_mapping
from members.import_verdicts import RowCode, read_person
from members.import_work import advance_import, resume_imports
from members.importing import (
    check_rows,
    discard_import,
    import_rows,
    start_import,
    store_rows,
)
from members.joining import create_member
from members.mailing import send_pending_notices
from members.models import AuditEntry, ImportJob, ImportRow, Member, MemberList, Notice, User
from members.placement import placement_on
from skypemgr.lib.errors import NotAllowed, NotFound
from skypemgr.lib.periods import utc_now
from tests.conftest import make_user

DATA = Path(__file__).parent.parent / "data" / "members.csv"
HEADER = ["email", "name", "username", "phone", "list", "role", "job_title", "cost_centre"]


def stored(alice: Member, *rows: str, header: str = "email,name,username,phone,list") -> ImportJob:
    text = "\n".join((header, *rows))
    return start_import(
        actor=Actor.of_member(alice), file=io.BytesIO(text.encode()), file_name="people.csv"
    )


def checked(alice: Member, *rows: str, header: str = "email,name,username,phone,list") -> ImportJob:
    job = stored(alice, *rows, header=header)
    check_rows(actor=Actor.of_member(alice), job_id=job.pk, mapping=job.mapping)
    return advance_import(job.pk)


def codes(job: ImportJob) -> list[str]:
    return list(job.rows.order_by("line").values_list("code", flat=True))


def carried_out(alice: Member, job: ImportJob, *, all_or_nothing: bool = False) -> ImportJob:
    import_rows(actor=Actor.of_member(alice), job_id=job.pk, all_or_nothing=all_or_nothing)
    return advance_import(job.pk)


def test_exactly_the_broken_rows_of_the_sample_are_refused(alice: Member) -> None:
    with DATA.open("rb") as file:
        job = start_import(actor=Actor.of_member(alice), file=file, file_name="members.csv")
    check_rows(actor=Actor.of_member(alice), job_id=job.pk, mapping=job.mapping)
    job = advance_import(job.pk)
    refused = job.rows.exclude(code=RowCode.OK).order_by("line").values_list("line", "code")
    assert list(refused) == [
        (19, "invalid_email"),
        (48, "twice_email"),
        (77, "invalid_phone"),
        (106, "unknown_role"),
        (135, "missing_email"),
        (193, "name_too_long"),
    ]
    assert (job.rows_count, job.refused_count) == (257, 6)
    job = carried_out(alice, job)
    assert (job.state, job.imported_count) == ("done", 251)
    assert Member.objects.get(user__username="formule").name == '=HYPERLINK("x")'
    assert "@SUM(A1)" in job.new_lists


def test_an_imported_member_is_as_one_created_directly(alice: Member) -> None:
    create_member(actor=Actor.of_member(alice), email="eve@example.com", name="Eve")
    header = "E-mail;Prénom;Nom;Service;Fonction;Centre de coût;Rôle"
    row = "Dora@Example.com;Dora;Dupont;Ventes;Cook;CC1;membre"
    job = carried_out(alice, checked(alice, row, header=header))
    member = Member.objects.select_related("list", "user").get(user__email="dora@example.com")
    assert (member.name, member.role, member.job_title) == ("Dora Dupont", "member", "Cook")
    assert member.list is not None
    assert (member.list.name, member.cost_centre) == ("Ventes", "CC1")
    assert not member.user.has_usable_password()
    assert "dora" in member.search_text
    address = EmailAddress.objects.get(user=member.user)
    assert (address.primary, address.verified) == (True, False)
    placed = placement_on(member, member.company.day_at(utc_now()))
    assert placed is not None
    assert (placed.list_id, placed.cost_centre) == (member.list_id, "CC1")
    assert send_pending_notices() == 2
    assert Notice.objects.filter(member=member, mailed_at__isnull=False).count() == 1
    assert AuditEntry.objects.filter(verb="import_members", subject=f"import:{job.pk}").count() == 1


def test_each_bad_row_gets_its_verdict(alice: Member, bob: Member, charlie: Member) -> None:
    bob.user.phone, bob.user.phone_verified = "+33612311265", True
    bob.user.save(update_fields=["phone", "phone_verified"])
    make_user("lonely")
    job = checked(
        alice,
        "ok@example.com,Ok,ok.name,+33612374115,Sales",
        "BOB@example.com,Bob,,,",
        "charlie@example.com,Charlie,,,",
        "x@example.com,X,lonely,,",
        "y@example.com,Y,,06 12 31 12 65,",
        "OK@example.com,Again,,,",
        "z@example.com,Z,OK.name,,",
        "w@example.com,W,,+33612374115,",
        "v@example.com,,,,",
        "nonsense,V,,,",
        f"u@example.com,{'n' * 300},,,",
        "t@example.com,T,-x,,",
        f"s@example.com,S,,,{'l' * 81}",
        f"{'a' * 300}@example.com,R,,,",
    )
    assert codes(job) == [
        "ok",
        "duplicate_email",
        "invite_instead",
        "username_not_available",
        "duplicate_phone",
        "twice_email",
        "twice_username",
        "twice_phone",
        "missing_name",
        "invalid_email",
        "name_too_long",
        "invalid_username",
        "list_too_long",
        "invalid_email",
    ]


def test_tabs_line_breaks_and_emoji_are_names_and_nothing_more(alice: Member) -> None:
    row = '"a+b@example.com","Zoé\t🦊\nRenard",,,'
    carried_out(alice, checked(alice, row))
    assert Member.objects.get(user__email="a+b@example.com").name == "Zoé 🦊 Renard"


def test_skipping_the_bad_imports_the_rest(alice: Member) -> None:
    job = carried_out(alice, checked(alice, "a@example.com,A,,,Sales", "nonsense,B,,,"))
    assert (job.state, job.imported_count, job.refused_count) == ("done", 1, 1)
    assert codes(job) == ["imported", "invalid_email"]
    assert MemberList.objects.get().name == "Sales"


def test_all_or_nothing_is_refused_when_a_row_is(alice: Member) -> None:
    job = checked(alice, "a@example.com,A,,,", "nonsense,B,,,")
    with pytest.raises(ImportConflict):
        carried_out(alice, job, all_or_nothing=True)
    assert not User.objects.filter(email="a@example.com").exists()


def test_all_or_nothing_undoes_everything_when_a_name_was_taken_meanwhile(alice: Member) -> None:
    job = checked(alice, "a@example.com,A,,,Sales", "b@example.com,B,taken,,")
    make_user("taken")
    job = carried_out(alice, job, all_or_nothing=True)
    assert (job.state, job.imported_count, job.refused_count) == ("stopped", 0, 1)
    assert not User.objects.filter(email="a@example.com").exists()
    assert not MemberList.objects.exists()
    assert codes(job) == ["ok", "username_not_available"]


def test_a_name_taken_meanwhile_refuses_only_its_row_when_skipping(alice: Member) -> None:
    job = checked(alice, "a@example.com,A,,,", "b@example.com,B,taken,,")
    make_user("taken")
    job = carried_out(alice, job)
    assert (job.state, job.imported_count, job.refused_count) == ("done", 1, 1)


def test_a_job_whose_worker_was_lost_is_taken_up_once(alice: Member) -> None:
    job = checked(alice, *(f"p{number}@example.com,P,,," for number in range(3)))
    import_rows(actor=Actor.of_member(alice), job_id=job.pk, all_or_nothing=False)
    assert resume_imports() == 0
    ImportJob.objects.update(touched_at=utc_now() - timedelta(minutes=3))
    assert resume_imports() == 1
    assert resume_imports() == 0
    job.refresh_from_db()
    assert (job.state, job.imported_count) == ("done", 3)
    assert advance_import(job.pk).imported_count == 3


def test_rows_are_forgotten_after_thirty_days_but_not_the_counts(alice: Member) -> None:
    job = carried_out(alice, checked(alice, "a@example.com,A,,,"))
    resume_imports(now=utc_now() + timedelta(days=29))
    assert ImportRow.objects.exists()
    resume_imports(now=utc_now() + timedelta(days=31))
    assert not ImportRow.objects.exists()
    job.refresh_from_db()
    assert job.imported_count == 1


def test_columns_are_guessed_in_two_languages_and_checked(alice: Member) -> None:
    assert guess_mapping(["Courriel", "Prénom", "NOM", "Équipe", "?"]) == {
        "email": 0,
        "first_name": 1,
        "last_name": 2,
        "list": 3,
    }
    assert guess_mapping(HEADER) == {name: index for index, name in enumerate(HEADER)}
    job = stored(alice, "a@example.com,A,,,")
    actor = Actor.of_member(alice)
    for mapping in ({}, {"email": 0}, {"email": 0, "name": 0}, {"email": 0, "name": 9}):
        with pytest.raises(InvalidField):
            check_rows(actor=actor, job_id=job.pk, mapping=mapping)
    job.refresh_from_db()
    assert job.state == "mapping"


def test_only_administrators_of_the_company_import(
    alice: Member, bob: Member, fiona: Member, charlie: Member
) -> None:
    job = checked(alice, "a@example.com,A,,,")
    for member, error in ((bob, NotAllowed), (fiona, NotAllowed), (charlie, NotFound)):
        actor = Actor.of_member(member)
        with pytest.raises(error):
            import_rows(actor=actor, job_id=job.pk, all_or_nothing=False)
        with pytest.raises(error):
            discard_import(actor=actor, job_id=job.pk)
    with pytest.raises(NotAllowed):
        stored(bob, "a@example.com,A,,,")
    discard_import(actor=Actor.of_member(alice), job_id=job.pk)
    assert not ImportJob.objects.exists()


def test_an_import_is_carried_out_once(alice: Member) -> None:
    job = carried_out(alice, checked(alice, "a@example.com,A,,,"))
    actor = Actor.of_member(alice)
    with pytest.raises(ImportConflict):
        import_rows(actor=actor, job_id=job.pk, all_or_nothing=False)
    with pytest.raises(ImportConflict):
        check_rows(actor=actor, job_id=job.pk, mapping=job.mapping)
    with pytest.raises(ImportConflict):
        discard_import(actor=actor, job_id=job.pk)


def test_five_thousand_rows_take_less_than_thirty_seconds(alice: Member) -> None:
    rows = [
        (line, [f"p{line}@example.com", f"Person {line}", f"p{line:05}", "", f"L{line % 40}"])
        for line in range(2, 5_002)
    ]
    began = time.monotonic()
    job = store_rows(actor=Actor.of_member(alice), file_name="many", header=HEADER[:5], rows=rows)
    check_rows(actor=Actor.of_member(alice), job_id=job.pk, mapping=job.mapping)
    advance_import(job.pk)
    job = carried_out(alice, job, all_or_nothing=True)
    assert job.imported_count == 5_000
    assert time.monotonic() - began < 30


def test_a_row_read_for_another_country_keeps_its_number() -> None:
    read = read_person({"email": "a@b.example", "name": "A", "phone": "079 210 12 34"}, "CH")
    assert read.person is not None
    assert read.person.phone == "+41792101234"


@pytest.mark.parametrize(
    ("rows", "options", "status", "imported"),
    [
        (["a@example.com,A"], {}, 0, 1),
        (["a@example.com,A", "nonsense,B"], {}, 1, 1),
        (["a@example.com,A", "nonsense,B"], {"all_or_nothing": True}, 2, 0),
        (["nonsense,B"], {}, 2, 0),
        (["a@example.com,A"], {"dry_run": True}, 0, 0),
    ],
)
def test_the_command_tells_by_its_exit_how_it_went(
    alice: Member,
    tmp_path: Path,
    rows: list[str],
    options: dict[str, bool],
    status: int,
    imported: int,
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("\n".join(["email,name", *rows]), encoding="utf-8")
    out, err = io.StringIO(), io.StringIO()
    left = 0
    try:
        call_command("import_members", str(file), stdout=out, stderr=err, **options)
    except SystemExit as exit_:
        left = int(str(exit_.code))
    assert (left, User.objects.filter(email="a@example.com").count()) == (status, imported)
    assert ("line 3: invalid_email" in err.getvalue()) == (len(rows) == 2)


def test_the_command_refuses_what_is_no_table(alice: Member, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("email,name\n", encoding="utf-8")
    for name in (str(file), str(tmp_path / "none.csv")):
        with pytest.raises(CommandError) as caught:
            call_command("import_members", name)
        assert caught.value.returncode == 2
