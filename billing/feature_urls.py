"""The addresses of features. Its one rule: words of their own and numbers stand before the kind's
word, which would take them for kinds.
"""

from django.urls import URLPattern

# Under /features/, /members/<id>/features/ and /me/features/, one topic after the other.
urlpatterns: list[URLPattern] = []
