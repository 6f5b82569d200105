"""The causes, a file each: of lattices, of what looks like one, and of open questions."""

from __future__ import annotations

from uncheck.advising.causes.borders import BORDERS
from uncheck.advising.causes.camera import CAMERA
from uncheck.advising.causes.enlarged import ENLARGED
from uncheck.advising.causes.even_overlap import EVEN_OVERLAP
from uncheck.advising.causes.halftone import HALFTONE
from uncheck.advising.causes.invisible import INVISIBLE
from uncheck.advising.causes.jpeg import JPEG
from uncheck.advising.causes.not_fused import NOT_FUSED
from uncheck.advising.causes.not_measured import NOT_MEASURED
from uncheck.advising.causes.picture import PICTURE
from uncheck.advising.causes.refused import REFUSED
from uncheck.advising.causes.repaired import REPAIRED
from uncheck.advising.causes.resize import RESIZE
from uncheck.advising.causes.second_order import SECOND_ORDER
from uncheck.advising.causes.sound import SOUND
from uncheck.advising.causes.strided_gradient import STRIDED_GRADIENT
from uncheck.advising.causes.sub_pixel import SUB_PIXEL
from uncheck.advising.causes.texture import TEXTURE
from uncheck.advising.causes.tiles import TILES
from uncheck.advising.causes.too_small import TOO_SMALL
from uncheck.advising.causes.uneven_overlap import UNEVEN_OVERLAP
from uncheck.advising.causes.unpooling import UNPOOLING
from uncheck.advising.causes.unread_operation import UNREAD_OPERATION

CAUSES = {
    cause.name: cause
    for cause in (
        UNEVEN_OVERLAP,
        EVEN_OVERLAP,
        SUB_PIXEL,
        SECOND_ORDER,
        RESIZE,
        UNPOOLING,
        BORDERS,
        STRIDED_GRADIENT,
        SOUND,
        PICTURE,
        TILES,
        JPEG,
        CAMERA,
        HALFTONE,
        TEXTURE,
        ENLARGED,
        UNREAD_OPERATION,
        TOO_SMALL,
        NOT_MEASURED,
        INVISIBLE,
        REPAIRED,
        REFUSED,
        NOT_FUSED,
    )
}
"""By name, the commonest first."""
