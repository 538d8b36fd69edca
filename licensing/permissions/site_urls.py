"""Where the pages of sites lie, and the public documents in the formats that machines read."""

from django.urls import path

from licensing.permissions.pages import handing_in, outputs, sites

urlpatterns = [
    path("sites/", sites.site_list, name="sites"),
    path("sites/new/", sites.site_new, name="site_new"),
    path("sites/hand-in/", handing_in.signal_hand_in, name="signal_hand_in"),
    path("sites/<int:site_id>/", sites.site, name="site"),
    path("sites/<int:site_id>/read/", sites.site_read, name="site_read"),
    path("sites/<int:site_id>/mark/", sites.site_mark, name="site_mark"),
    path("sites/<int:site_id>/take-back/", sites.site_take_back, name="site_take_back"),
    path("sites/<int:site_id>/outputs/", outputs.site_outputs, name="site_outputs"),
    path("sites/signals/<int:signal_id>/raw", sites.signal_raw, name="signal_raw"),
    path("works/<int:work_id>/outputs/", outputs.work_outputs, name="work_outputs"),
    path("members/<int:holder_id>/outputs/", outputs.holder_outputs, name="holder_outputs"),
    # Public, at addresses that stay.
    path(".well-known/tdmrep.json", outputs.own_tdmrep, name="own_tdmrep"),
    path("signals/sites/<str:host>/<str:document>", outputs.site_document, name="site_document"),
    path("signals/works/<str:society>/<path:work_ref>/<str:document>", outputs.work_document, name="work_document"),
    path(
        "signals/holders/<str:society>/<path:holder_ref>/<str:document>",
        outputs.holder_document,
        name="holder_document",
    ),
]
