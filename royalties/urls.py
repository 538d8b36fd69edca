"""The pages of the top floor: gathers the routes of its slices."""

from importlib.util import find_spec

from django.urls import include, path

app_name = "royalties"
urlpatterns = [
    path("", include(f"royalties.{slice_}.urls"))
    for slice_ in (
        "ledger",
        "bank",
        "billing",
        "payees",
        "entitlements",
        "distribution",
        "payouts",
        "outstanding",
        "statements",
        "reports",
    )
    if find_spec(f"royalties.{slice_}.urls")
]
urlpatterns += [path("", include("royalties.payouts.withholding_urls"))]
