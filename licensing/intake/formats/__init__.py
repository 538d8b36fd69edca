"""Readers of the field's own formats: a received file in, plain records out. Pure, streaming, bounded; see docs/formats.md."""
