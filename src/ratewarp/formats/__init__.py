"""Files of arrays in every common format, read as data: nothing is executed, no other file followed."""

from ratewarp.formats.content import Content

__all__ = ["Content"]
