# Someone hears a whistle in the speech of a vocoder. Is it the upsampling, and which layer makes it?
# Files: python prepare.py speech

uncheck measure speech.wav
uncheck inspect vocoder.py:make --weights vocoder.safetensors --shape 1,80,200 --rate 16000
