"""Every kind of notice can be mailed."""

import pytest
from django.template.loader import get_template

from members.notices import NoticeKind


@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("part", ["subject.txt", "txt", "html"])
def test_every_kind_of_notice_has_a_mail(kind: NoticeKind, part: str) -> None:
    assert get_template(f"emails/{kind}.{part}")
