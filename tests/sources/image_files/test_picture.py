"""One picture: what its colours, depth, turning and transparency become, and what is no picture."""

from __future__ import annotations

import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from ratewarp.sources.image_files.picture import UnfitError, read_picture, without_warnings

DRAW = np.random.default_rng(0)
GREY = DRAW.integers(0, 256, (10, 12), dtype=np.uint8)
COLOUR = DRAW.integers(0, 256, (10, 12, 3), dtype=np.uint8)


def _saved(path, image, **options):
    image.save(path, **options)
    return read_picture(path)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_grey_and_colour_are_kept(tmp_path, suffix):
    np.testing.assert_array_equal(_saved(tmp_path / f"a.{suffix}", Image.fromarray(GREY)), GREY[:, :, None])
    np.testing.assert_array_equal(_saved(tmp_path / f"b.{suffix}", Image.fromarray(COLOUR)), COLOUR)


def test_jpeg_is_nearly_kept(tmp_path):
    smooth = np.linspace(0, 255, 32 * 32).reshape(32, 32).astype(np.uint8)
    read = _saved(tmp_path / "a.jpg", Image.fromarray(smooth), quality=95)
    assert read.shape == (32, 32, 1)
    assert np.abs(read[:, :, 0].astype(int) - smooth).max() < 12


def test_names_may_say_another_kind(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png", format="TIFF")
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png")[:, :, 0], GREY)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_kept(tmp_path, suffix):
    deep = DRAW.integers(0, 65536, (10, 12), dtype=np.uint16)
    read = _saved(tmp_path / f"a.{suffix}", Image.fromarray(deep))
    assert read.dtype == np.uint16
    np.testing.assert_array_equal(read[:, :, 0], deep)


def test_floats_are_kept(tmp_path):
    real = DRAW.standard_normal((10, 12)).astype(np.float32)
    read = _saved(tmp_path / "a.tif", Image.fromarray(real))
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read[:, :, 0], real)


def test_one_bit_is_black_and_white(tmp_path):
    read = _saved(tmp_path / "a.png", Image.fromarray(GREY > 100))
    np.testing.assert_array_equal(read[:, :, 0], np.where(GREY > 100, 255, 0))


def test_palettes_are_expanded(tmp_path):
    indexed = Image.fromarray(GREY % 5).convert("P")
    colours = DRAW.integers(0, 256, (256, 3), dtype=np.uint8)
    indexed.putpalette(colours.tobytes())
    np.testing.assert_array_equal(_saved(tmp_path / "a.png", indexed), colours[np.asarray(indexed)])
    indexed.putpalette(np.repeat(colours[:, :1], 3, axis=1).tobytes())
    np.testing.assert_array_equal(
        _saved(tmp_path / "b.png", indexed)[:, :, 0], colours[np.asarray(indexed), 0]
    )


def test_turned_as_exif_says(tmp_path):
    for suffix in ("png", "tif", "jpg"):
        exif = Image.Exif()
        exif[0x0112] = 6  # a quarter turn
        wide = np.zeros((16, 32), np.uint8)
        wide[:, :16] = 255
        read = _saved(tmp_path / f"a.{suffix}", Image.fromarray(wide), exif=exif)
        assert read.shape == (32, 16, 1)
        assert read[:12].mean() > 240
        assert read[20:].mean() < 15


@pytest.mark.parametrize("mode", ["LA", "RGBA", "PA"])
def test_opaque_transparency_is_dropped(tmp_path, mode):
    given = Image.fromarray(GREY if mode == "LA" else COLOUR).convert("RGBA")
    given = given.convert("RGB").quantize(8) if mode == "PA" else given.convert(mode)
    seen = np.asarray(given.convert("L" if mode == "LA" else "RGB"))
    read = _saved(tmp_path / "a.png", given, **({"transparency": b"\xff" * 8} if mode == "PA" else {}))
    np.testing.assert_array_equal(np.squeeze(read), seen)


@pytest.mark.parametrize("kind", ["LA", "RGBA", "palette", "grey", "deep"])
def test_transparent_pixels_are_refused(tmp_path, kind):
    if kind in ("LA", "RGBA"):
        image, options = Image.fromarray(GREY).convert(kind), {}
        image.putpixel((3, 3), (5, 254) if kind == "LA" else (5, 5, 5, 254))
    elif kind == "palette":
        image, options = Image.fromarray(COLOUR).quantize(8), {"transparency": 3}
    elif kind == "grey":
        image, options = Image.fromarray(GREY), {"transparency": int(GREY[2, 2])}
    else:
        image, options = Image.fromarray(GREY.astype(np.uint16)), {"transparency": int(GREY[2, 2])}
    image.save(tmp_path / "a.png", **options)
    with pytest.raises(UnfitError, match="has transparent pixels; put it on a background"):
        read_picture(tmp_path / "a.png")


def test_colours_of_sixteen_bits_are_refused(tmp_path):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(12 * 6) for _ in range(10))
    head = struct.pack(">IIBBBBB", 12, 10, 16, 2, 0, 0, 0)
    data = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(UnfitError, match="colours of 16 bits, of which 8 would be lost"):
        read_picture(tmp_path / "a.png")


def test_what_cannot_be_used_says_why(tmp_path):
    Image.fromarray(COLOUR).convert("CMYK").save(tmp_path / "cmyk.jpg")
    Image.fromarray(GREY.astype(np.int32)).save(tmp_path / "whole.tif")
    Image.fromarray(GREY).save(tmp_path / "two.tif", save_all=True, append_images=[Image.fromarray(GREY)])
    Image.fromarray(GREY).save(tmp_path / "moving.png", save_all=True, append_images=[Image.fromarray(~GREY)])
    Image.fromarray(np.zeros((10, 200), np.uint8)).save(tmp_path / "wide.png")
    Image.fromarray(np.zeros((5, 10), np.uint8)).save(tmp_path / "low.png")
    Image.fromarray(GREY).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:-60])
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "large.png").write_bytes(bytes(10**7 + 1))
    Image.fromarray(GREY).save(tmp_path / "gif.png", format="GIF")
    said = {
        "cmyk.jpg": "is of kind 'CMYK'; save it as grey or RGB",
        "whole.tif": "is of kind 'I'",
        "two.tif": "holds several images",
        "moving.png": "holds several images",
        "wide.png": "is 10 × 200 pixels; 8 to 128 pixels a side can be used",
        "low.png": "is 5 × 10 pixels",
        "cut.png": "is damaged",
        "text.png": "is no PNG, JPEG or TIFF image, whatever its name says",
        "empty.png": "is no PNG, JPEG or TIFF image",
        "gif.png": "is no PNG, JPEG or TIFF image",
        "large.png": "is larger than 10 MB",
        "none.png": "cannot be read: No such file",
    }
    for name, says in said.items():
        with pytest.raises(UnfitError, match=says):
            read_picture(tmp_path / name)


def test_a_bomb_is_refused_by_its_header(tmp_path):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    packed = zlib.compress(bytes(10**6))
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(UnfitError, match=r"60000 × 60000 pixels|is damaged .DecompressionBomb"):
        read_picture(tmp_path / "a.png")


def test_warnings_are_silent_as_long_as_one_reads():
    with without_warnings(), without_warnings():
        warnings.warn("odd", UserWarning, stacklevel=1)
    with pytest.warns(UserWarning, match="heard"):
        warnings.warn("heard", UserWarning, stacklevel=1)
