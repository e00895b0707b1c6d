"""``make bench``: starts servers, then measures. Its one rule: all in one run on one server."""

import os

from benchmarks.server import servers

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "skypemgr.settings"
    with servers():
        # Only now: importing it reads the settings, which read the servers' addresses.
        from benchmarks.run import main

        main()
