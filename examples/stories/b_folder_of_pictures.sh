# Someone has pictures only, in the dated folders that a web interface wrote. Which have a grid, and how strong is it?
# Files: python prepare.py folder

uncheck measure outputs --html grid.html
uncheck measure --set outputs/2026-03-01
