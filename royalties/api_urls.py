"""The API of the top floor: each slice registers its views here."""

from rest_framework.routers import SimpleRouter

from royalties.billing.api import InvoiceViewSet

router = SimpleRouter()
router.register("invoices", InvoiceViewSet, "invoice")

urlpatterns = [*router.urls]
