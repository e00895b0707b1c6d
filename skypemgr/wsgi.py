"""The WSGI entry point. Its one rule: all is loaded before the first request comes."""

import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skypemgr.settings")

application = get_wsgi_application()
import_module(settings.ROOT_URLCONF)
# What is loaded stays: a full round of the garbage collector would look through it for a tenth of a
# second, amid some request.
gc.freeze()
