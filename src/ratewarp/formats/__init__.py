"""Files of arrays in every common format, read as data: nothing in them is executed, and no other file is followed."""

from ratewarp.formats.content import Content

__all__ = ["Content"]
