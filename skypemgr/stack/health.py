"""Whether the portal on this machine is well: `python -m skypemgr.stack.health` ends with 0 or 1.

Its one rule: it asks by a name that the portal answers to, on the address it listens on.
"""

import http.client
import sys
from http import HTTPStatus

from skypemgr.lib import env
from skypemgr.stack import services
from skypemgr.stack.process import LOOPBACK

EVERYWHERE = {"0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104


def own_name() -> str:
    """A name among ALLOWED_HOSTS, localhost where it names none."""
    names = [name for name in env.items("ALLOWED_HOSTS", "localhost") if name != "*"]
    return names[0].removeprefix(".") if names else "localhost"


def is_well() -> bool:
    """Whether /healthz says that the portal and its servers are well."""
    address = EVERYWHERE.get(services.host(), services.host())
    connection = http.client.HTTPConnection(address, services.port(), timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": own_name()})
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if is_well() else 1)
