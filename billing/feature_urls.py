"""The addresses of features. Its one rule: words of their own and numbers stand before the kind's
word, which would take them for kinds.
"""

from django.urls import URLPattern, path

from billing.views import (
    feature_cancels,
    feature_changes,
    feature_settings,
    features,
    giving,
    renewals,
)

# Under /features/, /members/<id>/features/ and /me/features/, one topic after the other.
urlpatterns: list[URLPattern] = [
    path("features/renewals/", renewals.show_renewals, name="renewals"),
    path("features/", features.show_features, name="features"),
    path("features/cancel/", feature_cancels.cancel_several, name="features_cancel"),
    path("features/given/<int:pk>/", giving.show_given, name="feature_given"),
    path("features/<int:pk>/", feature_changes.show_feature, name="feature"),
    path("features/<int:pk>/change/", feature_changes.change, name="feature_change"),
    path("features/<int:pk>/cancel/", feature_changes.cancel, name="feature_cancel"),
    path("features/<int:pk>/undo/", feature_changes.undo, name="feature_undo"),
    path("features/<int:pk>/settings/", feature_settings.show_settings, name="feature_settings"),
    path("features/<int:pk>/reallocate/", feature_changes.reallocate, name="feature_reallocate"),
    path("features/<slug:slug>/give/", giving.choose_plan, name="feature_give"),
    path("features/<slug:slug>/give/period/", giving.choose_period, name="feature_give_period"),
    path("features/<slug:slug>/give/check/", giving.check, name="feature_give_check"),
    path("me/features/<int:pk>/", feature_settings.show_own_settings, name="own_feature_settings"),
    path("members/<int:pk>/features/allowed/", feature_cancels.choose_kinds, name="member_kinds"),
    path("members/<int:pk>/features/", features.show_features_of_member, name="member_features"),
    # The last under /features/: any other word would be taken for a kind.
    path("features/<slug:slug>/", features.show_kind, name="features_of_kind"),
]
