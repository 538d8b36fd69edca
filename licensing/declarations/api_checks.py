"""What checks found out about a declaration, as programs read it: questions, what is reported twice, the difference."""

from __future__ import annotations

from rest_framework import serializers

from licensing.declarations.models import Change, Difference, Overlap, Question


class QuestionSerializer(serializers.ModelSerializer[Question]):
    """A question with its answer. A `serious` one holds back acceptance until the society settles it or accepts."""

    question = serializers.IntegerField(source="pk")

    class Meta:
        model = Question
        fields = [
            "question", "code", "about", "severity", "detail", "status", "asked_at", "answer", "answered_at", "settlement",
            "settled_at",
        ]  # fmt: skip


class OverlapSerializer(serializers.ModelSerializer[Overlap]):
    """Another declaration of the firm that reports some of the same use. `units` are this one's, by unit."""

    declaration = serializers.IntegerField(source="other_id")
    units = serializers.DictField(child=serializers.CharField())

    class Meta:
        model = Overlap
        fields = ["declaration", "works", "rows", "lines", "units"]


class DifferenceSerializer(serializers.ModelSerializer[Difference]):
    """How many works (unmatched identifiers included) an amendment adds, removes and changes; `rows` are listed apart."""

    declaration = serializers.IntegerField(source="old_id", help_text="the one that it supersedes")

    class Meta:
        model = Difference
        fields = ["declaration", "works_added", "works_removed", "works_changed", "rows"]


class ChangeSerializer(serializers.ModelSerializer[Change]):
    """One row that an amendment adds, removes or changes. `work` is the society's reference."""

    work = serializers.CharField(source="work.ref", allow_null=True, default=None)
    title = serializers.CharField(source="work.title", allow_null=True, default=None)
    units_before = serializers.SerializerMethodField()
    units_after = serializers.SerializerMethodField()

    class Meta:
        model = Change
        fields = [
            "change", "work", "title", "scheme", "value", "kind", "use", "unit", "used_on", "status", "basis",
            "units_before", "units_after", "lines_before", "lines_after",
        ]  # fmt: skip

    def get_units_before(self, change: Change) -> int:
        return int(change.units_before)

    def get_units_after(self, change: Change) -> int:
        return int(change.units_after)
