"""``make bench``: starts servers, then measures. Its one rule: all in one run on one server.

``--quick`` takes a tenth of the sizes. Sections can be named: transfers, allocations, calls,
members, features, sweeps, renewals, reports.
"""

import os
import sys

from benchmarks.server import servers

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "skypemgr.settings"
    with servers():
        # Only now: importing it reads the settings, which read the servers' addresses.
        from benchmarks.run import main

        main(sys.argv[1:])
