"""Plain words for the words of the reports."""

from __future__ import annotations

GLOSSARY = {
    "amplitude": "How strong a lattice is, in grey levels of 255: the height of its waves, added up as the "
    "root of the summed squares.",
    "blame": "The share of the lattice that goes when a layer's output is made even and all else stays.",
    "cell": "The output pixels that one input pixel of an upsampling layer becomes: 2 x 2 at stride 2.",
    "fidelity": "How near a repaired network's output is to that of the original, in dB: 40 and more is hard "
    "to tell apart.",
    "gain": "The sum of the weights that make an output pixel: what it does to flat colour. If the gains of "
    "all phases are equal, flat colour stays flat.",
    "held-out": "Inputs that nothing was fitted on, kept to judge with.",
    "lattice": "A pattern that repeats with the same period all over a picture, whatever it shows: the "
    "grid, or checkerboard.",
    "least factor": "Of all significant periods, the one that fell least: 20 means that every one is at "
    "least 20 times weaker.",
    "limit": "The strongest lattice that a clean verdict could have missed (with a probability of 5 %).",
    "octave": "A range of detail from one size to twice as fine: 1/8 to 1/4 cycles per pixel are waves of 8"
    " to 4 pixels.",
    "order": "0: flat colour comes out with a grid. 1: flat colour comes out flat. 2: slopes, too. (The "
    "order of a layer; that of a fault is another: see second order.)",
    "overlap": "How many copies of the kernel of a transposed convolution reach an output pixel. Uneven if "
    "that differs between pixels.",
    "p-value": "How probable a line this strong is where there is no lattice; corrected for everything "
    "tried.",
    "period": "Pixels after which a pattern repeats.",
    "phase": "The place of an output pixel within its cell: at stride 2, left or right, above or below.",
    "PSNR": "Nearness of two pictures in dB: 20 log10(255 / root mean square difference).",
    "rival": "Something else that leaves the same periods: JPEG, a camera, cloth.",
    "second order": "The phases have the same mean but not the same contrast. It is hardly seen until a "
    "nonlinearity, such as a ReLU, turns contrast into brightness.",
    "spread": "How unequal the gains of a layer's phases are: 0 equal, 1 as unequal as can be.",
    "spun": "Averaged over shifts: the network is run on shifted inputs, the outputs are shifted back and "
    "their mean is taken. No lattice survives that; it is the reference for a repair, and slow.",
    "stage": "One upsampling step of a network, whatever layers or functions make it.",
    "trace": "A lattice that is certainly there and too weak to count.",
    "variance": "Contrast squared: how much the values of a phase differ from picture to picture.",
    "visibility": "invisible: below the threshold of the eye. Barely visible: up to twice the threshold. "
    "Visible: from there on. Strong: over ten times, seen in busy content, too. The threshold is that of a "
    "grating on flat mid-grey, on an sRGB display of 96 dots per inch seen from 50 cm (Barten 2004).",
}
"""Word and meaning, by the alphabet."""
