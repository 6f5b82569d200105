"""The estimate of a lattice, slowly: least squares of every pixel on tiles of the plain phases."""

import numpy as np


def windowed_tile(plane, period, node, cell):
    """Weighted least squares of one window: a parabola along each axis, and the tile of `period`, by pixel.

    Returns the tile less its mean, (rows, columns), of the phases counted from the first pixel of the array.
    """
    spans = [np.arange(j * q - q, j * q + q) for j, q in zip(node, cell, strict=True)]
    window = np.outer(*(np.sin(np.pi * (np.arange(len(s)) + 0.5) / len(s)) ** 2 for s in spans))
    rows, columns = np.meshgrid(*spans, indexing="ij")
    design = []
    for place, q in ((rows, cell[0]), (columns, cell[1])):
        middle = (place - place.mean()) / q
        design += [middle, middle**2]
    phases = (rows % period[0]) * period[1] + columns % period[1]
    design += [phases == phase for phase in range(period[0] * period[1])]
    matrix = np.stack([np.ravel(one).astype(float) for one in design], axis=1)
    root = np.sqrt(window.ravel())
    values = plane[np.ix_(*spans)].ravel().astype(float)
    solved = np.linalg.lstsq(root[:, None] * matrix, root * values, rcond=None)[0][4:]
    tile = solved.reshape(period)
    return tile - tile.mean()


def weighted_fit(local, basis, weights):
    """Least squares of coefficients (nodes, F) on functions (nodes, K), coefficient by coefficient."""
    out = np.empty((basis.shape[1], local.shape[1]))
    root = np.sqrt(weights)
    for column in range(local.shape[1]):
        out[:, column] = np.linalg.lstsq(root[:, None] * basis, root * local[:, column], rcond=None)[0]
    return out


def drawn_by_pixel(functions, tiles, shape):
    """Sum of functions (K, rows, columns) times tiles (K, *period), pixel by pixel."""
    out = np.zeros(shape)
    for row in range(shape[0]):
        for column in range(shape[1]):
            for function, tile in zip(functions, tiles, strict=True):
                out[row, column] += function[row, column] * tile[row % tile.shape[0], column % tile.shape[1]]
    return out
