"""Images of one's own: files and folders of them, opened, read as they are asked for, and looked at."""

from ratewarp.sources.image_files.image_set import ImageSet
from ratewarp.sources.image_files.opening import open_images

__all__ = ["ImageSet", "open_images"]
