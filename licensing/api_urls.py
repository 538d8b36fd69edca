"""The API of the middle floor: each slice registers its views here."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from licensing.declarations.api import DeclarationViewSet
from licensing.licences.api import LicenceViewSet
from licensing.permissions.api.checks import PermissionCheckView
from licensing.repertoire.api import WorkViewSet
from licensing.tariffs.api import TariffViewSet

router = SimpleRouter()
router.register("works", WorkViewSet, "work")
router.register("tariffs", TariffViewSet, "tariff")
router.register("licences", LicenceViewSet, "licence")
router.register("declarations", DeclarationViewSet, "declaration")

urlpatterns = [path("permissions/check/", PermissionCheckView.as_view(), name="permission-check"), *router.urls]
