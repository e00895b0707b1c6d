"""Lists through the API."""

from members.models import Member
from tests.api.conftest import Api, refused


def test_the_api_lists_renames_archives_and_moves(
    api: Api, alice: Member, bob: Member, charlie: Member
) -> None:
    client = api(alice)
    made = client.post("lists", {"name": "Sales"}).json()["id"]
    client.post("lists", {"name": "Taken"})
    wish = {"members": [bob.pk], "list": made}
    assert client.post("members/move", wish).json() == {"moved": 1, "unchanged": 0}
    assert client.get(f"lists/{made}").json()["members_count"] == 1
    assert client.patch(f"lists/{made}", {"name": "Sellers"}).json()["name"] == "Sellers"
    refused(client.patch(f"lists/{made}", {"name": "taken"}), 422, "duplicate_list")
    balances = client.get("lists/balances").json()["results"]
    assert [(row["name"], row["balance"]) for row in balances] == [
        ("Sellers", "0.0000"),
        ("Taken", "0.0000"),
        ("", "0.0000"),
    ]
    refused(api(charlie).get(f"lists/{made}"), 404, "not_found")
    refused(api(charlie).delete(f"lists/{made}"), 404, "not_found")
    refused(api(charlie).post("members/move", wish), 422, "unknown_list")
    refused(api(bob).post("members/move", wish), 403, "not_allowed")
    refused(client.post("members/move", {"members": [bob.pk], "list": 999}), 422, "unknown_list")
    assert client.delete(f"lists/{made}").json() == {"moved": 1}
    refused(client.get(f"lists/{made}"), 404, "not_found")
    assert client.post("members/move", {"members": [bob.pk], "list": None}).json()["unchanged"] == 1
