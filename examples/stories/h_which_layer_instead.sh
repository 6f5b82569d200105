# Someone writes a decoder and asks which layer to use instead of a deconvolution of kernel 3 and stride 2.
# Files: python prepare.py decoder

uncheck overlap 3 2
uncheck inspect decoder.py:make --weights decoder.safetensors --shape 1,3,64,64
uncheck explain uneven-overlap
