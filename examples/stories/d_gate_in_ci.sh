# A team lets no network with a visible grid into its main branch; findings appear beside the code.
# Files: python prepare.py decoder

uncheck inspect decoder.py:make --weights decoder.safetensors --shape 1,3,64,64 --fail-above 1 -f github -f sarif=uncheck.sarif
