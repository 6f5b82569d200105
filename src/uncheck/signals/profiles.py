"""Colour profiles and gamma of picture files: what is measured is what is displayed."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

#: The gamma that sRGB and nearly all files have, and how near to it others count as that.
USUAL_GAMMA = 0.45455
NEAR = 0.02


def displayed(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """Return a picture of 8 bits in sRGB, and what was converted; as it is where there is nothing to convert.

    Converted is what has an embedded profile other than sRGB, or a PNG with another gamma. A profile that
    cannot be used is said and left alone, as viewers do. Alpha stays.
    """
    other = other_colours(image)
    if other is None or image.mode in ("I", "F"):
        return image, ()
    if image.info.get("icc_profile"):
        return _converted(image)
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        return image, (f"Its {other} was not applied.",)
    gamma = image.info["gamma"]
    light = (np.arange(256) / 255) ** (1 / gamma)
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    table = [int(v) for v in np.round(255 * curve)]
    colours, alpha = _split(image)
    out = _joined(colours.point(table * len(colours.getbands())), alpha)
    return out, (f"Its {other} was converted to that of sRGB, as displayed.",)


def other_colours(image: Image.Image) -> str | None:
    """Return what makes colours other than sRGB: "colour profile (NAME)", "gamma of 1"; None if nothing."""
    profile, gamma = image.info.get("icc_profile"), image.info.get("gamma")
    if profile:
        try:
            name = _name(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            return "colour profile"
        return None if "srgb" in name.lower() else f"colour profile ({name})"
    if not isinstance(gamma, int | float) or not 0.01 < gamma < 10 or "srgb" in image.info:
        return None
    return None if abs(gamma - USUAL_GAMMA) <= NEAR else f"gamma of {1 / gamma:.3g}"


def _name(profile: ImageCms.ImageCmsProfile) -> str:
    return " ".join(ImageCms.getProfileDescription(profile).split())


def _converted(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        name = _name(source)
        colours, alpha = _split(image)
        if colours.mode not in ("L", "RGB", "CMYK"):
            return image, (f"Its colour profile ({name}) was not applied.",)
        made = ImageCms.profileToProfile(
            colours,
            source,
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image, ("Its colour profile cannot be used and was not applied.",)
    if made is None:
        return image, ()
    made = made.getchannel(0) if colours.mode == "L" else made
    if made.tobytes() == colours.tobytes():
        return image, ()
    return _joined(made, alpha), (f"Its colours were converted from {name} to sRGB, as displayed.",)


def _split(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Return the colours, palettes resolved, and alpha."""
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA" if image.mode == "PA" or "transparency" in image.info else "RGB")
    if image.mode == "1":
        image = image.convert("L")
    if image.mode in ("LA", "RGBA"):
        return image.convert(image.mode[:-1]), image.getchannel("A")
    return image, None


def _joined(colours: Image.Image, alpha: Image.Image | None) -> Image.Image:
    if alpha is None:
        return colours
    out = colours.convert(f"{colours.mode}A")
    out.putalpha(alpha)
    return out
