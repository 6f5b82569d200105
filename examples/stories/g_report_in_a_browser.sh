# Someone repairs a network and shows the before and after to colleagues who have a browser only.
# Files: none

uncheck repair uncheck.demo:load --input uncheck.demo:pictures -o repaired --minutes 1
