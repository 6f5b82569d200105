"""The methods of repair, one file each."""
