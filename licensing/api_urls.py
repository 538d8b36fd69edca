"""The API of the middle floor: each slice registers its views here."""

from rest_framework.routers import SimpleRouter

from licensing.licences.api import LicenceViewSet
from licensing.tariffs.api import TariffViewSet

router = SimpleRouter()
router.register("tariffs", TariffViewSet, "tariff")
router.register("licences", LicenceViewSet, "licence")

urlpatterns = [*router.urls]
