# Someone predicts depth, in metres and with holes, and someone enlarges CT. Is there a grid, and where?
# Files: python prepare.py scans

uncheck measure depth.npy --map maps
uncheck measure ct.nii.gz
