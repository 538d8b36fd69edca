"""Where conflicts over shares lie."""

from django.urls import path

from licensing.disputes.pages import acting, looking

urlpatterns = [
    path("disputes/", looking.disputes, name="disputes"),
    path("disputes/terms/", acting.terms, name="dispute_terms"),
    path("disputes/of-share/<int:share_id>/", acting.raise_dispute, name="dispute_new"),
    path("disputes/<int:dispute_id>/", looking.dispute, name="dispute"),
    path("disputes/<int:dispute_id>/document/", looking.document, name="dispute_document"),
    path("disputes/<int:dispute_id>/evidence/<int:party_id>/", looking.evidence, name="dispute_evidence"),
    path("disputes/<int:dispute_id>/propose/", acting.propose, name="dispute_propose"),
    path("disputes/<int:dispute_id>/agree/", acting.agree, name="dispute_agree"),
    path("disputes/<int:dispute_id>/object/", acting.object_to, name="dispute_object"),
    path("disputes/<int:dispute_id>/withdraw/", acting.withdraw, name="dispute_withdraw"),
    path("disputes/<int:dispute_id>/ask-decision/", acting.ask_decision, name="dispute_ask_decision"),
    path("disputes/<int:dispute_id>/decide/", acting.decide, name="dispute_decide"),
]
