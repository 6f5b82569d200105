# Someone trained a DCGAN with DataParallel: every name in the checkpoint begins with "module.", and the weights are one
# entry of a dictionary. Why is there a grid, and can this checkpoint be saved?
# Files: python prepare.py checkpoint

uncheck inspect dcgan.py:Generator --weights checkpoint.pth --shape 16,64,1,1
uncheck repair dcgan.py:Generator --weights checkpoint.pth --shape 16,64,1,1 -o repaired
python -c "import uncheck; from dcgan import Generator; print(uncheck.load_repaired(Generator(), 'repaired/repaired.safetensors'))"
